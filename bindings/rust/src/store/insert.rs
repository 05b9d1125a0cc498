//! Many rows in few statements: most of the cost of a small row is that of its statement.

use rusqlite::types::ToSql;
use rusqlite::Statement;
use ruv_swarm_core::error::Error;

use super::Store;

/// How many rows one statement inserts, largest first. Few sizes, so that few statements are kept.
const SIZES: [usize; 3] = [32, 4, 1];

/// An INSERT without its rows.
pub(super) struct Insert {
    /// Up to and with VALUES.
    pub head: &'static str,
    /// How many values a row has.
    pub columns: usize,
    /// What follows the rows.
    pub tail: &'static str,
}

impl Insert {
    fn sql(&self, rows: usize) -> String {
        let row = format!("(?{})", ",?".repeat(self.columns.saturating_sub(1)));
        let mut sql = String::with_capacity(self.head.len() + self.tail.len() + rows * (row.len() + 1));
        sql.push_str(self.head);
        for place in 0..rows {
            sql.push_str(if place == 0 { "" } else { "," });
            sql.push_str(&row);
        }
        sql.push_str(self.tail);
        sql
    }
}

/// Binds the values of rows, one after the other.
pub(super) struct Values<'a, 'c> {
    statement: &'a mut Statement<'c>,
    bound: usize,
}

impl Values<'_, '_> {
    /// Binds the next value.
    pub fn bind(&mut self, value: impl ToSql) -> rusqlite::Result<()> {
        self.bound += 1;
        self.statement.raw_bind_parameter(self.bound, value)
    }
}

impl Store {
    /// Inserts a row for each item, in order; `bind` gives the values of one.
    pub(super) fn insert_all<T>(
        &self,
        insert: &Insert,
        items: &[T],
        bind: impl Fn(&mut Values<'_, '_>, &T) -> rusqlite::Result<()>,
    ) -> Result<(), Error> {
        let mut rest = items;
        for size in SIZES {
            let sql = if rest.len() >= size { insert.sql(size) } else { continue };
            while let Some((rows, more)) = rest.split_at_checked(size) {
                self.insert_rows(&sql, rows, &bind).map_err(|e| self.error(&e))?;
                rest = more;
            }
        }
        Ok(())
    }

    fn insert_rows<T>(
        &self,
        sql: &str,
        rows: &[T],
        bind: &impl Fn(&mut Values<'_, '_>, &T) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.cached(sql)?;
        let mut values = Values { statement: &mut statement, bound: 0 };
        for row in rows {
            bind(&mut values, row)?;
        }
        statement.raw_execute().map(|_| ())
    }
}
