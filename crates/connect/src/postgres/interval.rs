//! `interval` as PostgreSQL itself writes it (`IntervalStyle = postgres`).

use std::fmt::Write as _;

/// Appends the text of an interval of microseconds, days and months.
pub(super) fn text(micros: i64, days: i32, months: i32, out: &mut String) {
    let (years, months) = (months / 12, months % 12);
    let mut parts = false;
    // After a negative part PostgreSQL writes the sign of a positive one.
    let mut signed = false;
    for (count, one) in [(years, "year"), (months, "mon"), (days, "day")] {
        if count == 0 {
            continue;
        }
        let plus = if signed && count > 0 { "+" } else { "" };
        let s = if count == 1 { "" } else { "s" };
        let space = if parts { " " } else { "" };
        let _ = write!(out, "{space}{plus}{count} {one}{s}");
        parts = true;
        signed = count < 0;
    }
    if micros == 0 && parts {
        return;
    }
    if parts {
        out.push(' ');
    }
    let sign = match micros {
        ..0 => "-",
        _ if signed => "+",
        _ => "",
    };
    out.push_str(sign);
    clock(micros.unsigned_abs(), out);
}

/// Appends `HH:MM:SS` with as many decimal places as are needed.
pub(super) fn clock(micros: u64, out: &mut String) {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let _ = write!(out, "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        let digits = format!("{fraction:06}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn intervals_look_as_the_server_writes_them() {
        for (micros, days, months, wanted) in [
            (0, 0, 0, "00:00:00"),
            (0, 1, 0, "1 day"),
            (0, 3, 14, "1 year 2 mons 3 days"),
            (3_723_500_000, 0, 0, "01:02:03.5"),
            (-1_000_000, 0, 0, "-00:00:01"),
            (3_600_000_000, -1, 0, "-1 days +01:00:00"),
            (0, 3, -1, "-1 mons +3 days"),
            (360_000_000_000, 0, 0, "100:00:00"),
        ] {
            let mut out = String::new();
            super::text(micros, days, months, &mut out);
            assert_eq!(out, wanted);
        }
    }
}
