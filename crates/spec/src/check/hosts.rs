//! Hosts that requests may go to.

use super::Check;
use crate::codes;
use crate::structure::clip;
use crate::syntax::Node;

/// Checks a list of hosts: names, `*.name`, addresses, or `*`.
pub(super) fn all(check: &mut Check<'_, '_>, node: &Node) {
    if node.items().is_empty() && !check.is_damaged(node) {
        let help = "name them: `hosts: [api.example.com]`; `\"*\"` stands for every public host";
        check.error(codes::HOSTS, node.span, "there is no host that requests may go to", help);
    }
    for at in node.items() {
        let Some(host) = at.as_str() else { continue };
        if let Err(why) = host_is_good(host) {
            let message = format!("`{}` is no host: {why}", clip(host));
            let help = "write a name such as `api.example.com`, `*.example.com` for those below it, or `\"*\"`";
            check.error(codes::HOSTS, at.span, message, help);
        }
    }
}

fn host_is_good(host: &str) -> Result<(), &'static str> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    if host == "*" || bare.is_some_and(|bare| bare.parse::<std::net::Ipv6Addr>().is_ok()) {
        return Ok(());
    }
    if host.contains("://") || host.contains(['/', '?', '#', '@']) {
        return Err("it is a URL or a part of one");
    }
    if host.contains(':') {
        return Err("it has a port, or is an address of IPv6 without brackets");
    }
    if !host.is_ascii() {
        return Err("a name with other letters is written as it is looked up, `xn--…`");
    }
    let name = host.strip_prefix("*.").unwrap_or(host);
    if name.contains('*') {
        return Err("a `*` stands for whole names, at the beginning");
    }
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if name.split('.').all(is_label) { Ok(()) } else { Err("a part of it is empty or has other characters") }
}
