//! A store of an older program is brought up to date: killed at every write, denied the disk, by several
//! programs at once. In the end it is as after an undisturbed start, and nothing of it is lost.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::faults_kill::under_strace;
use crate::support::chance::{Seed, is_campaign};
use crate::support::desk::{replace_dir, scratch};

/// Points that an ordinary run tries of each kind.
const SAMPLE: usize = 3;

struct Old {
    dir: tempfile::TempDir,
}

impl Old {
    /// A store as the first version wrote it, with a queue.
    fn new() -> Self {
        let dir = scratch();
        let old = dir.path().join("old");
        std::fs::create_dir(&old).unwrap();
        let conn = rusqlite::Connection::open(old.join("store.db")).unwrap();
        conn.pragma_update(None, "auto_vacuum", "INCREMENTAL").unwrap();
        conn.pragma_update(None, "journal_mode", "WAL").unwrap();
        conn.execute_batch(include_str!("../../src/store/migrations/0001_init.sql")).unwrap();
        conn.pragma_update(None, "foreign_keys", "OFF").unwrap();
        conn.execute_batch(include_str!("../stores/v1.sql")).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        drop(conn);
        let config = "[accounts.work]\nemail = \"a@example.org\"\nprotocol = \"imap\"\nhost = \"localhost\"\nport = 1\n\
                      tls = \"none\"\nuser = \"a\"\npassword = { env = \"NONE\" }\n";
        std::fs::write(dir.path().join("config.toml"), config).unwrap();
        Self { dir }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn reset(&self) {
        replace_dir(&self.dir.path().join("old"), &self.data());
    }

    /// The program, about to open the store.
    fn program(&self) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_mailtui"));
        program.args(["list", "--json", "--config"]).arg(self.dir.path().join("config.toml"));
        program.arg("--data").arg(self.data()).env_remove("MAILTUI_LOG");
        program
    }

    fn start(&self) -> Result<(), String> {
        let output = self.program().output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }

    /// Everything that is in the store, and whether it is sound.
    fn all(&self) -> Vec<String> {
        let conn = rusqlite::Connection::open(self.data().join("store.db")).unwrap();
        let texts = |sql: &str| -> Vec<String> {
            let mut statement = conn.prepare(sql).unwrap();
            let count = statement.column_count();
            let row = |row: &rusqlite::Row<'_>| {
                let values = (0..count).map(|at| row.get::<_, rusqlite::types::Value>(at));
                Ok(format!("{sql}: {:?}", values.collect::<rusqlite::Result<Vec<_>>>()?))
            };
            statement.query_map([], row).unwrap().collect::<rusqlite::Result<_>>().unwrap()
        };
        let mut all = texts("PRAGMA user_version");
        all.extend(texts("PRAGMA integrity_check"));
        all.extend(texts("PRAGMA foreign_key_check"));
        all.extend(texts("SELECT type, name, sql FROM sqlite_schema ORDER BY name"));
        for table in ["accounts", "folders", "messages", "placements", "ops", "op_items", "undo", "kv"] {
            all.extend(texts(&format!("SELECT * FROM {table} ORDER BY 1, 2")));
        }
        all
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.data().join("store.db")).unwrap()
    }
}

#[test]
fn r1_a_migration_dies_or_fails_at_every_write_and_is_done_at_the_next_start() {
    let old = Old::new();
    old.reset();
    old.start().unwrap();
    let oracle = old.all();
    assert!(oracle.iter().any(|line| line.contains("SELECT * FROM ops")), "the queue is kept: {oracle:#?}");
    let trace = old.dir.path().join("trace");
    let chosen = Seed::of_run();
    let mut chance = chosen.chance();
    let (mut tried, mut calls_in_all) = (0, 0);
    for call in ["pwrite64", "fdatasync,fsync", "unlink,unlinkat,ftruncate"] {
        old.reset();
        let Some(mut strace) = under_strace(&old.program(), &["-e", &format!("trace={call}")], &trace) else {
            return;
        };
        assert!(strace.stdout(Stdio::null()).status().unwrap().success());
        let calls = std::fs::read_to_string(&trace).unwrap().lines().filter(|l| l.contains('(')).count();
        calls_in_all += calls;
        let mut points: Vec<(usize, &str)> = (1..=calls)
            .flat_map(|nth| {
                ["signal=KILL:when=N", "error=EIO:when=N", "error=ENOSPC:when=N+"].map(|how| (nth, how))
            })
            .collect();
        if !is_campaign() {
            points = chance.sample(&points, SAMPLE);
        }
        for (nth, how) in points {
            tried += 1;
            old.reset();
            let inject = format!("inject={call}:{}", how.replace('N', &nth.to_string()));
            let mut strace = under_strace(&old.program(), &["-e", &inject], &trace).unwrap();
            let first = strace.output().unwrap();
            old.start().unwrap_or_else(|e| panic!("{inject}: {e}\nfirst: {first:?} {chosen:?}"));
            assert_eq!(old.all(), oracle, "{inject}, {chosen:?}");
            let before = old.bytes();
            old.start().unwrap();
            assert!(old.bytes() == before, "{inject}: a third start wrote something");
        }
    }
    eprintln!("migration: {tried} of {} tried, 0 bad", 3 * calls_in_all);
}

#[test]
fn a4_several_programs_at_once_migrate_a_store_once() {
    let old = Old::new();
    old.reset();
    old.start().unwrap();
    let oracle = old.all();
    for _ in 0..if is_campaign() { 20 } else { 2 } {
        old.reset();
        let programs: Vec<_> = (0..4)
            .map(|_| old.program().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
            .collect();
        for program in programs {
            let output = program.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(old.all(), oracle);
        assert!(backup(&old.data()).exists());
    }
}

#[test]
fn a4_a_store_that_an_older_program_has_open_is_not_migrated() {
    let old = Old::new();
    old.reset();
    // As one does that has it open: a shared lock on the store's lock file.
    let lock = std::fs::File::create(old.data().join("store.lock")).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockShared).unwrap();
    let error = old.start().unwrap_err();
    assert!(error.contains("older version has the store open") && error.contains("hint: "), "{error}");
    assert!(!backup(&old.data()).exists(), "nothing was begun");
    drop(lock);
    old.start().unwrap();
    assert!(backup(&old.data()).exists());
}

fn backup(data: &Path) -> PathBuf {
    data.join("store.db.v1.bak")
}
