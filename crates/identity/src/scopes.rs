//! What a caller may do.

use std::fmt;
use std::sync::Arc;

/// The scope that stands for every other one.
pub const ADMIN: &str = "admin";
/// Longest list of scopes, bytes.
pub const SCOPES_BYTES_MAX: usize = 1_024;

/// A set of scopes, in the order in which they were given. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Scopes(Arc<[Box<str>]>);

impl Scopes {
    /// These scopes; repeated ones count once.
    pub fn of<S: AsRef<str>>(scopes: impl IntoIterator<Item = S>) -> Self {
        let mut list: Vec<Box<str>> = Vec::new();
        for scope in scopes {
            if !list.iter().any(|known| **known == *scope.as_ref()) {
                list.push(scope.as_ref().into());
            }
        }
        Self(list.into())
    }

    /// Reads a list that is separated by spaces (RFC 6749, section 3.3); `None` when a character is not allowed in one, or
    /// the list is longer than [`SCOPES_BYTES_MAX`].
    pub fn parse(text: &str) -> Option<Self> {
        let good = |byte: u8| matches!(byte, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        (text.len() <= SCOPES_BYTES_MAX && text.bytes().all(good))
            .then(|| Self::of(text.split(' ').filter(|scope| !scope.is_empty())))
    }

    /// Whether this scope is among them, or [`ADMIN`] is.
    pub fn allow(&self, scope: &str) -> bool {
        self.0.iter().any(|known| **known == *scope || **known == *ADMIN)
    }

    /// Whether all of these are within.
    pub fn cover(&self, others: &Self) -> bool {
        others.0.iter().all(|scope| self.allow(scope))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| &**scope)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::Scopes;

    #[test]
    fn lists_are_sets_and_admin_covers_everything() {
        let scopes = Scopes::parse("servers:read  logs:read servers:read").unwrap();
        assert_eq!(scopes.to_string(), "servers:read logs:read");
        assert!(scopes.allow("logs:read") && !scopes.allow("logs") && !scopes.allow("admin"));
        assert!(scopes.cover(&Scopes::of(["logs:read"])) && !scopes.cover(&Scopes::of(["logs:read", "x"])));
        assert!(Scopes::of(["admin"]).cover(&scopes));
        assert!(Scopes::default().cover(&Scopes::default()));
        for bad in ["a\"b", "a\\b", "a\nb", "é", &"x".repeat(2_000)] {
            assert_eq!(Scopes::parse(bad), None, "{bad}");
        }
    }
}
