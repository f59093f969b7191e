//! What a refusal asks for: `WWW-Authenticate` (RFC 9110, section 11; RFC 6750; RFC 9728, section 5.1).

/// The challenge of bearer tokens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// Where the server's metadata are.
    pub(super) metadata: Option<String>,
    /// The scopes that are needed.
    pub(super) scopes: Vec<String>,
    /// What was wrong with the token.
    pub(super) error: Option<String>,
}

impl Challenge {
    /// Reads the headers of an answer.
    pub(super) fn read<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let mut found = Self::default();
        for (name, value) in headers.flat_map(bearer) {
            match name.to_ascii_lowercase().as_str() {
                "resource_metadata" => found.metadata = found.metadata.or(Some(value)),
                "scope" if found.scopes.is_empty() => found.scopes = words(&value),
                "error" => found.error = found.error.or(Some(value)),
                _ => {}
            }
        }
        found
    }

    /// Whether more scopes would help.
    pub(super) fn wants_more(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}

/// The words of a list.
pub(super) fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The parameters of the challenge `Bearer` in a header, which may hold several challenges.
fn bearer(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header;
    let mut is_bearer = false;
    loop {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let end = rest.find(['=', ',', ' ', '\t', '"']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            // What no challenge begins with; the rest cannot be understood.
            return found;
        }
        let Some(value) = after.trim_start_matches([' ', '\t']).strip_prefix('=') else {
            is_bearer = name.eq_ignore_ascii_case("bearer");
            rest = after;
            continue;
        };
        let (value, after) = value_of(value.trim_start_matches([' ', '\t']));
        if is_bearer {
            found.push((name.to_owned(), value));
        }
        rest = after;
    }
}

/// A token or a quoted string, and what follows it.
fn value_of(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, letter)| letter)),
            letter => value.push(letter),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    fn read(text: &str) -> (Option<String>, Vec<String>, Option<String>) {
        let Challenge { metadata, scopes, error } = Challenge::read(std::iter::once(text));
        (metadata, scopes, error)
    }

    #[test]
    fn parameters_are_read_in_every_form() {
        let text = r#"Basic realm="a, Bearer scope=\"no\"", Bearer error="insufficient_scope" , scope = "a  b", resource_metadata="https://h/.well-known/x?y=1""#;
        let expected = (
            Some("https://h/.well-known/x?y=1".into()),
            vec!["a".into(), "b".into()],
            Some("insufficient_scope".into()),
        );
        assert_eq!(read(text), expected);
        assert_eq!(read("bearer scope=one").1, ["one"]);
        for nothing in ["", "Bearer", "Basic scope=x", "Digest realm=\"Bearer\"", "=,\"", "Bearer scope=\"open"] {
            let (metadata, _, error) = read(nothing);
            assert_eq!((metadata, error), (None, None), "{nothing}");
        }
    }
}
