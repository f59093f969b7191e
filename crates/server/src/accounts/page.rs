//! What the pages of people show, in the form of the consent page: plain HTML, no script, nothing from elsewhere.

use http::{Response, StatusCode};
use identity::accounts::{NAME_CHARS_MAX, PASSWORD_CHARS_MIN};
use protocol::http::Body;

use super::{ACCOUNT, PASSWORD, SET_UP, SIGN_IN, SIGN_OUT};
use crate::oauth::page::{escaped, page};

/// Asks for the first account.
pub(super) fn set_up(link: &str, wrong: Option<&str>) -> Response<Body> {
    let note = "This makes the first account, which runs this control plane. The link has no force afterwards.";
    let inputs = format!("{}{}", name_input(), password_input("new-password"));
    form("Set up this control plane", note, SET_UP, &[("link", link)], &inputs, "Make the account", wrong)
}

/// Asks for a new password.
pub(super) fn password(link: &str, wrong: Option<&str>) -> Response<Body> {
    let note = "Whoever is signed in to this account has to sign in again. The link has no force afterwards.";
    let inputs = password_input("new-password");
    form("Choose a password", note, PASSWORD, &[("link", link)], &inputs, "Set the password", wrong)
}

/// Asks for name and password.
pub(super) fn sign_in(to: Option<&str>, wrong: Option<&str>) -> Response<Body> {
    let note = match to {
        Some(_) => "A program asks to be let in. Sign in to see what it asks for.",
        None => "Whoever runs this control plane makes accounts and new passwords.",
    };
    let inputs = format!("{}{}", name_input(), password_input("current-password"));
    let hidden: Vec<(&str, &str)> = to.map(|to| ("to", to)).into_iter().collect();
    form("Sign in", note, SIGN_IN, &hidden, &inputs, "Sign in", wrong)
}

/// Says something.
pub(super) fn told(status: StatusCode, what: &str) -> Response<Body> {
    let title = if status.is_success() { "Not set up yet" } else { "This did not work" };
    page(status, title, &format!("<h1>{title}</h1>\n<p>{}</p>", escaped(what)), "")
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

fn form(
    title: &str,
    note: &str,
    action: &str,
    hidden: &[(&str, &str)],
    inputs: &str,
    button: &str,
    wrong: Option<&str>,
) -> Response<Body> {
    let hidden: String = hidden
        .iter()
        .map(|(name, value)| format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">\n", escaped(value)))
        .collect();
    let status = if wrong.is_some() { StatusCode::FORBIDDEN } else { StatusCode::OK };
    let wrong = wrong.map(|text| format!("<p class=\"wrong\" role=\"alert\">{}</p>\n", escaped(text)));
    let main = format!(
        "<h1>{title}</h1>\n<p class=\"note\">{note}</p>\n<form method=\"post\" action=\"{action}\">\n{hidden}{inputs}{}\
         <div class=\"row\"><button class=\"yes\">{button}</button></div>\n</form>",
        wrong.unwrap_or_default()
    );
    page(status, title, &main, "")
}
