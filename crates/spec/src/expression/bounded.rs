//! Filters that make much of little: how large their result is, is reckoned before it is made. Fuel counts steps, and each of
//! these is one.

use minijinja::value::{Kwargs, StringInput};
use minijinja::{Error, ErrorKind, State, Value, filters};

use crate::limits::TEMPLATE_OUTPUT_BYTES_MAX;

pub(super) fn join(
    state: &mut State<'_, '_>,
    value: &Value,
    joiner: Option<StringInput<'_>>,
    attribute: Option<&str>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let named = kwargs.get::<Option<StringInput<'_>>>("d")?;
    let width = joiner.as_ref().or(named.as_ref()).map_or(0, |joiner| joiner.as_str().len());
    within(value.len().unwrap_or_default(), width, 0)?;
    drop(named);
    filters::join(state, value, joiner, attribute, kwargs)
}

pub(super) fn replace(
    state: &mut State<'_, '_>,
    value: StringInput<'_>,
    from: StringInput<'_>,
    to: StringInput<'_>,
) -> Result<Value, Error> {
    within(value.as_str().matches(from.as_str()).count(), to.as_str().len(), value.as_str().len())?;
    filters::replace(state, value, from, to)
}

pub(super) fn indent(
    value: StringInput<'_>,
    width: Option<usize>,
    first: Option<bool>,
    blank: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let named = kwargs.get::<Option<usize>>("width")?;
    within(value.as_str().split('\n').count(), width.or(named).unwrap_or_default(), value.as_str().len())?;
    filters::indent(value, width, first, blank, kwargs)
}

/// Refuses so many pieces of a size, besides what is there.
fn within(pieces: usize, size: usize, besides: usize) -> Result<(), Error> {
    if pieces.saturating_mul(size).saturating_add(besides) > TEMPLATE_OUTPUT_BYTES_MAX {
        let what = format!("it makes a text of more than {TEMPLATE_OUTPUT_BYTES_MAX} bytes");
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Scope, Template};

    #[test]
    fn what_callers_give_cannot_be_made_endlessly_large() {
        let items: Vec<u8> = vec![1; 100_000];
        let args =
            json!({ "items": items, "text": "a".repeat(100_000), "long": "b".repeat(100_000), "n": 1_000_000_000 });
        let scope = Scope::new().with("args", &args);
        for text in [
            "{{ args.items | join(args.long) }}",
            "{{ args.items | join(d=args.long) }}",
            "{{ args.text | join(args.long) }}",
            "{{ args.text | replace('a', args.long) }}",
            "{{ args.text | replace('', args.long) }}",
            "{{ args.text | indent(args.n, true) }}",
            "{{ args.text | indent(width=args.n) }}",
        ] {
            let fault = Template::parse(text).unwrap().value(&scope).unwrap_err();
            assert!(fault.message.contains("more than 16777216 bytes"), "{text}: {fault}");
        }
        for (text, wanted) in [
            ("{{ [1, 2] | join(', ') }}", "1, 2"),
            ("{{ [{'a': 1}, {'a': 2}] | join(d='-', attribute='a') }}", "1-2"),
            ("{{ 'aba' | replace('a', 'cc') }}", "ccbcc"),
            ("{{ 'a\\nb' | indent(2) }}", "a\n  b"),
            ("{{ 'a\\nb' | indent(width=1, first=true) }}", " a\n b"),
        ] {
            assert_eq!(Template::parse(text).unwrap().text(&scope).unwrap().unwrap(), wanted, "{text}");
        }
    }
}
