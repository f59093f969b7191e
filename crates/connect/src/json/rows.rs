//! Rows written as JSON objects, within limits.

use std::ops::Range;

use serde_json::Value;

use super::{Cell, write};
use crate::{Error, ErrorKind, Query, Target};

/// What a request wants of its rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    /// Columns whose last values are kept.
    pub(crate) keep: &'a [String],
    /// One object, not an array.
    pub(crate) single: bool,
    /// Most rows.
    pub(crate) row_limit: usize,
    /// Most bytes.
    pub(crate) byte_limit: usize,
}

impl<'a> Shape<'a> {
    /// What a query wants.
    pub(crate) fn of(query: &'a Query<'_>) -> Self {
        Self { keep: query.keep, single: query.single, row_limit: query.row_limit, byte_limit: query.byte_limit }
    }
}

/// The columns of a statement, made once for all its rows.
#[derive(Debug, Default)]
pub(crate) struct Columns(Vec<Column>);

#[derive(Debug)]
struct Column {
    name: String,
    /// `"name":`.
    key: Vec<u8>,
}

impl Columns {
    /// Columns of these names.
    pub(crate) fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let column = |name: &str| {
            let mut key = Vec::with_capacity(name.len() + 3);
            super::string(&mut key, name);
            key.push(b':');
            Column { name: name.to_owned(), key }
        };
        Self(names.into_iter().map(column).collect())
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a column; nothing for one that there is not.
    pub(crate) fn name(&self, column: usize) -> &str {
        self.0.get(column).map(|column| column.name.as_str()).unwrap_or_default()
    }
}

/// Appends rows to a buffer as JSON. Dropped before [`RowWriter::finish`], it leaves the buffer as
/// it was.
#[derive(Debug)]
pub(crate) struct RowWriter<'o> {
    out: &'o mut Vec<u8>,
    start: usize,
    columns: &'o Columns,
    targets: &'o [Target],
    /// For each kept name its column.
    kept: Vec<Option<usize>>,
    /// Where the last row's values are in the buffer.
    places: Vec<Range<usize>>,
    single: bool,
    row_limit: usize,
    byte_limit: usize,
    rows: usize,
    finished: bool,
}

impl<'o> RowWriter<'o> {
    /// Begins the array. `targets` may be shorter than the columns.
    pub(crate) fn new(out: &'o mut Vec<u8>, columns: &'o Columns, targets: &'o [Target], shape: Shape<'_>) -> Self {
        let start = out.len();
        if !shape.single {
            out.push(b'[');
        }
        let place = |name: &String| columns.0.iter().position(|column| column.name == *name);
        Self {
            start,
            targets,
            kept: shape.keep.iter().map(place).collect(),
            places: Vec::with_capacity(columns.0.len()),
            single: shape.single,
            row_limit: if shape.single { 1 } else { shape.row_limit },
            byte_limit: shape.byte_limit,
            rows: 0,
            finished: false,
            columns,
            out,
        }
    }

    /// Whether no further row is wanted. Another row that exists means that the answer is truncated.
    pub(crate) fn is_full(&self) -> bool {
        self.rows >= self.row_limit
    }

    /// The target of a column.
    pub(crate) fn target(&self, column: usize) -> Target {
        self.targets.get(column).copied().unwrap_or_default()
    }

    /// Begins a row; its cells follow in column order.
    pub(crate) fn begin(&mut self) {
        if self.rows > 0 {
            self.out.push(b',');
        }
        self.out.push(b'{');
        self.places.clear();
    }

    /// Writes the next cell of the row.
    pub(crate) fn cell(&mut self, cell: Cell<'_>) -> Result<(), CellError> {
        let column = self.places.len();
        if column > 0 {
            self.out.push(b',');
        }
        if let Some(Column { key, .. }) = self.columns.0.get(column) {
            self.out.extend_from_slice(key);
        }
        let start = self.out.len();
        let target = self.target(column);
        if write(self.out, cell, target).is_err() {
            return Err(self.misfit(cell));
        }
        self.places.push(start..self.out.len());
        if self.out.len() - self.start > self.byte_limit {
            return Err(CellError::Bytes { limit: self.byte_limit, rows: self.rows });
        }
        Ok(())
    }

    /// The error for the next cell of the row, when it cannot be written.
    pub(crate) fn misfit(&self, cell: Cell<'_>) -> CellError {
        let column = self.places.len();
        CellError::Misfit {
            column: self.columns.name(column).to_owned(),
            row: self.rows,
            found: found(cell),
            target: self.target(column),
        }
    }

    /// Ends a row.
    pub(crate) fn end(&mut self) {
        self.out.push(b'}');
        self.rows += 1;
    }

    /// Ends the array. Gives the number of rows and the kept values of the last one.
    pub(crate) fn finish(mut self) -> (usize, Vec<Value>) {
        let value = |column: &Option<usize>| {
            let place = self.places.get((*column)?)?.clone();
            serde_json::from_slice(self.out.get(place)?).ok()
        };
        let last = if self.rows == 0 {
            Vec::new()
        } else {
            self.kept.iter().map(|column| value(column).unwrap_or(Value::Null)).collect()
        };
        if !self.single {
            self.out.push(b']');
        } else if self.rows == 0 {
            self.out.extend_from_slice(b"null");
        }
        self.finished = true;
        (self.rows, last)
    }
}

impl Drop for RowWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// A cell that could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CellError {
    /// It has no form for its target.
    Misfit {
        /// Name of the column.
        column: String,
        /// Row from 0.
        row: usize,
        /// What it is.
        found: &'static str,
        /// What it should be written as.
        target: Target,
    },
    /// The answer is too long.
    Bytes {
        /// Most bytes.
        limit: usize,
        /// Complete rows so far.
        rows: usize,
    },
}

impl CellError {
    /// The error for the caller.
    pub(crate) fn into_error(self, connection: &str) -> Error {
        let (kind, message, hint) = match self {
            Self::Misfit { column, row, found, target } => (
                ErrorKind::Value,
                format!(
                    "column `{column}` of row {} holds {found}, which cannot be written as {}",
                    row + 1,
                    word(target)
                ),
                format!("convert it in the SQL, or declare another type for `{column}` in `returns`"),
            ),
            Self::Bytes { limit, rows } => (
                ErrorKind::Limit,
                format!("the answer is longer than {limit} bytes (after {rows} rows)"),
                "ask for fewer rows or columns, or raise `resultBytes`".to_owned(),
            ),
        };
        Error {
            kind,
            connection: connection.to_owned(),
            attempted: "query",
            message,
            code: None,
            position: None,
            hint: Some(hint),
        }
    }
}

fn word(target: Target) -> &'static str {
    match target {
        Target::Auto => "JSON",
        Target::String => "a string",
        Target::Number => "a number",
        Target::Integer => "an integer",
        Target::Boolean => "a boolean",
        Target::Json => "JSON (it is not valid JSON)",
    }
}

fn found(cell: Cell<'_>) -> &'static str {
    match cell {
        Cell::Null => "NULL",
        Cell::Bool(_) => "a truth value",
        Cell::Int(_) | Cell::Uint(_) => "an integer",
        Cell::Float(_) | Cell::Single(_) => "a floating point number",
        Cell::Decimal(_) => "a decimal",
        Cell::Text(_) => "a text",
        Cell::Json(_) => "a JSON value",
        Cell::Bytes(_) => "bytes",
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, CellError, Columns, RowWriter, Shape};
    use crate::Target;

    const SHAPE: Shape<'static> = Shape { keep: &[], single: false, row_limit: 2, byte_limit: 100 };

    #[test]
    fn rows_are_objects_in_an_array_and_the_last_values_are_kept() {
        let keep = ["b".to_owned(), "missing".to_owned()];
        let columns = Columns::new(["a", "b"]);
        let mut out = b"x".to_vec();
        let mut rows = RowWriter::new(&mut out, &columns, &[Target::String], Shape { keep: &keep, ..SHAPE });
        for number in 1..=2 {
            assert!(!rows.is_full());
            rows.begin();
            rows.cell(Cell::Int(number)).unwrap();
            rows.cell(Cell::Int(number * 10)).unwrap();
            rows.end();
        }
        assert!(rows.is_full());
        assert_eq!(rows.finish(), (2, vec![20.into(), serde_json::Value::Null]));
        assert_eq!(out, br#"x[{"a":"1","b":10},{"a":"2","b":20}]"#);
    }

    #[test]
    fn a_single_row_is_an_object_or_null() {
        let (mut out, columns) = (Vec::new(), Columns::new(["a"]));
        let rows = RowWriter::new(&mut out, &columns, &[], Shape { single: true, ..SHAPE });
        assert_eq!(rows.finish(), (0, vec![]));
        assert_eq!(out, b"null");
    }

    #[test]
    fn errors_leave_the_buffer_as_it_was() {
        let (mut out, columns) = (b"x".to_vec(), Columns::new(["a"]));
        let mut rows = RowWriter::new(&mut out, &columns, &[Target::Integer], Shape { byte_limit: 20, ..SHAPE });
        rows.begin();
        assert!(matches!(rows.cell(Cell::Text("no")), Err(CellError::Misfit { column, .. }) if column == "a"));
        drop(rows);
        let mut rows = RowWriter::new(&mut out, &columns, &[], Shape { byte_limit: 20, ..SHAPE });
        rows.begin();
        assert_eq!(rows.cell(Cell::Text("0123456789012345678")), Err(CellError::Bytes { limit: 20, rows: 0 }));
        drop(rows);
        assert_eq!(out, b"x");
    }
}
