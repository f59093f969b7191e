//! How people sign in.

/// How somebody signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By name and password.
    Password,
    /// By a link that makes the first account or sets a password.
    Link,
    /// At a provider of OpenID Connect.
    OpenId,
}

impl Way {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::OpenId => "openid",
        }
    }
}
