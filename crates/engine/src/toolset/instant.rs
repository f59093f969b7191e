//! Points in time for MySQL, whose placeholders have no type and whose times have no zone: it refuses the `Z` of RFC 3339.
//! The connections' time zone is UTC, so the same instant is written in UTC without one.

use chrono::{DateTime, SecondsFormat};
use serde_json::Value;
use spec::model::Parameter;

use super::Slot;

/// Whether a slot takes values that the spec declares as `format: date-time`.
pub(super) fn is_one(slot: &Slot, parameters: &[Parameter], batch: Option<&Parameter>) -> bool {
    let schema = match slot {
        Slot::Argument(name) => {
            parameters.iter().find(|one| *one.name == **name).map(|one| Value::Object(one.schema.0.clone()))
        }
        Slot::Field(name, _) => {
            batch.and_then(|one| one.schema.0.get("items")?.get("properties")?.get(&**name)).cloned()
        }
        Slot::Item => batch.and_then(|one| one.schema.0.get("items")).cloned(),
        Slot::PageLimit | Slot::PageOffset | Slot::PageKey(_) => None,
    };
    schema.and_then(|schema| Some(schema.get("format")? == "date-time")).unwrap_or(false)
}

/// Writes a time of RFC 3339 as MySQL does; other values stay.
pub(crate) fn in_utc(value: &mut Value) {
    let Value::String(text) = value else { return };
    let Ok(time) = DateTime::parse_from_rfc3339(text) else { return };
    let mut utc = time.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
    utc.truncate(utc.trim_end_matches('Z').len());
    *text = utc.replace('T', " ");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::in_utc;

    #[test]
    fn instants_are_in_utc_without_a_zone() {
        for (given, wanted) in [
            ("2026-01-31T12:00:00Z", "2026-01-31 12:00:00"),
            ("2026-01-31t12:00:00.25+05:30", "2026-01-31 06:30:00.250"),
            ("2026-12-31T23:30:00.123456-01:00", "2027-01-01 00:30:00.123456"),
            ("2026-01-31", "2026-01-31"),
            ("soon", "soon"),
        ] {
            let mut value = Value::from(given);
            in_utc(&mut value);
            assert_eq!(value, wanted, "{given}");
        }
        let mut value = json!(5);
        in_utc(&mut value);
        assert_eq!(value, json!(5));
    }
}
