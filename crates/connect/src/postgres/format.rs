//! Dates and times as RFC 3339 text.

use std::fmt::Write as _;

use chrono::{Datelike, Days, NaiveDate};

use super::interval::clock;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// PostgreSQL counts from 2000-01-01.
fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default()
}

/// Appends a date given in days since 2000-01-01; the extremes stand for infinity.
pub(super) fn date(days: i32, out: &mut String) {
    match days {
        i32::MAX => out.push_str("infinity"),
        i32::MIN => out.push_str("-infinity"),
        _ => day(i64::from(days), out),
    }
}

/// Appends a point in time given in microseconds since 2000-01-01, with the offset `zone`.
pub(super) fn timestamp(micros: i64, zone: &str, out: &mut String) {
    match micros {
        i64::MAX => return out.push_str("infinity"),
        i64::MIN => return out.push_str("-infinity"),
        _ => {}
    }
    day(micros.div_euclid(MICROS_PER_DAY), out);
    out.push('T');
    clock(micros.rem_euclid(MICROS_PER_DAY).unsigned_abs(), out);
    out.push_str(zone);
}

/// Appends an offset given in seconds west of Greenwich, as `timetz` has it.
pub(super) fn offset(west: i32, out: &mut String) {
    let sign = if west > 0 { '-' } else { '+' };
    let seconds = west.unsigned_abs();
    let _ = write!(out, "{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if !seconds.is_multiple_of(60) {
        let _ = write!(out, ":{:02}", seconds % 60);
    }
}

fn day(days: i64, out: &mut String) {
    let count = Days::new(days.unsigned_abs());
    let date = if days < 0 { epoch().checked_sub_days(count) } else { epoch().checked_add_days(count) };
    match date {
        // Years before 1 and after 9999 have more digits and a sign (ISO 8601, expanded form).
        Some(date) if (0..=9999).contains(&date.year()) => {
            let _ = write!(out, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day());
        }
        Some(date) => {
            let _ = write!(out, "{:+07}-{:02}-{:02}", date.year(), date.month(), date.day());
        }
        None => out.push_str("out of range"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_are_rfc_3339() {
        let text = |work: &dyn Fn(&mut String)| {
            let mut out = String::new();
            work(&mut out);
            out
        };
        assert_eq!(text(&|out| super::date(0, out)), "2000-01-01");
        assert_eq!(text(&|out| super::date(-1, out)), "1999-12-31");
        assert_eq!(text(&|out| super::date(i32::MAX, out)), "infinity");
        assert_eq!(text(&|out| super::timestamp(1_500_000, "Z", out)), "2000-01-01T00:00:01.5Z");
        assert_eq!(text(&|out| super::timestamp(-1, "", out)), "1999-12-31T23:59:59.999999");
        assert_eq!(text(&|out| super::offset(-19_800, out)), "+05:30");
        assert_eq!(text(&|out| super::date(-800_000, out)), "-000191-08-31");
    }
}
