//! Columns of text, as wide as their widest cell.

use crate::printer::Style;

/// Characters that are left of a last column that has no room.
const LAST_MIN: usize = 12;

/// Rows under a head line. Two spaces stand between columns; the last column is not padded, and cut where a terminal ends.
pub(crate) fn table(style: Style, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let before: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    let room = style.width().map_or(usize::MAX, |width| width.saturating_sub(before).max(LAST_MIN));
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = style.bold(&line(&head, &widths));
    for row in rows {
        text.push('\n');
        match row.split_last() {
            Some((last, others)) if row.len() == widths.len() && last.chars().count() > room => {
                let cut = others.iter().cloned().chain([short(last, room)]).collect::<Vec<_>>();
                text.push_str(&line(&cut, &widths));
            }
            _ => text.push_str(&line(row, &widths)),
        }
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
    }
    text.truncate(text.trim_end().len());
    text
}

/// A number of things: `1 tool`, `2 tools`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A text on one line, cut to `width` characters.
pub(crate) fn short(text: &str, width: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= width {
        return flat;
    }
    let mut cut: String = flat.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::{short, table};
    use crate::printer::Printer;

    #[test]
    fn columns_line_up() {
        let global = <crate::arguments::Cli as clap::Parser>::parse_from(["mcp-factory", "--no-color", "list"]).global;
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(table(Printer::new(&global).style(), &["NAME", "N"], &rows), "NAME    N\na       1\nlonger");
        assert_eq!(short("SELECT  a\n FROM t", 10), "SELECT a …");
    }
}
