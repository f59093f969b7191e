//! What must be true of a server before it is changed.

use crate::{Code, Error};

/// What must be true of a server before it is changed (RFC 9110, section 13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// It exists.
    Exists,
    /// It does not exist.
    Absent,
    /// Its tag is one of these.
    Is(Vec<String>),
    /// Its tag is none of these.
    IsNot(Vec<String>),
}

impl Precondition {
    /// Whether it is true of the tag that a server has now.
    pub(crate) fn check(&self, name: &str, tag: Option<&str>) -> Result<(), Error> {
        let among = |tags: &[String]| tag.is_some_and(|tag| tags.iter().any(|known| known == tag));
        let (holds, wanted) = match self {
            Self::Exists => (tag.is_some(), "it does not exist"),
            Self::Absent => (tag.is_none(), "it exists already"),
            Self::Is(tags) => (among(tags), "it is not what the precondition names"),
            Self::IsNot(tags) => (!among(tags), "it is what the precondition excludes"),
        };
        if holds {
            return Ok(());
        }
        Err(Error::new(Code::Precondition, format!("server `{name}` was not changed: {wanted}"))
            .hint("read it again, look at what changed, and send its new tag"))
    }
}

/// The refusal of a precondition that nothing can be compared with.
pub(crate) fn beside_the_point(operation: &str) -> Error {
    let what = format!("`{operation}` was not done: a precondition speaks of the tag of a server, and it changes none");
    Error::new(Code::Precondition, what).hint("send it without `If-Match` and `If-None-Match`")
}

#[cfg(test)]
mod tests {
    use super::Precondition;

    #[test]
    fn tags_decide() {
        let is = |tags: &[&str]| Precondition::Is(tags.iter().map(ToString::to_string).collect());
        let is_not = |tags: &[&str]| Precondition::IsNot(tags.iter().map(ToString::to_string).collect());
        let cases = [
            (Precondition::Exists, Some("a"), true),
            (Precondition::Exists, None, false),
            (Precondition::Absent, Some("a"), false),
            (Precondition::Absent, None, true),
            (is(&["a", "b"]), Some("b"), true),
            (is(&["a"]), Some("b"), false),
            (is(&["a"]), None, false),
            (is_not(&["a"]), Some("a"), false),
            (is_not(&["a"]), None, true),
        ];
        for (precondition, tag, holds) in cases {
            assert_eq!(precondition.check("x", tag).is_ok(), holds, "{precondition:?} {tag:?}");
        }
    }
}
