//! Names of time zones.

/// The names of the IANA time zone database, sorted, one a line.
const ZONES: &str = include_str!("zones.txt");

/// Whether a time zone has this name.
pub(super) fn is_known(name: &str) -> bool {
    ZONES.lines().any(|zone| zone == name)
}

/// The nearest name, or one with the same city.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let city = name.rsplit('/').next().unwrap_or(name).replace(' ', "_");
    let same_city =
        || ZONES.lines().find(|zone| zone.rsplit('/').next().is_some_and(|other| other.eq_ignore_ascii_case(&city)));
    base::nearest(name, ZONES.lines().filter(|zone| zone.contains('/'))).or_else(same_city)
}
