//! Templates of whole URLs: `{+url}`, `https://api.example.com/users/{id}`.

use crate::path::{PathError, PathTemplate};

/// A whole URL with parts to fill in. What comes out is still to be checked as a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlTemplate {
    /// `{+name}`: a value that is a URL.
    Given(String),
    /// A fixed origin, and a path with parts.
    Fixed {
        /// Scheme, host and port: `https://api.example.com`.
        origin: String,
        /// What is below it.
        path: PathTemplate,
    },
}

impl UrlTemplate {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fault = |why| Err(PathError::Template(text.to_owned(), why));
        if let Some(name) = text.strip_prefix("{+").and_then(|rest| rest.strip_suffix('}')) {
            let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
            return if is_name {
                Ok(Self::Given(name.to_owned()))
            } else {
                fault("a part between `{` and `}` is no name")
            };
        }
        let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
            return fault("it is neither a parameter such as `{+url}` nor starts with `https://`");
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() || authority.contains(['{', '}', '@', '\\']) {
            return fault("its host is not written out; a URL whose host is a value is given whole, as `{+url}`");
        }
        let path = PathTemplate::parse(if path.is_empty() { "/" } else { path })?;
        Ok(Self::Fixed { origin: text[..text.len() - rest.len() + end].to_owned(), path })
    }

    /// The names of the parts, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Given(name) => vec![name],
            Self::Fixed { path, .. } => path.names().collect(),
        }
    }

    /// Fills the parts in.
    pub fn fill<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> Result<String, PathError> {
        match self {
            Self::Given(name) => value(name).map(str::to_owned).ok_or_else(|| PathError::Missing(name.clone())),
            Self::Fixed { origin, path } => Ok(format!("{origin}{}", path.fill(value)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UrlTemplate;

    #[test]
    fn a_value_is_a_whole_url_or_a_part_of_a_path() {
        let fill = |text: &str, value: &'static str| UrlTemplate::parse(text).unwrap().fill(|_| Some(value));
        assert_eq!(fill("{+url}", "https://a.example/b?c").unwrap(), "https://a.example/b?c");
        assert_eq!(fill("https://a.example/b/{id}", "c/d").unwrap(), "https://a.example/b/c%2Fd");
        assert_eq!(fill("https://a.example", "").unwrap(), "https://a.example/");
        assert!(fill("https://a.example/{id}", "..").is_err());
        for bad in ["{url}", "{+url}/b", "/b", "ftp://a.example/", "https://{host}/", "https://u@a.example/", "{+}", ""]
        {
            assert!(UrlTemplate::parse(bad).is_err(), "{bad}");
        }
    }
}
