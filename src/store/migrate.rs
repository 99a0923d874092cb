//! Numbered SQL, one transaction each, counted by `user_version`; a light copy is made before a change.

use std::path::Path;

use rusqlite::Connection;

use super::fault::file_fault;
use super::home::private_file;
use crate::error::{Error, Kind, Result};

/// Every migration, oldest first. One that was released is never edited; its first line says why it is there.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_init.sql"),
    include_str!("migrations/0002_ledger.sql"),
    include_str!("migrations/0003_servers.sql"),
    include_str!("migrations/0004_labels.sql"),
    include_str!("migrations/0005_writing.sql"),
    include_str!("migrations/0006_composing.sql"),
];

/// The version that this program writes.
pub(super) fn current() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

/// The version of the store behind `conn`; 0: a new file.
pub(super) fn version(conn: &Connection) -> Result<i64> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Refuses a store that a newer program has written.
pub(super) fn refuse_newer(found: i64) -> Result<()> {
    if found <= current() {
        return Ok(());
    }
    Err(Error::new(
        Kind::Store,
        format!(
            "the store was written by a newer mailtui (its version is {found}, this program knows {})",
            current()
        ),
    )
    .hint("start the newer mailtui, or choose another store with --data DIR"))
}

/// Brings the store up to `migrations`. The caller holds the store alone.
pub(super) fn migrate(conn: &mut Connection, dir: &Path, migrations: &[&str]) -> Result<()> {
    let found = version(conn)?;
    let done = usize::try_from(found).unwrap_or(0);
    if done >= migrations.len() {
        return Ok(());
    }
    // The copy takes the tables in any order.
    conn.pragma_update(None, "foreign_keys", "OFF")?;
    if done == 0 {
        // Mail is large: pages of the double size halve what the log and the checkpoint have to do for it.
        conn.pragma_update(None, "page_size", 8192)?;
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    } else {
        back_up(conn, dir, found)?;
    }
    for (number, sql) in (1..).zip(migrations).skip(done) {
        let change = conn.transaction()?;
        change.execute_batch(sql)?;
        change.pragma_update(None, "user_version", number)?;
        change.commit()?;
    }
    conn.pragma_update(None, "foreign_keys", "ON")?;
    Ok(())
}

/// Copies every table but bodies and the search index to `store.db.vN.bak`: small, and what cannot be
/// had again from elsewhere. Migrations never rewrite bodies.
fn back_up(conn: &Connection, dir: &Path, found: i64) -> Result<()> {
    let path = dir.join(format!("store.db.v{found}.bak"));
    let tables = tables(conn)?;
    let rows: i64 = tables
        .iter()
        .map(|(name, _)| {
            conn.query_row(&format!("SELECT count(*) FROM \"{name}\""), [], |row| row.get::<_, i64>(0))
        })
        .sum::<rusqlite::Result<i64>>()?;
    let need = 16_000_000 + 1_000 * rows.unsigned_abs();
    let disk = rustix::fs::statvfs(dir)
        .map_err(|e| file_fault("could not ask the disk for its free space", e.into()))?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < need {
        return Err(Error::new(
            Kind::Store,
            "the disk has no room for a copy of the store before it is changed",
        )
        .hint(format!("make {} MB free and start again; nothing was changed", need / 1_000_000)));
    }
    // What is left of a copy that was cut short.
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            return Err(file_fault(format!("could not replace {}", path.display()), e));
        }
        _ => {}
    }
    drop(private_file(&path)?);
    conn.execute("ATTACH ?1 AS copy", [path.as_os_str().as_encoded_bytes().to_vec()].map(lossless))?;
    let copied = copy(conn, &tables, found);
    conn.execute_batch("DETACH copy")?;
    copied
}

fn copy(conn: &Connection, tables: &[(String, String)], found: i64) -> Result<()> {
    conn.execute_batch("BEGIN")?;
    let all = || -> Result<()> {
        for (name, sql) in tables {
            conn.execute_batch(&sql.replacen("CREATE TABLE ", "CREATE TABLE copy.", 1))?;
            conn.execute_batch(&format!("INSERT INTO copy.\"{name}\" SELECT * FROM main.\"{name}\""))?;
        }
        Ok(())
    };
    let copied = all();
    conn.execute_batch(if copied.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    copied?;
    Ok(conn.pragma_update(Some("copy"), "user_version", found)?)
}

/// SQLite takes a file name as text.
fn lossless(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Name and SQL of every table that is copied.
fn tables(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut statement = conn.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE %'
         AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'bodies' AND name NOT LIKE 'search%'",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: &str = "-- Test.\nALTER TABLE kv ADD COLUMN at INTEGER NOT NULL DEFAULT 0;";

    fn opened(dir: &Path) -> Connection {
        Connection::open(dir.join("store.db")).unwrap()
    }

    #[test]
    fn a_change_is_preceded_by_a_copy_without_bodies() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..1]).unwrap();
        assert!(!dir.path().join("store.db.v1.bak").exists(), "a new file needs no copy");
        conn.execute("INSERT INTO kv VALUES ('a', 'b')", []).unwrap();
        migrate(&mut conn, dir.path(), &[MIGRATIONS[0], SECOND]).unwrap();
        assert_eq!(version(&conn).unwrap(), 2);
        assert_eq!(conn.query_row("SELECT at FROM kv", [], |r| r.get::<_, i64>(0)).unwrap(), 0);
        let copy = Connection::open(dir.path().join("store.db.v1.bak")).unwrap();
        assert_eq!(version(&copy).unwrap(), 1);
        assert_eq!(copy.query_row("SELECT value FROM kv", [], |r| r.get::<_, String>(0)).unwrap(), "b");
        assert!(copy.prepare("SELECT 1 FROM bodies").is_err());
    }

    fn schema(conn: &Connection) -> String {
        let mut statement =
            conn.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type, name").unwrap();
        let rows: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap();
        // Comments and columns as they were written, one statement after the other.
        rows.join(";\n\n")
    }

    #[test]
    fn a_store_of_the_first_version_keeps_its_queue() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..1]).unwrap();
        conn.execute_batch(include_str!("../../tests/stores/v1.sql")).unwrap();
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        let ops: Vec<(i64, String, String, i64, i64)> = conn
            .prepare("SELECT o.id, o.kind, o.state, i.placement_id, o.not_before FROM ops o JOIN op_items i ON i.op_id = o.id ORDER BY 1")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
            .unwrap()
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        let op = |id, kind: &str, state: &str, on, at| (id, kind.to_owned(), state.to_owned(), on, at);
        assert_eq!(ops, [op(4, "move", "queued", 1, 99), op(5, "flags", "conflict", 2, 0)]);
        let strays =
            conn.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |r| r.get::<_, i64>(0));
        assert_eq!(strays.unwrap(), 0);
        assert_is_as_new(&conn);
    }

    fn assert_is_as_new(conn: &Connection) {
        let fresh = tempfile::tempdir().unwrap();
        let mut new = opened(fresh.path());
        migrate(&mut new, fresh.path(), MIGRATIONS).unwrap();
        assert_eq!(schema(conn), schema(&new));
    }

    #[test]
    fn a_store_of_the_second_version_keeps_its_accounts_and_the_halves_of_a_move() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..2]).unwrap();
        conn.execute_batch(include_str!("../../tests/stores/v2.sql")).unwrap();
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = conn.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let accounts =
            texts("SELECT name || ' ' || remote_key || ' ' || in_step_at || ' ' || parked FROM accounts");
        assert_eq!(accounts, ["work ada@imap.example.org:993 50 0", "home ada@pop.example.net:995 0 0"]);
        let halves =
            texts("SELECT id || ' ' || kind || ' ' || ifnull(after_id, 0) || ' ' || undo_id FROM ops");
        assert_eq!(halves, ["4 append 0 1", "5 delete 4 1"]);
        assert_eq!(
            texts("SELECT parked FROM folders WHERE parked_at = 40"),
            ["more vanished than is believed"]
        );
        assert_eq!(texts("SELECT object_id FROM folders"), ["", "", ""]);
        assert_eq!(texts("SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
        assert_is_as_new(&conn);
    }

    #[test]
    fn a_store_of_the_third_version_keeps_its_names_and_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..3]).unwrap();
        conn.execute_batch(include_str!("../../tests/stores/v3.sql")).unwrap();
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = conn.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let accounts = texts("SELECT name || ' ' || parked || ' ' || labels FROM accounts");
        assert_eq!(accounts, ["work 0 0", "old 2 0"]);
        assert_eq!(texts("SELECT object_id FROM folders"), ["F1", ""]);
        assert_eq!(texts("SELECT uidl || ' ' || was FROM pop_renamed"), ["new old"]);
        assert_eq!(texts("SELECT uidl || ' ' || want || ' ' || cleanup FROM pop_seen"), ["old keep 0"]);
        assert_eq!(texts("SELECT bytes || ' ' || then_bytes FROM maildrops"), ["900 800"]);
        assert_eq!(texts("SELECT id || ' ' || kind || ' ' || target_id FROM ops"), ["6 rename 1"]);
        assert_eq!(texts("SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
        assert_is_as_new(&conn);
    }

    #[test]
    fn a_store_of_the_fourth_version_keeps_what_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..4]).unwrap();
        conn.execute_batch(include_str!("../../tests/stores/v4.sql")).unwrap();
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = conn.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        assert_eq!(texts("SELECT name || ' ' || labels || ' ' || server FROM accounts"), ["work 1 Gimap"]);
        assert_eq!(texts("SELECT id || ' ' || msgid || ' ' || state FROM drafts"), ["2 d@example.org {}"]);
        assert_eq!(
            texts("SELECT id || ' ' || state || ' ' || files || ' ' || eight_bit FROM outbox"),
            ["3 queued 1 0"]
        );
        assert_eq!(texts("SELECT addr || ' ' || at_dot FROM outbox_rcpts"), ["bob@example.org 0"]);
        assert_eq!(texts("SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
        assert_is_as_new(&conn);
    }

    #[test]
    fn a_store_of_the_fifth_version_keeps_its_conversations_and_what_is_half_sent() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..5]).unwrap();
        conn.execute_batch(include_str!("../../tests/stores/v5.sql")).unwrap();
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = conn.prepare(sql).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let mails = "SELECT m.msgid || ' ' || t.edited || ' ' || (m.kin IS NULL) FROM messages m JOIN threads t ON t.id = m.thread_id";
        assert_eq!(texts(mails), ["a@example.org 0 1"]);
        assert_eq!(texts("SELECT msgid || ' ' || kind FROM thread_edits"), ["a@example.org mute"]);
        assert_eq!(texts("SELECT id || ' ' || files || ' ' || draft_id FROM outbox"), ["3 0 2"]);
        assert_eq!(texts("SELECT addr || ' ' || at_dot FROM outbox_rcpts"), ["bob@example.org 1"]);
        assert_eq!(texts("SELECT \"table\" FROM pragma_foreign_key_check"), Vec::<String>::new());
        assert_is_as_new(&conn);
    }

    #[test]
    fn the_schema_is_the_one_that_was_reviewed() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
        insta::with_settings!({ snapshot_path => "../../tests/stores", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!("schema", schema(&conn));
        });
    }

    #[test]
    fn a_change_that_fails_leaves_the_store_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let mut conn = opened(dir.path());
        migrate(&mut conn, dir.path(), &MIGRATIONS[..1]).unwrap();
        let broken = "ALTER TABLE kv ADD COLUMN at INTEGER; CREATE NONSENSE;";
        assert!(migrate(&mut conn, dir.path(), &[MIGRATIONS[0], broken]).is_err());
        assert_eq!(version(&conn).unwrap(), 1);
        assert!(conn.prepare("SELECT at FROM kv").is_err());
    }

    #[test]
    fn a_newer_store_is_refused_with_a_hint() {
        let error = refuse_newer(current() + 1).unwrap_err();
        assert_eq!(error.kind(), Kind::Store);
        assert!(error.hint_text().is_some());
    }
}
