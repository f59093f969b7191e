//! What of a result is given: items up to a number, the fields that are kept, their names, and as much as the size allows.

mod cut;
mod fields;

use bytes::Bytes;
use serde_json::json;
use serde_json::value::RawValue;
use spec::model::Shape;

use crate::errors;
use crate::limits::SHAPED_BYTES_MAX;
use crate::outcome::{Content, Failure, Outcome};
use crate::schema::Schema;
use crate::shape;
use crate::toolset::{Tool, Toolset};
use cut::List;
use fields::Fields;

type Attempt<T> = Result<T, Box<Failure>>;

/// The shape of a tool's results, compiled.
#[derive(Debug)]
pub(crate) struct Trim {
    limit: usize,
    fields: Option<Fields>,
    truncate: bool,
    /// What the shaped result conforms to; the action's own result has no schema then.
    pub(crate) output: Option<Schema>,
    /// Largest result of the action itself, bytes.
    pub(crate) raw_bytes: usize,
}

/// Gives the cursor behind this many items, of which this is the last one.
pub(crate) type Pager<'a> = &'a dyn Fn(usize, &RawValue) -> Option<String>;

impl Trim {
    pub(crate) fn compile(shape: &Shape, output: Option<Schema>, result_bytes: u64) -> Self {
        let result_bytes = usize::try_from(result_bytes).unwrap_or(usize::MAX);
        Self {
            limit: shape.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)),
            fields: Fields::compile(shape),
            truncate: shape.truncate,
            output,
            raw_bytes: result_bytes.max(SHAPED_BYTES_MAX),
        }
    }

    /// Gives a result its shape.
    ///
    /// # Errors
    /// It is larger than the server gives and cannot be cut, two fields come to have one name, or what is left does not
    /// conform to the output schema.
    pub(crate) fn apply(
        &self,
        set: &Toolset,
        tool: &Tool,
        mut outcome: Outcome,
        pager: Option<Pager<'_>>,
    ) -> Attempt<Outcome> {
        let most = set.result_bytes();
        if let Some(json) = outcome.structured.take() {
            let (json, cut) = self.json(tool, &json, most, pager)?;
            if let Some(cut) = cut {
                tell(&mut outcome, &cut);
            }
            shape::conforms_to(tool, self.output.as_ref(), &json)?;
            outcome.structured = Some(json);
        }
        let mut texts = Vec::new();
        for content in &mut outcome.content {
            match content {
                Content::Text(text) if self.truncate && text.len() > most => {
                    let whole = text.len();
                    text.truncate(text.floor_char_boundary(most));
                    texts.push((text.len(), whole));
                }
                other if other.size() > most => return Err(errors::too_many_bytes(tool, other.size(), most)),
                _ => {}
            }
        }
        for (shown, whole) in texts {
            tell(&mut outcome, &Cut { shown, left: Some(whole - shown), what: "bytes", goes_on: false });
        }
        Ok(outcome)
    }

    fn json(&self, tool: &Tool, json: &Bytes, most: usize, pager: Option<Pager<'_>>) -> Attempt<(Bytes, Option<Cut>)> {
        let unreadable = |error: serde_json::Error| errors::unusable(tool, &format!("it is no JSON ({error})"));
        let raw: &RawValue = serde_json::from_slice(json).map_err(unreadable)?;
        let reshape = |value: &RawValue, out: &mut Vec<u8>| match &self.fields {
            None => {
                out.extend_from_slice(value.get().as_bytes());
                Ok(())
            }
            Some(fields) => fields.write(value, out).map_err(|why| errors::output(tool, "", &why)),
        };
        if let Some(list) = List::of(raw) {
            return self.list(tool, &list, most, pager, reshape);
        }
        let mut out = Vec::with_capacity(json.len().min(most));
        reshape(raw, &mut out)?;
        if out.len() <= most {
            return Ok((out.into(), None));
        }
        match serde_json::from_slice::<String>(&out) {
            // The quotation marks and escapes are not what a reader counts.
            Ok(text) if self.truncate => {
                let shown = text.floor_char_boundary(most.min(text.len()));
                let cut = Cut { shown, left: Some(text.len() - shown), what: "bytes", goes_on: false };
                Ok((Bytes::from(json!(text[..shown]).to_string()), Some(cut)))
            }
            _ => Err(errors::too_many_bytes(tool, out.len(), most)),
        }
    }

    fn list(
        &self,
        tool: &Tool,
        list: &List<'_>,
        most: usize,
        pager: Option<Pager<'_>>,
        reshape: impl Fn(&RawValue, &mut Vec<u8>) -> Attempt<()>,
    ) -> Attempt<(Bytes, Option<Cut>)> {
        let wanted = list.items.len().min(self.limit);
        // What closes the list, and the longest cursor of our own.
        let room = most.saturating_sub(list.around());
        let mut out = Vec::with_capacity(most.min(4096));
        list.open(&mut out);
        let mut shown = 0;
        for item in &list.items[..wanted] {
            let before = out.len();
            if shown > 0 {
                out.push(b',');
            }
            reshape(item, &mut out)?;
            if out.len() > room {
                if !self.truncate || shown == 0 {
                    return Err(errors::too_many_bytes(tool, out.len(), most));
                }
                out.truncate(before);
                break;
            }
            shown += 1;
        }
        let left = list.items.len() - shown;
        let cursor = match (left, pager, shown.checked_sub(1).map(|last| list.items[last])) {
            (1.., Some(pager), Some(last)) => pager(shown, last),
            _ => None,
        };
        let cut = (left > 0).then(|| Cut {
            shown,
            left: (!list.goes_on()).then_some(left),
            what: "items",
            goes_on: cursor.is_some(),
        });
        list.close(cursor.as_deref(), &mut out);
        Ok((out.into(), cut))
    }
}

/// What was left out.
struct Cut {
    shown: usize,
    /// `None`: more than is known.
    left: Option<usize>,
    what: &'static str,
    goes_on: bool,
}

/// Tells that there is more, to people and to programs.
fn tell(outcome: &mut Outcome, cut: &Cut) {
    let Cut { shown, left, what, goes_on } = cut;
    let of = left.map(|left| format!(" of {}", shown + left)).unwrap_or_default();
    let more = if left.is_none() { "; there are more" } else { "" };
    let next = match (*what, goes_on) {
        ("bytes", _) => "Ask for less to see the rest.",
        (_, true) => "Call again with `nextCursor` as `cursor` to go on.",
        (_, false) => "Narrow the arguments to see those you need.",
    };
    // What the action itself told of its own bound is said by this too.
    outcome.content.retain(|content| !matches!(content, Content::Text(text) if text.starts_with("Only the first ")));
    outcome.content.push(Content::Text(format!("Only the first {shown}{of} {what} are shown{more}. {next}")));
    let mut told = json!({ "truncated": true, *what: shown });
    if let Some(left) = left {
        told["left"] = (*left).into();
    }
    outcome.meta = Some(Bytes::from(json!({ "mcp-factory/truncated": told }).to_string()));
    if *what == "items" {
        outcome.rows = *shown;
    }
}
