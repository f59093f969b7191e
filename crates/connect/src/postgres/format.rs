//! Dates and times as RFC 3339 text. Years that RFC 3339 has no room for, before 0000 (which is 1 BC) and after 9999, are
//! written in the expanded form of ISO 8601: a sign and six digits at least, `-000043-03-15` and `+010000-01-01`.

use std::fmt::Write as _;

use super::interval::clock;

const MICROS_PER_DAY: i64 = 86_400_000_000;

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

/// Days from 0000-03-01, where a cycle of 400 years begins behind its leap day, to 2000-01-01.
const CYCLES_TO_2000: i64 = 730_425;
const DAYS_PER_CYCLE: i64 = 146_097;

/// The day of the proleptic Gregorian calendar that is so many days after 2000-01-01.
fn day(days: i64, out: &mut String) {
    let days = days + CYCLES_TO_2000;
    let (cycle, rest) = (days.div_euclid(DAYS_PER_CYCLE), days.rem_euclid(DAYS_PER_CYCLE));
    // Years begin on the first of March, so that leap days are at their end.
    let year = (rest - rest / 1460 + rest / 36_524 - rest / 146_096) / 365;
    let of_year = rest - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year + cycle * 400 + later;
    let _ = match year {
        0..=9999 => write!(out, "{year:04}-{month:02}-{day:02}"),
        _ => write!(out, "{year:+07}-{month:02}-{day:02}"),
    };
}

/// The text that the server reads for a date or time whose year is zero, negative or signed; others it reads as they are.
pub(super) fn for_server(text: &str) -> Option<String> {
    let (sign, unsigned) = match text.strip_prefix(['-', '+']) {
        Some(rest) if text.starts_with('-') => (-1, rest),
        Some(rest) => (1, rest),
        None => (1, text),
    };
    let (digits, rest) = unsigned.split_once('-')?;
    let plain = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let year = digits.parse::<i64>().ok().filter(|_| plain)? * sign;
    match year {
        // There is no year 0 in the server's count: 1 BC comes before 1.
        ..=0 => Some(format!("{:04}-{rest} BC", 1 - year)),
        _ if unsigned.len() < text.len() => Some(format!("{year:04}-{rest}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    fn text(work: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        work(&mut out);
        out
    }

    #[test]
    fn times_are_rfc_3339() {
        assert_eq!(text(|out| super::date(0, out)), "2000-01-01");
        assert_eq!(text(|out| super::date(-1, out)), "1999-12-31");
        assert_eq!(text(|out| super::date(59, out)), "2000-02-29");
        assert_eq!(text(|out| super::date(i32::MAX, out)), "infinity");
        assert_eq!(text(|out| super::timestamp(1_500_000, "Z", out)), "2000-01-01T00:00:01.5Z");
        assert_eq!(text(|out| super::timestamp(-1, "", out)), "1999-12-31T23:59:59.999999");
        assert_eq!(text(|out| super::offset(-19_800, out)), "+05:30");
        // `SELECT date '2000-01-01' - 800000` is 0192-09-04 BC.
        assert_eq!(text(|out| super::date(-800_000, out)), "-000191-09-04");
        assert_eq!(text(|out| super::date(-730_119, out)), "0001-01-01");
        assert_eq!(text(|out| super::date(-730_120, out)), "0000-12-31");
        assert_eq!(text(|out| super::date(2_145_031_948, out)), "+5874897-12-31");
    }

    #[test]
    fn years_of_any_length_are_sent_as_the_server_reads_them() {
        for (text, wanted) in [
            ("-000043-03-15T10:11:12Z", Some("0044-03-15T10:11:12Z BC")),
            ("0000-12-31", Some("0001-12-31 BC")),
            ("+010000-01-01", Some("10000-01-01")),
            ("2024-01-02", None),
            ("-infinity", None),
            ("-1-2", None),
        ] {
            assert_eq!(super::for_server(text).as_deref(), wanted, "{text}");
        }
    }
}
