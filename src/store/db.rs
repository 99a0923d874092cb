//! A connection with its prepared statements; every statement passes through [`sql!`].

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Params, Row};

use crate::error::Result;
use crate::model::{AccountId, DraftId, Flags, FolderId, MessageId, OpId, PlacementId, ThreadId};

/// One statement of the program. Made by [`sql!`] only, so that the test of plans finds each in the source.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sql(pub(super) &'static str);

/// Names a statement: the test `plans` collects the literals from the source and EXPLAINs each.
macro_rules! sql {
    ($text:literal) => {
        $crate::store::db::Sql($text)
    };
}
pub(super) use sql;

/// One connection. Statements are prepared once and kept.
pub(super) struct Db(Connection);

impl Db {
    pub(super) fn new(conn: Connection) -> Self {
        conn.set_prepared_statement_cache_capacity(256);
        Self(conn)
    }

    /// The bare connection: for pragmas, migrations and checks.
    pub(super) fn bare(&self) -> &Connection {
        &self.0
    }

    /// Runs a statement that returns nothing; says how many rows it changed.
    pub(super) fn run(&self, sql: Sql, params: impl Params) -> Result<usize> {
        Ok(self.0.prepare_cached(sql.0)?.execute(params)?)
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: Sql,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.0.prepare_cached(sql.0)?.query_row(params, read).optional()?)
    }

    /// Every row.
    pub(super) fn all<T>(
        &self,
        sql: Sql,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.0.prepare_cached(sql.0)?;
        let mut rows = statement.query(params)?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }

    /// The row number that the last INSERT gave.
    pub(super) fn last_id(&self) -> i64 {
        self.0.last_insert_rowid()
    }

    /// Reads under one snapshot, which ends with the call whatever happens in it.
    pub(super) fn snapshot<T>(&self, read: impl FnOnce() -> Result<T>) -> Result<T> {
        self.run(sql!("BEGIN"), [])?;
        let _end = Snapshot(self);
        read()
    }
}

struct Snapshot<'a>(&'a Db);

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        // Fails only where SQLite ended the transaction itself.
        let _ = self.0.run(sql!("ROLLBACK"), []);
    }
}

macro_rules! columns {
    ($($id:ident),*) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        }
        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }
    )*};
}
columns!(AccountId, DraftId, FolderId, MessageId, PlacementId, ThreadId, OpId);

impl ToSql for Flags {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.bits().into())
    }
}

impl FromSql for Flags {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_bits)
    }
}

/// A size or count for a column; what does not fit, no honest server says.
pub(super) fn whole(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A size or count from a column.
pub(super) fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
