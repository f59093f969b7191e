//! Values that look like secrets. A spec is shared, stored and shown; a secret in it is lost.

use base::{Diagnostic, Span};

use crate::codes;
use crate::report::Report;
use crate::syntax::{Node, Value};

/// Reports every text in the document that looks like a secret.
pub(crate) fn literals(tree: &Node, report: &mut Report) {
    walk(tree, "", report);
}

fn walk(node: &Node, key: &str, report: &mut Report) {
    match &node.value {
        Value::String(text, _) => {
            if let Some(what) = recognise(text, key) {
                report.push(secret(node.span, what));
            } else if has_secret_name(key) && (is_random(text) || is_mixed(text)) {
                report.push(secret(node.span, "a secret value"));
            }
        }
        Value::List(items) => items.iter().for_each(|item| walk(item, key, report)),
        Value::Map(entries) => {
            // The default of a parameter called `token` is under the key `default`.
            let inherited = if has_secret_name(key) { key } else { "" };
            let name = node.str_of("name").filter(|name| has_secret_name(name)).unwrap_or(inherited);
            for entry in entries {
                let own = entry.key.text.as_str();
                if let Some(what) = recognise(own, "") {
                    report.push(secret(entry.key.span, what));
                }
                let key = if matches!(own, "default" | "value" | "const" | "enum" | "examples" | "schema") {
                    name
                } else {
                    own
                };
                walk(&entry.value, key, report);
            }
        }
        _ => {}
    }
}

fn secret(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(codes::SECRET, format!("this looks like {what}"))
        .at(span)
        .label("a secret must not be in a spec")
        .help(
            "put it in an environment variable and name the variable with `envVar`, or write `${env:NAME}` in a `url`",
        )
        .help("change the secret if this file was shared")
}

/// What a well-known form of secret is, if the text holds one.
fn recognise(text: &str, key: &str) -> Option<&'static str> {
    /// A prefix, the fewest characters after it, what it is.
    const PREFIXES: [(&str, usize, &str); 31] = [
        ("sk-ant-", 20, "an Anthropic API key"),
        ("sk-proj-", 20, "an OpenAI API key"),
        ("sk_live_", 16, "a Stripe key"),
        ("sk_test_", 16, "a Stripe key"),
        ("rk_live_", 16, "a Stripe key"),
        ("whsec_", 20, "a webhook signing secret"),
        ("sk-", 20, "an API key"),
        ("ghp_", 30, "a GitHub token"),
        ("gho_", 30, "a GitHub token"),
        ("ghu_", 30, "a GitHub token"),
        ("ghs_", 30, "a GitHub token"),
        ("ghr_", 30, "a GitHub token"),
        ("github_pat_", 22, "a GitHub token"),
        ("glpat-", 18, "a GitLab token"),
        ("xoxb-", 10, "a Slack token"),
        ("xoxp-", 10, "a Slack token"),
        ("xoxa-", 10, "a Slack token"),
        ("xoxs-", 10, "a Slack token"),
        ("xapp-", 10, "a Slack token"),
        ("AKIA", 16, "an AWS access key"),
        ("ASIA", 16, "an AWS access key"),
        ("AIza", 35, "a Google API key"),
        ("ya29.", 20, "a Google access token"),
        ("npm_", 30, "an npm token"),
        ("pypi-", 30, "a PyPI token"),
        ("hf_", 30, "a Hugging Face token"),
        ("of_mcp_", 16, "an API key"),
        ("SG.", 20, "a SendGrid key"),
        ("dp.st.", 2, "a Doppler token"),
        ("dp.pt.", 2, "a Doppler token"),
        ("shpat_", 30, "a Shopify token"),
    ];
    /// No form has fewer bytes.
    const SHORTEST: usize = 15;
    if text.len() > SHORTEST && text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return Some("a private key");
    }
    for word in text
        .split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '=' | ',' | '(' | ')' | '<' | '>' | '?' | '&'))
    {
        if word.len() < SHORTEST {
            continue;
        }
        for (prefix, least, what) in PREFIXES {
            if let Some(rest) = word.strip_prefix(prefix)
                && rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).count() >= least
            {
                return Some(what);
            }
        }
        if is_jwt(word) {
            return Some("a JSON web token");
        }
        if is_telegram(word) {
            return Some("a token of a Telegram bot");
        }
        if is_hook(word) {
            return Some("a webhook's address, which is its key");
        }
    }
    // The URL of a connection has a code of its own.
    if key != "url" && passwords_in_urls(text).any(|password| !is_place(password)) {
        return Some("a URL with a password");
    }
    if key != "url" && assigned(text, is_sql(key)) || is_sql(key) && compared(text) {
        return Some("a password or a key");
    }
    has_authorization(text).then_some("the credentials of a request")
}

/// `123456789:AA…`: the number of a bot and its key.
fn is_telegram(word: &str) -> bool {
    const KEY_LEAST: usize = 30;
    let is_key =
        |key: &str| key.len() >= KEY_LEAST && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    word.split_once(':').is_some_and(|(bot, key)| {
        (8..=10).contains(&bot.len()) && bot.bytes().all(|b| b.is_ascii_digit()) && key.starts_with("AA") && is_key(key)
    })
}

/// Addresses that let anybody who knows them post.
fn is_hook(word: &str) -> bool {
    const KEY_LEAST: usize = 20;
    let hooks = ["://hooks.slack.com/services/", "://discord.com/api/webhooks/", "://discordapp.com/api/webhooks/"];
    let key = hooks.iter().find_map(|hook| word.split_once(hook)).and_then(|(_, rest)| rest.rsplit('/').next());
    key.is_some_and(|key| {
        key.len() >= KEY_LEAST && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    })
}

/// Three base64url parts, the first of which starts as `{"` does.
fn is_jwt(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let is_base64 =
        |part: &&str| part.len() >= 10 && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    parts.len() == 3 && parts[0].starts_with("eyJ") && parts[1].starts_with("eyJ") && parts.iter().all(is_base64)
}

/// Whether a text has a `scheme://user:password@host`, unless the password is a `${…}` reference.
pub(crate) fn has_password_in_url(text: &str) -> bool {
    passwords_in_urls(text).next().is_some()
}

/// The passwords of the URLs of a text, `${…}` references and `<…>` apart.
fn passwords_in_urls(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("://").filter_map(|(at, _)| {
        let scheme_is_good = text[..at].chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let rest = &text[at + 3..];
        let authority =
            &rest[..rest.find(|c: char| matches!(c, '/' | '?' | '#') || c.is_whitespace()).unwrap_or(rest.len())];
        let (credentials, _) = authority.rsplit_once('@')?;
        let (_, password) = credentials.split_once(':')?;
        let is_value = !password.is_empty() && !password.starts_with("${") && !password.starts_with('<');
        (scheme_is_good && is_value).then_some(password)
    })
}

/// Whether a word stands in the place of a password, as documents write it: `PASSWORD`, `YOUR_DB_PASS`, `***`, `xxx`.
fn is_place(word: &str) -> bool {
    let is_upper = word.bytes().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'-'));
    let names_it = ["PASS", "PWD", "SECRET", "TOKEN", "KEY"].iter().any(|part| word.contains(part));
    is_upper && names_it || word.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '…' | '•'))
}

/// Whether the text of a key is SQL, where `password = …` may be about a column.
fn is_sql(key: &str) -> bool {
    matches!(key, "sql" | "query" | "statements")
}

/// Words of `word=value` behind which a secret stands, without signs between their parts.
const ASSIGNED: [&str; 9] = [
    "password",
    "passwd",
    "pwd",
    "accountkey",
    "sharedaccesskey",
    "secretaccesskey",
    "apikey",
    "clientsecret",
    "authtoken",
];

/// Whether a URL or a DSN has a password as `password=…`.
pub(crate) fn has_password_word(text: &str) -> bool {
    assigned(text, false)
}

/// `password=hunter22` as connection strings have it: no space, and a value that is not a
/// reference or a place for one. In SQL only inside of a string.
fn assigned(text: &str, in_strings: bool) -> bool {
    const LEAST_LENGTH: usize = 6;
    text.match_indices('=').any(|(at, _)| {
        let before = &text[..at];
        let start =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).map_or(0, |at| at + 1);
        let word: String = before
            .get(start..)
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        let rest = text[at + 1..].trim_start_matches(['"', '\'']);
        let end = rest.find(|c: char| c.is_whitespace() || "'\";,&)".contains(c)).unwrap_or(rest.len());
        let value = &rest[..end];
        let is_inside = !in_strings || before.matches('\'').count() % 2 == 1;
        let is_value = value.len() >= LEAST_LENGTH
            && value.bytes().any(|b| b.is_ascii_digit())
            && !value.contains(['$', '<', '{', '*', ':', '(', '[']);
        is_inside && is_value && ASSIGNED.iter().any(|known| word.ends_with(known))
    })
}

/// `password = 'hunter22'` in SQL: a literal where a parameter belongs.
fn compared(sql: &str) -> bool {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "api_key", "apikey"];
    const LEAST_LENGTH: usize = 8;
    sql.match_indices('\'').any(|(at, _)| {
        let before = sql[..at].trim_end();
        let Some(before) = before.strip_suffix('=') else { return false };
        let column = before.trim_end().trim_end_matches('"').to_ascii_lowercase();
        let value = sql[at + 1..].split('\'').next().unwrap_or_default();
        let is_value = value.len() >= LEAST_LENGTH
            && value.bytes().any(|b| b.is_ascii_digit())
            && value.bytes().any(|b| b.is_ascii_alphabetic())
            && !value.contains(char::is_whitespace);
        is_value && WORDS.iter().any(|word| column.ends_with(word))
    })
}

/// `Authorization: Bearer …` or `Basic …` with a value behind it.
fn has_authorization(text: &str) -> bool {
    ["bearer", "basic"].into_iter().any(|scheme| {
        let folded = text.to_ascii_lowercase();
        folded.match_indices(scheme).any(|(at, _)| {
            let rest = &text[at + scheme.len()..];
            let value = rest.trim_start();
            let end =
                value.find(|c: char| !(c.is_ascii_alphanumeric() || "+/=-_.~".contains(c))).unwrap_or(value.len());
            let is_random = is_random(&value[..end]) || scheme == "basic" && is_base64_pair(&value[..end]);
            rest.starts_with(' ') && is_random
        })
    })
}

/// Whether a text is base64 of `user:password`: long, and with capitals or digits as no plain word has them.
fn is_base64_pair(text: &str) -> bool {
    const LEAST_LENGTH: usize = 12;
    text.len() >= LEAST_LENGTH
        && text.len().is_multiple_of(4)
        && text.bytes().skip(1).any(|b| b.is_ascii_uppercase())
        && text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether a key or a name says that its value is secret. Names of variables and headers are not.
pub(super) fn has_secret_name(key: &str) -> bool {
    let folded: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let is_about_it = ["envvar", "env", "header", "headername", "name", "file", "cafile"].contains(&folded.as_str());
    !is_about_it
        && [
            "token",
            "secret",
            "password",
            "passwd",
            "passphrase",
            "apikey",
            "accesskey",
            "privatekey",
            "credential",
            "credentials",
        ]
        .iter()
        .any(|word| folded.ends_with(word))
}

/// A text of one word with the entropy of a generated value.
fn is_random(text: &str) -> bool {
    const LEAST_LENGTH: usize = 16;
    const LEAST_BITS_PER_CHARACTER: f64 = 3.0;
    let is_one_word = text.bytes().all(|b| b.is_ascii_graphic());
    let has_digit = text.bytes().any(|b| b.is_ascii_digit());
    text.len() >= LEAST_LENGTH
        && is_one_word
        && has_digit
        && !text.contains("${")
        && !text.contains("{{")
        && entropy(text) >= LEAST_BITS_PER_CHARACTER
}

/// A password of one word with capitals, small letters, digits and signs, as no plain word has them. References, such as
/// those of vaults, have `:`, `/` or braces.
fn is_mixed(text: &str) -> bool {
    const LEAST_LENGTH: usize = 10;
    let has = |class: fn(&u8) -> bool| text.bytes().any(|byte| class(&byte));
    text.len() >= LEAST_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
        && text.contains(['!', '#', '$', '%', '&', '*', '+', '?', '@', '^', '~'])
        && !text.contains([':', '/', '{', '}', '<', '>', '[', ']', '\\', '(', ')'])
}

/// Shannon entropy, bits per byte.
fn entropy(text: &str) -> f64 {
    let mut counts = [0_u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    #[expect(clippy::cast_precision_loss, reason = "documents are far smaller than 2^52 bytes")]
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::{has_password_in_url, is_random, recognise};

    #[test]
    fn well_known_forms_are_seen_and_plain_words_are_not() {
        for text in [
            "sk-ant-api03-abcdefghijklmnopqrst",
            "use ghp_0123456789abcdefghijklmnopqrstuvwxyz please",
            "AKIAIOSFODNN7EXAMPLE",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
            "-----BEGIN RSA PRIVATE KEY-----\nMII",
            "postgres://user:hunter2@db/x",
        ] {
            assert!(recognise(text, "").is_some(), "{text}");
        }
        for text in [
            "sk-short",
            "the token",
            "task-management-system-for-teams",
            "postgres://user@db/x",
            "a:b@c",
            "https://x/y:z@w",
        ] {
            assert!(recognise(text, "").is_none(), "{text}");
        }
        assert!(!has_password_in_url("postgres://u:${env:PW}@db/x"));
        assert!(is_random("9f8a7b6c5d4e3f2a1b0c"));
        assert!(!is_random("a sentence with 16 words in it"));
    }
}
