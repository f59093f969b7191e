//! URI templates of level 1 (RFC 6570): `{name}` stands for one path segment.

/// A compiled template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UriTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl UriTemplate {
    /// Cuts a template into its parts. A brace without its other one is a literal.
    pub(crate) fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            if !before.is_empty() {
                parts.push(Part::Literal(before.to_owned()));
            }
            parts.push(Part::Variable(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Self { parts }
    }

    /// The variables in order.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The decoded values of the variables, if the URI is of this template.
    pub(crate) fn matches(&self, uri: &str) -> Option<Vec<(&str, String)>> {
        let mut values = Vec::new();
        let mut rest = uri;
        let mut parts = self.parts.iter().peekable();
        while let Some(part) = parts.next() {
            match part {
                Part::Literal(text) => rest = rest.strip_prefix(text.as_str())?,
                Part::Variable(name) => {
                    let end = match parts.peek() {
                        Some(Part::Literal(text)) => rest.find(text.as_str())?,
                        _ => rest.find('/').unwrap_or(rest.len()),
                    };
                    let (value, after) = rest.split_at(end);
                    if value.is_empty() || value.contains('/') {
                        return None;
                    }
                    values.push((name.as_str(), percent_decoded(value)?));
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

/// `%XX` decoded; `None` when that gives no UTF-8 or a `%` stands alone.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::UriTemplate;

    #[test]
    fn variables_match_one_segment() {
        let template = UriTemplate::parse("inventory://products/{sku}/stock-{place}");
        assert_eq!(template.variables().collect::<Vec<_>>(), ["sku", "place"]);
        let values = template.matches("inventory://products/a%2Fb%20c/stock-main").unwrap();
        assert_eq!(values, [("sku", "a/b c".to_owned()), ("place", "main".to_owned())]);
        for other in [
            "inventory://products//stock-main",
            "inventory://products/a/b/stock-x",
            "inventory://products/%zz/stock-x",
            "x",
        ] {
            assert_eq!(template.matches(other), None, "{other}");
        }
        assert_eq!(UriTemplate::parse("a{").matches("a{"), Some(Vec::new()));
    }
}
