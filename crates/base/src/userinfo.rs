//! URLs without the user and the password that people write into them, for messages and excerpts.

/// The places of users and passwords in a text: between `://` and the `@` before the host. What names a variable (`${env:NAME}`)
/// is no secret.
fn places(text: &str) -> Vec<std::ops::Range<usize>> {
    let ends = |c: char| "/?#\\\"'<>`".contains(c) || c.is_whitespace();
    let starts = text.match_indices("://").map(|(at, sign)| at + sign.len());
    let found = starts.filter_map(|start| {
        let rest = &text[start..];
        let authority = &rest[..rest.find(ends).unwrap_or(rest.len())];
        let user = &authority[..authority.rfind('@')?];
        (!user.is_empty() && !user.contains("${")).then_some(start..start + user.len())
    });
    found.collect()
}

/// Whether a text holds a URL with a user or a password.
pub fn has_userinfo(text: &str) -> bool {
    !places(text).is_empty()
}

/// The text with `***` for the user and the password of every URL in it.
pub fn without_userinfo(text: &str) -> String {
    let mut out = text.to_owned();
    for place in places(text).into_iter().rev() {
        out.replace_range(place, "***");
    }
    out
}

/// The same with a star for each character, so that what stands behind stays where it is.
pub(crate) fn starred(text: &str) -> String {
    let mut out = text.to_owned();
    for place in places(text).into_iter().rev() {
        let stars = "*".repeat(text[place.clone()].chars().count());
        out.replace_range(place, &stars);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{has_userinfo, starred, without_userinfo};

    #[test]
    fn users_and_passwords_are_not_shown_and_the_rest_is() {
        for (text, shown) in [
            ("http://u:S3CRET@127.0.0.1:1/mcp", "http://***@127.0.0.1:1/mcp"),
            ("`http://:p@w@h` and redis://token@h/1", "`http://***@h` and redis://***@h/1"),
            ("url: \"https://é:p@h\" # x@y", "url: \"https://***@h\" # x@y"),
        ] {
            assert_eq!(without_userinfo(text), shown);
            assert!(has_userinfo(text));
            assert_eq!(starred(text).chars().count(), text.chars().count());
        }
        for text in ["https://h/@scope", "a@b", "mysql://u:${env:PW}@h/x", "https://h?to=a@b", "http://@h"] {
            assert_eq!((without_userinfo(text).as_str(), starred(text).as_str()), (text, text));
            assert!(!has_userinfo(text), "{text}");
        }
    }
}
