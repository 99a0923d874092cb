//! The store when the disk, the file or our own code fails (goal R4): said in words, undone whole, and
//! working again afterwards.

use std::sync::mpsc::channel;
use std::time::Duration;

use super::testing::{Home, mail, noise};
use super::{Changed, Step, Store};
use crate::error::Kind;
use crate::model::{FlagDelta, Flags, Intent};

fn arrival(home: &Home, n: u32) -> Step {
    Step::Message(Box::new(mail(home.inbox, n)))
}

#[test]
fn r4_a_full_disk_undoes_the_batch_and_is_told() {
    let home = Home::new();
    home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap();
    home.store
        .on_writer(|conn| {
            let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
            conn.pragma_update_and_check(None, "max_page_count", pages + 20, |_| Ok(())).unwrap();
        })
        .unwrap();
    let mut large = mail(home.inbox, 2);
    large.body = Some(noise(3_000_000));
    let error =
        home.store.commit(home.batch(vec![arrival(&home, 3), Step::Message(Box::new(large))])).unwrap_err();
    assert_eq!(error.kind(), Kind::Store);
    assert!(error.to_string().contains("full"), "{error}");
    assert!(error.hint_text().is_some());
    assert_eq!(home.total(), 1, "nothing of it is there");
    // What fits goes on; with room again all does.
    home.store.commit(home.batch(vec![arrival(&home, 3)])).unwrap();
    home.store
        .on_writer(|conn| conn.pragma_update_and_check(None, "max_page_count", 1 << 30, |_| Ok(())).unwrap())
        .unwrap();
    let mut large = mail(home.inbox, 2);
    large.body = Some(noise(3_000_000));
    home.store.commit(home.batch(vec![Step::Message(Box::new(large))])).unwrap();
    assert_eq!(home.total(), 3);
    assert_eq!(home.store.reader().unwrap().check().unwrap(), Vec::<String>::new());
}

#[test]
fn r4_a_full_disk_in_a_group_fails_only_what_does_not_fit() {
    let home = Home::new();
    home.store
        .on_writer(|conn| {
            let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
            conn.pragma_update_and_check(None, "max_page_count", pages + 40, |_| Ok(())).unwrap();
        })
        .unwrap();
    let mut large = mail(home.inbox, 2);
    large.body = Some(noise(3_000_000));
    let first = home.store.submit(home.batch(vec![arrival(&home, 1)]));
    let second = home.store.submit(home.batch(vec![Step::Message(Box::new(large))]));
    let third = home.store.submit(home.batch(vec![arrival(&home, 3)]));
    assert!(first.wait().is_ok());
    assert_eq!(second.wait().unwrap_err().kind(), Kind::Store);
    assert!(third.wait().is_ok());
    assert_eq!(home.total(), 2);
}

#[test]
fn r4_a_store_that_cannot_be_written_to_says_so_to_the_screen_too() {
    let home = Home::new();
    home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap();
    let reader = home.store.reader().unwrap();
    let row = &reader.page(crate::model::View::Folder(home.inbox), super::Edge::Top, 1).unwrap().rows[0];
    let (send, told) = channel::<Changed>();
    home.store.subscribe(Box::new(move |changed| drop(send.send(changed.clone()))));
    home.store.on_writer(|conn| conn.pragma_update(None, "query_only", "ON").unwrap()).unwrap();
    while told.try_recv().is_ok() {}
    let delta = FlagDelta::add(Flags::SEEN);
    home.store.intend(Intent::Flag { items: vec![row.head.placement], delta, undoable: true });
    let outcome = told.recv_timeout(Duration::from_secs(5)).unwrap().outcome.unwrap();
    assert!(outcome.error.unwrap().contains("cannot be written to"));
    let error = home.store.commit(home.batch(vec![arrival(&home, 2)])).unwrap_err();
    assert_eq!(error.kind(), Kind::Store);
    assert_eq!(home.total(), 1);
}

#[test]
fn r4_a_locked_store_says_so_and_works_again() {
    let home = Home::new();
    home.store.on_writer(|conn| conn.busy_timeout(Duration::ZERO).unwrap()).unwrap();
    let other = rusqlite::Connection::open(home.dir.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap_err();
    assert!(error.to_string().contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap();
}

#[test]
fn a_mistake_of_ours_ends_one_transaction_and_not_the_thread() {
    let home = Home::new();
    let error = home.store.on_writer(|_| panic!("a mistake")).unwrap_err();
    assert_eq!(error.kind(), Kind::Bug);
    home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap();
    assert_eq!(home.total(), 1);
}

#[test]
fn a_file_that_another_program_migrated_meanwhile_is_not_written_to() {
    let home = Home::new();
    let other = rusqlite::Connection::open(home.dir.path().join("store.db")).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    let error = home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap_err();
    assert!(error.to_string().contains("newer mailtui"), "{error}");
    assert_eq!(home.total(), 0);
}

#[test]
fn p3_what_is_committed_is_in_the_log_with_full_sync() {
    let home = Home::new();
    home.store
        .on_writer(|conn| {
            let pragma =
                |name| conn.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
            assert_eq!(pragma("synchronous").unwrap(), rusqlite::types::Value::Integer(2));
            assert_eq!(pragma("journal_mode").unwrap(), rusqlite::types::Value::Text("wal".into()));
            assert_eq!(pragma("foreign_keys").unwrap(), rusqlite::types::Value::Integer(1));
            assert_eq!(pragma("auto_vacuum").unwrap(), rusqlite::types::Value::Integer(2));
        })
        .unwrap();
    // Committed in many small transactions, and taken as a killed process leaves it: file and log.
    for n in 1..=20 {
        home.store.commit(home.batch(vec![arrival(&home, n)])).unwrap();
        let killed = tempfile::tempdir().unwrap();
        for name in ["store.db", "store.db-wal"] {
            std::fs::copy(home.dir.path().join(name), killed.path().join(name)).unwrap();
        }
        let store = Store::open(killed.path()).unwrap();
        let total = store.reader().unwrap().folder(home.inbox).unwrap().unwrap().total;
        assert_eq!(total, n);
    }
}

#[test]
fn jobs_after_the_end_are_answered() {
    let home = Home::new();
    let pending = home.store.submit(home.batch(vec![arrival(&home, 1)]));
    home.store.close();
    pending.wait().unwrap();
    let error = home.store.commit(home.batch(vec![arrival(&home, 2)])).unwrap_err();
    assert!(error.to_string().contains("closed"), "{error}");
}

#[test]
fn a_closed_store_is_one_whole_file() {
    let home = Home::new();
    home.store.commit(home.batch((1..200).map(|n| arrival(&home, n)).collect())).unwrap();
    home.store.close();
    // The last connection is gone and has taken the log with it: all of it is in the file.
    assert!(!home.dir.path().join("store.db-wal").exists());
    let file = rusqlite::Connection::open(home.dir.path().join("store.db")).unwrap();
    let total = file.query_row("SELECT total FROM folders", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(total, 199);
}

#[test]
fn a2_operations_that_are_built_on_each_other_in_a_circle_are_settled() {
    for settle in [true, false] {
        let home = Home::new();
        home.store.commit(home.batch(vec![arrival(&home, 1)])).unwrap();
        // Mail that went round: each of two pending copies is to be moved to where the other is.
        home.store
            .on_writer(|conn| {
                conn.execute_batch(
                    "INSERT INTO placements (folder_id, message_id, thread_id, sort_at, flags, base, stale)
                       SELECT folder_id, message_id, thread_id, sort_at, flags, base, 1 FROM placements;
                     UPDATE placements SET uid = NULL, stale = 1;
                     INSERT INTO ops (id, account_id, kind, folder_id, target_id) SELECT 1, account_id, 'move', id, id FROM folders;
                     INSERT INTO ops (id, account_id, kind, folder_id, target_id) SELECT 2, account_id, 'move', id, id FROM folders;
                     INSERT INTO op_items SELECT 1, min(id), max(id) FROM placements;
                     INSERT INTO op_items SELECT 2, max(id), min(id) FROM placements;",
                )
                .unwrap();
            })
            .unwrap();
        if settle {
            let reach = crate::model::Reach::Everything;
            home.store.intend_wait(Intent::Settle { how: crate::model::Settle::Discard, reach }).unwrap();
            assert_eq!(home.store.reader().unwrap().ops_waiting(home.account).unwrap(), 0);
        } else {
            home.store.commit(home.batch(vec![Step::Synced { folder: home.inbox, at: 1 }])).unwrap();
            assert_eq!(home.store.reader().unwrap().conflicts(home.account).unwrap().len(), 2);
        }
    }
}

#[test]
fn r4_an_action_on_a_store_that_fails_is_refused_in_words_and_works_again() {
    let home = Home::new();
    home.store.commit(home.batch((1..=3).map(|n| arrival(&home, n)).collect())).unwrap();
    let reader = home.store.reader().unwrap();
    let rows = reader.page(crate::model::View::Folder(home.inbox), super::Edge::Top, 3).unwrap().rows;
    let star = |row: usize| {
        let delta = FlagDelta::add(Flags::FLAGGED);
        home.store.intend_wait(Intent::Flag { items: vec![rows[row].head.placement], delta, undoable: true })
    };
    let queued = || reader.ops_waiting(home.account).unwrap();
    // Another process is in the middle of a transaction and stays there.
    home.store.on_writer(|conn| conn.busy_timeout(Duration::ZERO).unwrap()).unwrap();
    let other = rusqlite::Connection::open(home.dir.path().join("store.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = star(0).unwrap_err();
    assert!(error.kind() == Kind::Store && error.to_string().contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(queued(), 0, "nothing of it is there");
    star(0).unwrap();
    // The disk is full from the first page on that is new.
    home.store
        .on_writer(|conn| {
            let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
            conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        })
        .unwrap();
    let refused = (0..2000).find_map(|n| {
        let before = queued();
        let delta = if n % 2 == 0 { FlagDelta::add(Flags::SEEN) } else { FlagDelta::del(Flags::SEEN) };
        let items = vec![rows[2].head.placement];
        let error = home.store.intend_wait(Intent::Flag { items, delta, undoable: true }).err()?;
        assert_eq!(queued(), before, "half of it is there");
        Some(error)
    });
    let error = refused.expect("there is no room for ever");
    assert!(error.to_string().contains("full") && error.hint_text().is_some(), "{error}");
    home.store
        .on_writer(|conn| conn.pragma_update_and_check(None, "max_page_count", 1 << 30, |_| Ok(())).unwrap())
        .unwrap();
    star(1).unwrap();
    assert_eq!(reader.check().unwrap(), Vec::<String>::new());
}
