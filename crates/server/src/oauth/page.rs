//! The pages that a person sees: plain HTML, no script, nothing from elsewhere.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use identity::oauth::{Asked, Refusal};
use protocol::http::Body;
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("page.css");

/// What the policy calls the one style that the pages have.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

/// Asks the owner, who shows a passphrase, or the person who is signed in.
pub(super) fn consent(
    server: &str,
    asked: &Asked,
    sealed: &str,
    person: Option<&str>,
    wrong: Option<&str>,
) -> Response<Body> {
    let server = escaped(server);
    let name = asked.name.as_deref().map_or_else(|| "A program without a name".to_owned(), escaped);
    let host = escaped(&asked.host());
    let trust = if asked.documented {
        format!("It is described by <b>{}</b>.", escaped(&asked.client))
    } else {
        "It gave itself this name; nobody has checked it.".to_owned()
    };
    let back = match asked.host().as_str() {
        "localhost" | "127.0.0.1" | "[::1]" => "a program on the machine of this browser".to_owned(),
        _ => format!("<b>{host}</b>"),
    };
    let scopes: String = asked.scope.split(' ').map(scope).collect();
    let wrong =
        wrong.map(|text| format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(text))).unwrap_or_default();
    let shown = match person {
        Some(person) => format!("<p class=\"note\">You are signed in as <b>{}</b>.</p>\n", escaped(person)),
        None => PASSPHRASE.to_owned(),
    };
    let main = format!(
        "<h1>{name} asks to use {server}</h1>\n\
         <p class=\"note\">{trust} After your answer you are sent to {back}. Allow it only if you began this yourself just now.</p>\n\
         <h2>It would be able to</h2>\n<ul>{scopes}</ul>\n\
         <form method=\"post\" action=\"/authorize\">\n\
         <input type=\"hidden\" name=\"question\" value=\"{}\">\n\
         {shown}{wrong}\
         <div class=\"row\"><button class=\"yes\" name=\"answer\" value=\"allow\">Allow</button>\n\
         <button name=\"answer\" value=\"deny\" formnovalidate>Deny</button></div>\n</form>",
        escaped(sealed)
    );
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::FORBIDDEN };
    page(status, &format!("Allow {name}?"), &main, &asked.redirect_uri)
}

const PASSPHRASE: &str = "<input type=\"text\" name=\"username\" value=\"owner\" autocomplete=\"username\" hidden>\n\
    <label for=\"passphrase\">Passphrase of this server's owner</label>\n\
    <input type=\"password\" id=\"passphrase\" name=\"passphrase\" autocomplete=\"current-password\" maxlength=\"1000\" required autofocus>\n";

/// Says why there is nothing to ask.
pub(super) fn refused(status: StatusCode, refusal: &Refusal) -> Response<Body> {
    let main = format!(
        "<h1>This did not work</h1>\n<p>{}</p>\n<p class=\"note\">Error <code>{}</code>. You can close this page.</p>",
        escaped(&refusal.description),
        escaped(refusal.error)
    );
    page(status, "This did not work", &main, "")
}

fn scope(name: &str) -> String {
    match name {
        "mcp" => "<li>list and call all tools of this server in your name, until you revoke it</li>".to_owned(),
        "servers:read" => "<li>see your servers</li>".to_owned(),
        "servers:write" => "<li>make, change, deploy and remove your servers</li>".to_owned(),
        "servers:call" => "<li>call the tools of your servers</li>".to_owned(),
        "logs:read" => "<li>read what your servers were asked</li>".to_owned(),
        other => format!("<li><code>{}</code></li>", escaped(other)),
    }
}

pub(crate) fn page(status: StatusCode, title: &str, main: &str, redirect_uri: &str) -> Response<Body> {
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{main}\n</main>\n</body>\n</html>\n"
    );
    let mut answer = Response::new(Body::from(html));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "text/html; charset=utf-8");
    set(header::CACHE_CONTROL, "no-store");
    set(header::PRAGMA, "no-cache");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not `no-referrer`: with it browsers would send `Origin: null` with the form.
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    if let Ok(policy) = HeaderValue::try_from(policy(redirect_uri)) {
        answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}

/// Some browsers hold the redirect after a form, and those that follow it, to `form-action`.
fn policy(redirect_uri: &str) -> String {
    let scheme = redirect_uri.split_once(':').map_or("https", |(scheme, _)| scheme);
    let plain = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let also = if scheme == "https" || !plain { String::new() } else { format!(" {scheme}:") };
    let hash = &*STYLE_HASH;
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self' https:{also}; frame-ancestors 'none'; base-uri 'none'"
    )
}

pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
