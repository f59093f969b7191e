//! Values on their way out of a row.

use super::Fault;

/// A row of an answer.
pub(crate) enum Row<'a> {
    /// Of SQLite.
    Sqlite(&'a rusqlite::Row<'a>),
    /// Of PostgreSQL.
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    /// The value of a column, counted from 0.
    pub(crate) fn get<T: Cell>(&self, column: usize) -> Result<T, Fault> {
        match self {
            Self::Sqlite(row) => T::sqlite(row, column),
            Self::Postgres(row) => T::postgres(row, column),
        }
    }

    /// A count. What is no count is 0.
    pub(crate) fn count(&self, column: usize) -> Result<usize, Fault> {
        Ok(usize::try_from(self.get::<i64>(column)?).unwrap_or_default())
    }
}

/// What a column can be read as.
pub(crate) trait Cell: Sized {
    fn sqlite(row: &rusqlite::Row<'_>, column: usize) -> Result<Self, Fault>;
    fn postgres(row: &tokio_postgres::Row, column: usize) -> Result<Self, Fault>;
}

macro_rules! cells {
    ($($cell:ty),*) => {$(
        impl Cell for $cell {
            fn sqlite(row: &rusqlite::Row<'_>, column: usize) -> Result<Self, Fault> {
                Ok(row.get(column)?)
            }
            fn postgres(row: &tokio_postgres::Row, column: usize) -> Result<Self, Fault> {
                Ok(row.try_get(column)?)
            }
        }
    )*};
}

cells!(i64, f64, String, Vec<u8>, Option<i64>, Option<f64>, Option<String>, Option<Vec<u8>>);

/// Stored as 0 or 1; what a comparison gives is a truth value already in PostgreSQL.
impl Cell for bool {
    fn sqlite(row: &rusqlite::Row<'_>, column: usize) -> Result<Self, Fault> {
        Ok(row.get(column)?)
    }

    fn postgres(row: &tokio_postgres::Row, column: usize) -> Result<Self, Fault> {
        let is_truth = row.columns().get(column).is_some_and(|it| *it.type_() == tokio_postgres::types::Type::BOOL);
        Ok(if is_truth { row.try_get(column)? } else { row.try_get::<_, i64>(column)? != 0 })
    }
}

impl Cell for u32 {
    fn sqlite(row: &rusqlite::Row<'_>, column: usize) -> Result<Self, Fault> {
        Ok(row.get(column)?)
    }

    fn postgres(row: &tokio_postgres::Row, column: usize) -> Result<Self, Fault> {
        let number: i64 = row.try_get(column)?;
        Self::try_from(number).map_err(|_| Fault::Shape(format!("{number} is no count of 32 bits")))
    }
}
