//! A site with pages of every kind, and the rules for robots of its host. Asked as `localhost` it shows its rules to nobody.

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::shared::header;

/// What robots may read.
const ROBOTS: &str = "#Rules of a fake
User-agent: *
Disallow: /pages/private
Allow: /pages/private/open
Disallow: /pages/*.secret$

User-agent: otherbot
Disallow: /
";

const ARTICLE: &str = "<!DOCTYPE html>
<html><head><title>On tides</title><style>p { color: red }</style><script>alert('<p>')</script></head>
<body><nav><a href=\"/\">Home</a></nav>
<article><h1>On tides</h1>
<p>The sea rises and falls <strong>twice</strong> a day, because the Moon pulls on it; see <a href=\"moon.html\">the page on the Moon</a>.</p>
<h2>Spring tides</h2>
<ul><li>new Moon</li><li>full Moon</li></ul>
<p>Sun &amp; Moon pull together then. They differ by half a metre &ndash; or more.</p>
<pre><code>height = mean + a * cos(t)</code></pre>
</article><footer>No rights reserved</footer></body></html>";

pub(crate) fn router() -> Router {
    let html = |text: &'static str| get(async move || ([("content-type", "text/html; charset=utf-8")], text));
    let plain = |text: &'static str| get(async move || ([("content-type", "text/plain; charset=utf-8")], text));
    let to = |to: &'static str| get(async move || (StatusCode::FOUND, [("location", to)]));
    Router::new()
        .route("/tides.html", html(ARTICLE))
        .route("/note.txt", plain("A note: caf\u{e9}, \u{1f30a}.\n"))
        .route("/long.txt", get(async || ([("content-type", "text/plain")], "0123456789".repeat(1200))))
        .route("/data.json", get(async || ([("content-type", "application/json")], "{\"a\": [1, 2]}")))
        .route("/latin.txt", get(async || ([("content-type", "text/plain; charset=iso-8859-1")], &b"caf\xe9"[..])))
        .route("/empty.html", html("<html><body></body></html>"))
        .route("/gone", get(async || (StatusCode::GONE, "gone")))
        .route("/broken", get(async || (StatusCode::INTERNAL_SERVER_ERROR, "broken")))
        .route("/private/diary.txt", plain("Dear diary"))
        .route("/private/open/letter.txt", plain("To whom it may concern"))
        .route("/a.secret", plain("secret"))
        .route("/a.secret.txt", plain("no secret"))
        .route("/moved", to("/pages/note.txt"))
        .route("/moved-relative", to("note.txt"))
        .route("/moved-private", to("private/diary.txt"))
        .route("/moved-inside", to("http://169.254.169.254/latest/meta-data/"))
        .route("/round", to("/pages/round"))
        .route("/agent", get(async |headers: HeaderMap| header(&headers, "user-agent").to_owned()))
        .route("/bytes", get(async || ([("content-type", "image/png")], &b"\x89PNG\r\n\x1a\n\xff"[..])))
}

/// The rules, at the root of the host.
pub(crate) async fn robots(headers: HeaderMap) -> Response {
    if header(&headers, "host").starts_with("localhost") {
        return StatusCode::FORBIDDEN.into_response();
    }
    ([("content-type", "text/plain")], ROBOTS).into_response()
}
