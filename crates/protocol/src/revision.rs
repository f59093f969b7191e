//! The five published revisions of the protocol and what each of them knows.

use std::fmt;

/// A published protocol revision, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// The first: stdio and HTTP+SSE.
    V2024_11_05,
    /// Streamable HTTP, batches, annotations, audio.
    V2025_03_26,
    /// Structured output, titles, elicitation, resource links; no batches.
    V2025_06_18,
    /// Icons, URL elicitation, tool errors for bad arguments, SSE polling.
    V2025_11_25,
    /// Stateless: every request carries its own metadata.
    V2026_07_28,
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];
    /// The newest revision that is opened by `initialize`.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;
    /// The newest revision.
    pub const LATEST: Self = Self::V2026_07_28;
    /// What an HTTP request of a session-based client means when it names no revision (2025-06-18, transports).
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// The date that names it on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// Finds a revision by its date.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Position in [`Self::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// What `initialize` answers when the client asked for `requested`: the same if it is a session-based revision that
    /// we speak, else the newest session-based one.
    pub fn negotiate(requested: &str) -> Self {
        Self::parse(requested).filter(|revision| !revision.is_modern()).unwrap_or(Self::LATEST_LEGACY)
    }

    /// Stateless: metadata on every request, no `initialize`.
    pub const fn is_modern(self) -> bool {
        matches!(self, Self::V2026_07_28)
    }

    /// Arrays of messages are accepted. 2025-03-26 demands it; 2024-11-05 is plain JSON-RPC 2.0, which has batches.
    pub fn has_batches(self) -> bool {
        self <= Self::V2025_03_26
    }

    /// `annotations` on tools and audio content.
    pub fn has_annotations(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// `message` on progress notifications.
    pub fn has_progress_message(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// The `completions` capability is declared.
    pub fn has_completions_capability(self) -> bool {
        self >= Self::V2025_03_26
    }

    /// `title`, `outputSchema`, `structuredContent`, `resource_link`, `_meta` on definitions.
    pub fn has_structured(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// `structuredContent` and `outputSchema` may be any JSON, not only objects.
    pub fn has_any_structured(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Elicitation by form.
    pub fn has_elicitation(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Elicitation by URL, icons, `description` and `websiteUrl` of implementations.
    pub fn has_icons(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// SSE streams may begin with an empty event that carries an id, and be closed early for polling (SEP-1699).
    pub fn has_sse_polling(self) -> bool {
        self == Self::V2025_11_25
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn negotiation_echoes_session_revisions_and_falls_back_to_the_newest_of_them() {
        assert_eq!(Revision::negotiate("2024-11-05"), Revision::V2024_11_05);
        assert_eq!(Revision::negotiate("2025-06-18"), Revision::V2025_06_18);
        assert_eq!(Revision::negotiate("2026-07-28"), Revision::LATEST_LEGACY);
        assert_eq!(Revision::negotiate("1.0"), Revision::LATEST_LEGACY);
    }

    #[test]
    fn indexes_follow_the_order_of_publication() {
        for (index, revision) in Revision::ALL.into_iter().enumerate() {
            assert_eq!(revision.index(), index);
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
        assert_eq!(Revision::parse("2099-01-01"), None);
    }
}
