//! The parameters of a request: from a query, a form, or a JSON object.

use serde_json::Value;

use super::refusal::Refusal;

/// Parameters one by one. One that is empty counts as absent (RFC 6749, section 3.1).
#[derive(Clone, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

/// The one parameter that may be given more than once (RFC 8707).
const REPEATABLE: &str = "resource";

impl Parameters {
    /// From a query or the body of a form.
    ///
    /// # Errors
    /// A parameter is given twice.
    pub fn form(text: &[u8]) -> Result<Self, Refusal> {
        Self::of(url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())))
    }

    /// From a JSON object of texts.
    ///
    /// # Errors
    /// It is none.
    pub fn json(text: &[u8]) -> Result<Self, Refusal> {
        let Ok(Value::Object(object)) = serde_json::from_slice(text) else {
            return Err(Refusal::request("the body is no JSON object"));
        };
        let mut pairs = Vec::with_capacity(object.len());
        for (name, value) in object {
            match value {
                Value::String(text) => pairs.push((name, text)),
                Value::Null => {}
                _ => return Err(Refusal::request(format!("`{}` is no text", shown(&name)))),
            }
        }
        Self::of(pairs)
    }

    fn of(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self, Refusal> {
        let mut list: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs {
            if name != REPEATABLE && list.iter().any(|(known, _)| *known == name) {
                return Err(Refusal::request(format!("`{}` is given more than once", shown(&name))));
            }
            list.push((name, value));
        }
        Ok(Self(list))
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of a parameter.
    pub fn all<'a, 'b>(&'a self, name: &'b str) -> impl Iterator<Item = &'a str> + use<'a, 'b> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| &**value)
    }

    pub(crate) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::request(format!("`{name}` is missing")))
    }
}

/// A text of a stranger for a message: short, and without what a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(100).collect()
}
