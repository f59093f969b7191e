//! The list in a result: the result itself, or the items of a page.

use serde_json::value::RawValue;

use super::fields::entries;

/// Longest cursor that is written in place of the action's, with its key, bytes.
const CURSOR_BYTES: usize = 1024;

/// A list, and what stands around it.
pub(super) struct List<'a> {
    pub(super) items: Vec<&'a RawValue>,
    /// The other members of a page; `None` when the list is the whole result.
    page: Option<Vec<(String, &'a RawValue)>>,
}

impl<'a> List<'a> {
    /// The list of a result. An object is a page when it has `items` and, at most, a cursor.
    pub(super) fn of(raw: &'a RawValue) -> Option<Self> {
        if raw.get().starts_with('[') {
            return Some(Self { items: serde_json::from_str(raw.get()).ok()?, page: None });
        }
        let members = entries(raw)?;
        let is_page = members.iter().all(|(key, _)| matches!(key.as_str(), "items" | "nextCursor" | "cursor"));
        let (_, items) = members.iter().find(|(key, _)| key == "items").filter(|_| is_page)?;
        let items = serde_json::from_str(items.get()).ok()?;
        Some(Self { items, page: Some(members.into_iter().filter(|(key, _)| key != "items").collect()) })
    }

    /// Whether the action itself has more than these items.
    pub(super) fn goes_on(&self) -> bool {
        self.page.as_ref().is_some_and(|members| members.iter().any(|(_, value)| value.get() != "null"))
    }

    /// Bytes that the closing may need.
    pub(super) fn around(&self) -> usize {
        1 + self.page.as_ref().map_or(0, |members| {
            1 + CURSOR_BYTES.max(members.iter().map(|(key, value)| key.len() + value.get().len() + 4).sum())
        })
    }

    pub(super) fn open(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.page.is_some() { b"{\"items\":[" } else { b"[" });
    }

    /// Ends the list; a cursor takes the place of the action's.
    pub(super) fn close(&self, cursor: Option<&str>, out: &mut Vec<u8>) {
        out.push(b']');
        let Some(members) = &self.page else { return };
        match cursor {
            // base64url needs no escapes.
            Some(cursor) => out.extend_from_slice(format!(",\"nextCursor\":\"{cursor}\"").as_bytes()),
            None => {
                for (key, value) in members {
                    out.extend_from_slice(format!(",\"{key}\":{}", value.get()).as_bytes());
                }
            }
        }
        out.push(b'}');
    }
}
