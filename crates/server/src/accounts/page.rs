//! What the pages of people show, in the form of the consent page: plain HTML, no script, nothing from elsewhere.

use http::{Response, StatusCode};
use identity::accounts::{NAME_CHARS_MAX, PASSWORD_CHARS_MIN};
use protocol::http::Body;

use super::openid::BEGIN;
use super::{ACCOUNT, AUTHORIZE, PASSWORD, SET_UP, SIGN_IN, SIGN_OUT};
use crate::oauth::page::{escaped, page};

/// Asks for the first account.
pub(super) fn set_up(link: &str, wrong: Option<&str>) -> Response<Body> {
    let note = "This makes the first account, which runs this control plane. The link has no force afterwards.";
    let inputs = format!("{}{}", name_input(), password_input("new-password"));
    let title = "Set up this control plane";
    Form { title, note, action: SET_UP, button: "Make the account", after: "" }.page(&[("link", link)], &inputs, wrong)
}

/// Asks for a new password.
pub(super) fn password(link: &str, wrong: Option<&str>) -> Response<Body> {
    let note = "Whoever is signed in to this account has to sign in again. The link has no force afterwards.";
    let inputs = password_input("new-password");
    let title = "Choose a password";
    Form { title, note, action: PASSWORD, button: "Set the password", after: "" }.page(
        &[("link", link)],
        &inputs,
        wrong,
    )
}

/// A provider at which people sign in too.
#[derive(Clone, Copy)]
pub(super) struct Beside<'a> {
    /// What people know it as.
    pub(super) name: &'a str,
    /// Whether it is the only way.
    pub(super) is_alone: bool,
}

/// Asks for name and password, or sends to a provider, or lets people choose.
pub(super) fn sign_in(to: Option<&str>, wrong: Option<&str>, beside: Option<Beside<'_>>) -> Response<Body> {
    let is_alone = beside.is_some_and(|beside| beside.is_alone);
    let note = match to {
        Some(to) if to.starts_with(AUTHORIZE) => "A program asks to be let in. Sign in to see what it asks for.",
        _ if is_alone => "Whoever runs this control plane says who is let in.",
        _ => "Whoever runs this control plane makes accounts and new passwords.",
    };
    let provider = beside.map(|beside| provider(beside, to)).unwrap_or_default();
    if is_alone {
        let main = format!("<h1>Sign in</h1>\n<p class=\"note\">{note}</p>\n{provider}");
        return page(StatusCode::OK, "Sign in", &main, "");
    }
    let inputs = format!("{}{}", name_input(), password_input("current-password"));
    let hidden: Vec<(&str, &str)> = to.map(|to| ("to", to)).into_iter().collect();
    let asking = Form { title: "Sign in", note, action: SIGN_IN, button: "Sign in", after: &provider };
    asking.page(&hidden, &inputs, wrong)
}

/// Leads to a provider.
fn provider(beside: Beside<'_>, to: Option<&str>) -> String {
    let or = if beside.is_alone { "" } else { "<p class=\"or\">or</p>\n" };
    let kind = if beside.is_alone { "button yes" } else { "button" };
    format!("{or}<a class=\"{kind}\" href=\"{}\">Sign in with {}</a>", escaped(&with(BEGIN, to)), escaped(beside.name))
}

/// A page that comes back to where the person was.
fn with(page: &str, to: Option<&str>) -> String {
    let Some(to) = to else { return page.to_owned() };
    format!("{page}?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("to", to).finish())
}

/// Says why somebody is not signed in, and what they can do.
pub(super) struct Away<'a> {
    pub(super) status: StatusCode,
    pub(super) code: &'a str,
    /// What went wrong, and what to do.
    pub(super) what: &'a str,
    /// Names the request in the log.
    pub(super) id: &'a str,
    /// Where the person was.
    pub(super) to: Option<&'a str>,
}

impl Away<'_> {
    pub(super) fn page(&self) -> Response<Body> {
        let title = "You are not signed in";
        let main = format!(
            "<h1>{title}</h1>\n<p role=\"alert\">{}</p>\n\
             <p class=\"note\">Error <a href=\"/docs/codes/{code}\">{code}</a>, request <code>{}</code>: whoever runs this control \
             plane finds more by them in its log.</p>\n<a class=\"button\" href=\"{}\">Back to the sign-in</a>",
            escaped(self.what),
            escaped(self.id),
            escaped(&with(SIGN_IN, self.to)),
            code = escaped(self.code),
        );
        page(self.status, title, &main, "")
    }
}

/// Says something.
pub(super) fn told(status: StatusCode, what: &str) -> Response<Body> {
    let title = if status.is_success() { "Not set up yet" } else { "This did not work" };
    page(status, title, &format!("<h1>{title}</h1>\n<p>{}</p>", escaped(what)), "")
}

/// Says that somebody is signed in whose question is not known any more.
pub(super) fn signed_in(name: &str) -> Response<Body> {
    let main = format!(
        "<h1>Signed in as {}</h1>\n<p>What the program asked that sent you here was too long to be kept. Start again in the program: \
         it asks you at once.</p>\n<a class=\"button\" href=\"{ACCOUNT}\">Your account</a>",
        escaped(name)
    );
    page(StatusCode::OK, "Signed in", &main, "")
}

/// A key of the list.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) what: String,
}

/// One's own page: keys and programs.
pub(super) fn own(name: &str, keys: &[Key], new: Option<(&str, &str)>, wrong: Option<&str>) -> Response<Body> {
    let mut main = format!("<h1>Signed in as {}</h1>\n", escaped(name));
    if let Some((key, lines)) = new {
        main.push_str(&format!(
            "<h2>Your new key</h2>\n<p>Keep it now: it is not shown again.</p>\n<pre>{}</pre>\n<p class=\"note\">For clients:</p>\n<pre>{}</pre>\n",
            escaped(key),
            escaped(lines)
        ));
    }
    main.push_str("<h2>API keys and programs</h2>\n");
    if keys.is_empty() {
        main.push_str("<p class=\"note\">There are none.</p>\n");
    }
    for key in keys {
        main.push_str(&format!(
            "<form class=\"line\" method=\"post\" action=\"{ACCOUNT}\"><span>{}</span>\
             <button name=\"revoke\" value=\"{}\">Revoke</button></form>\n",
            escaped(&key.what),
            escaped(&key.id)
        ));
    }
    let wrong = wrong.map(|text| format!("<p class=\"wrong\" role=\"alert\">{}</p>", escaped(text)));
    main.push_str(&format!(
        "<form method=\"post\" action=\"{ACCOUNT}\">\n<label for=\"create\">Name of a new key, such as the program that will use it</label>\n\
         <input type=\"text\" id=\"create\" name=\"create\" maxlength=\"100\" required>\n{}\
         <div class=\"row\"><button class=\"yes\">Make a key</button></div>\n</form>\n\
         <form method=\"post\" action=\"{SIGN_OUT}\"><div class=\"row\"><button>Sign out</button></div></form>",
        wrong.unwrap_or_default()
    ));
    page(StatusCode::OK, "Your account", &main, "")
}

fn name_input() -> String {
    format!(
        "<label for=\"name\">Name</label>\n<input type=\"text\" id=\"name\" name=\"name\" autocomplete=\"username\" \
         autocapitalize=\"none\" maxlength=\"{NAME_CHARS_MAX}\" required autofocus>\n"
    )
}

fn password_input(kind: &str) -> String {
    let (least, hint) = match kind {
        "new-password" => {
            (format!(" minlength=\"{PASSWORD_CHARS_MIN}\""), format!(", at least {PASSWORD_CHARS_MIN} characters"))
        }
        _ => (String::new(), String::new()),
    };
    format!(
        "<label for=\"password\">Password{hint}</label>\n<input type=\"password\" id=\"password\" name=\"password\" \
         autocomplete=\"{kind}\" maxlength=\"1000\"{least} required>\n"
    )
}

/// A page with a form.
struct Form<'a> {
    title: &'a str,
    note: &'a str,
    action: &'a str,
    button: &'a str,
    /// What stands below it.
    after: &'a str,
}

impl Form<'_> {
    fn page(&self, hidden: &[(&str, &str)], inputs: &str, wrong: Option<&str>) -> Response<Body> {
        let Self { title, note, action, button, after } = self;
        let hidden: String = hidden
            .iter()
            .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value)))
            .collect();
        let status = if wrong.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
        let wrong = wrong.map(|text| format!("<p class=\"wrong\" role=\"alert\">{}</p>\n", escaped(text)));
        let main = format!(
            "<h1>{title}</h1>\n<p class=\"note\">{note}</p>\n<form method=\"post\" action=\"{action}\">\n{hidden}{inputs}{}\
             <div class=\"row\"><button class=\"yes\">{button}</button></div>\n</form>\n{after}",
            wrong.unwrap_or_default()
        );
        page(status, title, &main, "")
    }
}
