//! Opening the file: pragmas, versions, and who may change what while others have it open.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::db::Db;
use super::home::{FILE, private_file};
use super::migrate::{MIGRATIONS, current, migrate, refuse_newer, version};
use crate::error::{Error, Kind, Result};

/// How long a writer waits for a writer of another process before it gives up.
const BUSY: Duration = Duration::from_secs(5);

/// Opens the one connection that writes; makes or migrates the file if `alone` with it.
pub(super) fn writer(dir: &Path, alone: bool) -> Result<Db> {
    let path = dir.join(FILE);
    drop(private_file(&path)?);
    let mut conn = connect(&path)?;
    let found = version(&conn)?;
    refuse_newer(found)?;
    if found < current() {
        if !alone {
            return Err(Error::new(Kind::Store, "another mailtui of an older version has the store open")
                .hint("end it, then start this one again"));
        }
        if found == 0 && holds_tables(&conn)? {
            return Err(Error::new(Kind::Store, format!("{} is not a store of mailtui", path.display()))
                .hint("choose another directory: --data DIR or MAILTUI_DATA"));
        }
        migrate(&mut conn, dir, MIGRATIONS)?;
    }
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 4000)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)?;
    conn.pragma_update(None, "cache_size", -8000)?;
    Ok(Db::new(conn))
}

/// Opens a connection that cannot write.
pub(super) fn reader(dir: &Path) -> Result<Db> {
    let conn = connect(&dir.join(FILE))?;
    conn.pragma_update(None, "query_only", "ON")?;
    // Pages come through a memory map; the cache need not hold them a second time. Who writes has none: it would
    // map most of the file, only to write the pages elsewhere.
    conn.pragma_update(None, "cache_size", -1000)?;
    conn.pragma_update(None, "mmap_size", 256 << 20)?;
    Ok(Db::new(conn))
}

/// The same for who reads long lists, each once, or next to nothing: of what lies strewn over the file a map would
/// hold many times as much.
pub(super) fn lister(dir: &Path) -> Result<Db> {
    let conn = connect(&dir.join(FILE))?;
    conn.pragma_update(None, "query_only", "ON")?;
    conn.pragma_update(None, "cache_size", -2000)?;
    Ok(Db::new(conn))
}

fn connect(path: &Path) -> Result<Connection> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY)?;
    conn.pragma_update(None, "foreign_keys", "ON")?;
    conn.pragma_update(None, "trusted_schema", "OFF")?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // Without it a value that is compared with a constant of a partial index is a part of the plan: every
    // new value prepares the statement again, which takes longer than running it.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(conn)
}

fn holds_tables(conn: &Connection) -> Result<bool> {
    Ok(conn.query_row("SELECT EXISTS (SELECT 1 FROM sqlite_schema)", [], |row| row.get(0))?)
}
