//! The test that looks at the plan of every statement of this folder.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::StatementStatus;

use super::migrate::{MIGRATIONS, migrate};
use super::testing::Home;

/// Statements that may look at every row of a table, and why.
const SCANS: &[(&str, &str)] = &[
    ("SELECT id, name, parked FROM accounts", "few rows"),
    ("DELETE FROM accounts", "everything of an account goes, once"),
    ("SELECT id, name, protocol, remote_key, parked <> 0, owner FROM accounts", "a handful of accounts"),
    ("SELECT id FROM accounts", "a handful of accounts"),
    ("SELECT d.id, d.account_id, d.msgid", "drafts: few rows"),
    ("SELECT d.id, d.version, m.id", "drafts: few rows"),
    ("SELECT d.id FROM drafts d", "drafts: few rows"),
    ("SELECT state FROM drafts", "drafts: few rows"),
    ("DELETE FROM drafts WHERE account_id", "drafts: few rows"),
    ("UPDATE drafts SET pushed = 0 WHERE account_id", "drafts: few rows"),
    ("SELECT addr, name, sent, last FROM addresses", "people, not mails"),
    ("SELECT id, name, state, trouble", "a handful of accounts"),
    (
        "SELECT f.id FROM folders f CROSS JOIN accounts a ON a.id = f.account_id\n                  WHERE f.unseen > 0",
        "folders, not mails",
    ),
    ("SELECT ifnull(sum(f.unseen), 0) FROM folders f", "folders, not mails"),
    ("SELECT o.id, m.subject, o.send_at, o.state FROM outbox", "mails on their way out: few"),
    ("SELECT f.path, f.total", "the check reads everything"),
    ("SELECT m.id FROM messages m WHERE m.body_state <> 4", "the check reads everything"),
    ("SELECT p.id FROM placements p JOIN messages m ON m.id = p.message_id\n", "the check reads everything"),
    ("SELECT t.id FROM threads t", "the check reads everything"),
    ("SELECT m.id FROM messages m WHERE m.body_state = 2", "the check reads everything"),
    ("SELECT p.id FROM placements p WHERE (p.hidden & 1) = 1", "the check reads everything"),
    ("SELECT p.id FROM placements p WHERE (p.hidden & 2) = 2", "the check reads everything"),
    ("SELECT p.id FROM placements p JOIN folders f", "the check reads everything"),
    ("SELECT o.id FROM ops o WHERE o.kind NOT IN ('mkdir'", "the check reads everything"),
];

/// Sorts that SQLite may do itself: of few rows.
const SORTS: &[(&str, &str)] = &[
    ("SELECT s.uidl, s.message_id FROM pop_seen", "what may be deleted, oldest first, once a session"),
    (
        "SELECT p.id, p.uid, r.uid IS NOT NULL AND (r.stale = 0 OR ?2) FROM op_items",
        "the mails of one operation",
    ),
    ("SELECT folder_id, uid FROM placements WHERE message_id", "the copies of one mail"),
    (
        "SELECT p.id, p.thread_id, p.sort_at, p.folder_id FROM placements p\n                  WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 1)",
        "the copies of one conversation",
    ),
    (
        "SELECT p.id, p.message_id, p.flags FROM placements p CROSS JOIN folders f ON f.id = p.folder_id\n                  WHERE p.thread_id = ?1 AND p.hidden = 0 AND (p.flags & 1)",
        "the copies of one conversation",
    ),
    ("SELECT o.id, o.message_id, o.mail_from", "what is due of an account: few rows"),
    ("SELECT id FROM outbox WHERE account_id", "what could not be sent of an account: few rows"),
    ("SELECT m.id, p.id, p.folder_id", "the mails of one conversation"),
    ("SELECT p.id, p.folder_id, p.message_id, p.uid", "the copies of one mail"),
    ("SELECT f.path, f.total", "the check reads everything"),
    ("SELECT d.id, d.version, m.id", "drafts: few rows"),
    ("SELECT d.id, d.account_id, d.msgid", "drafts: few rows"),
];

/// Every literal in `sql!` in the sources of this folder.
fn statements() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.extension().is_none_or(|e| e != "rs") || name == "plans.rs" {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for piece in text.split("sql!(").skip(1) {
            // Prose about the macro is followed by no literal.
            let Some(literal) = piece.trim_start().strip_prefix('"') else { continue };
            let end = literal.find('"').unwrap();
            assert!(!literal[..end].contains('\\'), "{name}: an escape in a statement");
            found.push((name.clone(), literal[..end].to_owned()));
        }
    }
    assert!(found.len() > 80, "the statements were not found");
    found
}

#[test]
fn no_statement_scans_a_table_that_grows() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
    let mut used: HashSet<&(&str, &str)> = HashSet::new();
    let mut listed = |list: &'static [(&str, &str)], sql: &str| {
        let entry = list.iter().find(|(start, _)| sql.starts_with(start));
        used.extend(entry);
        entry.is_some()
    };
    let mut wrong = Vec::new();
    for (file, sql) in statements() {
        if ["BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"].iter().any(|word| sql.starts_with(word)) {
            continue;
        }
        let mut explain = conn
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap_or_else(|e| panic!("{file}: {e}: {sql}"));
        let plan: Vec<String> = explain.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
        for line in &plan {
            let scans = line.starts_with("SCAN") && !line.contains("CONSTANT ROW") && !line.contains("(subquery")
                // A lookup by rowid in the search index.
                && !line.contains("VIRTUAL TABLE INDEX 0:=");
            let sorts = line.contains("TEMP B-TREE");
            if (scans && !listed(SCANS, &sql)) || (sorts && !listed(SORTS, &sql)) {
                wrong.push(format!("{file}: {line}\n{sql}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} plans:\n{}", wrong.len(), wrong.join("\n\n"));
    let idle: Vec<_> = SCANS.iter().chain(SORTS).filter(|entry| !used.contains(entry)).collect();
    assert!(idle.is_empty(), "listed without need: {idle:?}");
}

#[test]
fn no_statement_is_prepared_again_for_a_new_value() {
    let home = Home::new();
    let conn = super::open::writer(home.dir.path(), false).unwrap();
    let conn = conn.bare();
    conn.execute_batch("BEGIN").unwrap();
    let mut again = Vec::new();
    for (file, sql) in statements() {
        if ["BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"].iter().any(|word| sql.starts_with(word)) {
            continue;
        }
        let mut statement = conn.prepare(&sql).unwrap();
        for value in 0..3 {
            for at in 1..=statement.parameter_count() {
                statement.raw_bind_parameter(at, value).unwrap();
            }
            // Rows that a constraint refuses are as good.
            let _ = statement.raw_query().next();
        }
        if statement.get_status(StatementStatus::RePrepare) > 0 {
            again.push(format!("{file}: {sql}"));
        }
    }
    assert!(again.is_empty(), "{}", again.join("\n\n"));
}

#[test]
fn pages_are_read_from_covering_indexes() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
    let pages: Vec<_> = statements()
        .into_iter()
        .filter(|(_, sql)| sql.contains("NOT EXISTS (SELECT 1 FROM placements q WHERE q.thread_id"))
        .collect();
    assert_eq!(pages.len(), 2);
    for (_, sql) in pages {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = explain.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
        let covered = plan.iter().filter(|line| line.contains("COVERING INDEX")).count();
        assert_eq!(covered, 2, "{plan:?}");
    }
}

/// Asked for each mail that comes: by the folder it would be quadratic, and no scan would show it.
#[test]
fn a_pending_copy_is_looked_for_by_its_mail_and_not_by_its_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut conn = rusqlite::Connection::open(dir.path().join("store.db")).unwrap();
    migrate(&mut conn, dir.path(), MIGRATIONS).unwrap();
    let asked: Vec<_> = statements()
        .into_iter()
        .filter(|(file, sql)| {
            file.contains("places.rs") && sql.contains("p.uid IS NULL") && sql.contains("m.msgid")
        })
        .collect();
    assert_eq!(asked.len(), 3);
    for (_, sql) in asked {
        let mut explain = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = explain.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect();
        assert!(plan[0].contains("messages_msgid"), "{plan:?}");
    }
}
