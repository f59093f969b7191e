//! Schedules: cron expressions of five fields, or six with seconds first, and `@daily`.

use std::collections::BTreeSet;

use base::Span;
use croner::parser::{CronParser, Seconds, Year};

use super::Check;
use crate::codes;
use crate::structure::clip;

/// A field: its name, least and most value, and the words for its values.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// The fields from the last one back: seconds may be absent.
const FIELDS: [Field; 6] = [
    Field { name: "weekday", least: 0, most: 7, words: &WEEKDAYS },
    Field { name: "month", least: 1, most: 12, words: &MONTHS },
    Field { name: "day", least: 1, most: 31, words: &[] },
    Field { name: "hour", least: 0, most: 23, words: &[] },
    Field { name: "minute", least: 0, most: 59, words: &[] },
    Field { name: "second", least: 0, most: 59, words: &[] },
];

pub(super) fn check(check: &mut Check<'_, '_>, schedule: &str, span: Span) {
    let Err(problem) = read(schedule) else { return };
    let help = "write five fields `minute hour day month weekday`, six with seconds first, or `@daily`";
    check.error(codes::CRON, span, problem, help);
}

fn read(schedule: &str) -> Result<(), String> {
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    let is_word = schedule.trim().starts_with('@');
    if !is_word && fields.len() != 5 && fields.len() != 6 {
        return Err(format!("the schedule `{}` has {} fields", clip(schedule), fields.len()));
    }
    let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
    if let Err(error) = parser.parse(schedule) {
        return Err(format!("`{}` is not a schedule: {}", clip(schedule), lower(&error.to_string())));
    }
    if is_word {
        return Ok(());
    }
    for (text, field) in fields.iter().rev().zip(&FIELDS) {
        field.check(text)?;
    }
    if is_possible(&fields) { Ok(()) } else { Err("the schedule names a day that its months do not have".to_owned()) }
}

impl Field {
    /// What the parser lets pass and people do not mean.
    fn check(&self, text: &str) -> Result<(), String> {
        for item in text.split(',') {
            if item.is_empty() {
                return Err(format!("the {} `{}` has an empty item", self.name, clip(text)));
            }
            if let Some(word) = self.foreign_word(item) {
                return Err(format!("`{}` is not a {}", clip(word), self.name));
            }
            let Some((_, step)) = item.split_once('/') else { continue };
            // `*/90` minutes would come once an hour, not every 90 minutes.
            if step.parse::<u32>().is_ok_and(|step| step > self.most - self.least + 1) {
                return Err(format!("the step `{}` is longer than the {}s there are", clip(item), self.name));
            }
        }
        Ok(())
    }

    /// A name that belongs to another field, such as `JAN` among the weekdays. `L` and `W` are no names.
    fn foreign_word<'a>(&self, item: &'a str) -> Option<&'a str> {
        let words = item.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2);
        words.into_iter().find(|word| {
            !self.words.iter().any(|known| {
                known.eq_ignore_ascii_case(word.trim_end_matches(['L', 'l'])) || known.eq_ignore_ascii_case(word)
            })
        })
    }

    /// The values that the field stands for; `None` when it has more than numbers, names, ranges and steps.
    fn values(&self, text: &str) -> Option<BTreeSet<u32>> {
        let mut values = BTreeSet::new();
        for item in text.split(',') {
            let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
            let step = step.map_or(Some(1), |step| step.parse().ok())?;
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None if range == "*" || range == "?" => (self.least, self.most),
                None if item.contains('/') => (self.value(range)?, self.most),
                None => (self.value(range)?, self.value(range)?),
            };
            values.extend((from..=to).step_by(usize::try_from(step).ok().filter(|step| *step > 0)?));
        }
        Some(values)
    }

    fn value(&self, text: &str) -> Option<u32> {
        let word = self.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        match word.and_then(|at| u32::try_from(at).ok()) {
            Some(at) => Some(at + self.least),
            None => text.parse().ok(),
        }
    }
}

/// Whether a month of the schedule has a day of it: `0 0 30 2 *` never comes. A weekday stands
/// beside the day of the month, not against it.
fn is_possible(fields: &[&str]) -> bool {
    let [.., day, month, weekday] = fields else { return true };
    let (Some(days), Some(months)) = (FIELDS[2].values(day), FIELDS[1].values(month)) else { return true };
    let longest = |month: u32| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    !matches!(*weekday, "*" | "?") || months.iter().any(|month| days.first().is_some_and(|day| *day <= longest(*month)))
}

fn lower(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn schedules_that_come_and_schedules_that_never_do() {
        for good in [
            "0 0 29 2 *",
            "0 0 31 1,2 *",
            "0 0 31 */2 *",
            "0 0 L * *",
            "0 0 31 2 1",
            "*/10 * * * * *",
            "0 9-17/2 * * MON-FRI",
            "@daily",
            "0 6 1 jan,jul *",
        ] {
            assert_eq!(read(good), Ok(()), "{good}");
        }
        for bad in [
            "0 0 31 2 *",
            "0 0 30,31 feb *",
            "0 0 31 4,6,9,11 *",
            "0 0 30-31 2 *",
            "1,,2 * * * *",
            "0 0, * * *",
            "*/90 * * * *",
            "0 0 0 * *",
            "0 0 * * JAN",
            "0 0 1 MON *",
            "@every 5m",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
