//! A store that cannot be written to: a full disk, a disk mounted read-only, a limit on the size of files.
//! Nothing is deleted on the server, it is said with exit code 7, and it works again afterwards.

use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use mailtui::config::{Leave, Protocol};

use crate::support::bench::Bench;
use crate::support::proxy::Plan;
use crate::support::seed::Seed;

/// A file system of its own for the store; `None`: only root may mount one.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount =
            Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(dir.path()).output();
        if mount.is_ok_and(|o| o.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("SKIPPED: no file system can be mounted here");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let mount = Command::new("mount").args(["-o", &options]).arg(self.0.path()).output().unwrap();
        assert!(mount.status.success(), "{mount:?}");
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

/// An account whose mail is deleted on the server once it is here: three small mails and a large one that
/// cannot be made smaller.
fn bench(name: &'static str) -> Option<Bench<'static>> {
    let mut bench = Bench::new(name, Protocol::Pop3, Leave::DeleteAfterDownload, 3)?;
    let mut noise = Vec::new();
    // More than fits into the store's file and its log together under the limits below.
    while noise.len() < 8 << 20 {
        noise.extend_from_slice(&bench.chance.next().to_be_bytes());
    }
    let mut raw = b"Subject: seed 4\r\nMessage-ID: <seed4@example.org>\r\nX-Seed: 4\r\n\r\n".to_vec();
    for line in noise.chunks(57) {
        raw.extend(base64::engine::general_purpose::STANDARD.encode(line).bytes());
        raw.extend(b"\r\n");
    }
    let seed = Seed::new(4, raw);
    bench.user().deliver("INBOX", &seed.raw);
    bench.seeds.push(seed);
    Some(bench)
}

fn run(bench: &Bench<'_>, mut program: Command) -> Output {
    let round = bench.proxy.begin(Plan::none());
    let output = program.output().unwrap();
    round.wait_closed();
    output
}

/// It failed for the store's sake and said so, and the server still has everything.
#[track_caller]
fn is_refused(bench: &Bench<'_>, output: &Output, words: &str) {
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(7), "{said}");
    assert!(said.contains(words) && said.contains("hint: "), "{said}");
    assert_eq!(bench.user().mails("INBOX").len(), bench.seeds.len(), "{said}");
}

/// It works again: everything is here, and gone from the server.
#[track_caller]
fn is_well(bench: &Bench<'_>, data: &Path) {
    let output = run(bench, bench.program_in(data));
    assert!(output.status.success(), "{output:?}");
    assert!(bench.user().mails("INBOX").is_empty());
    let state = bench.desk.state_in(data, Vec::new());
    assert_eq!(state.halfway(&bench.seeds, &[]), Vec::<String>::new());
    assert_eq!(state.here.len(), bench.seeds.len());
}

#[test]
fn p5_a_full_disk_deletes_nothing() {
    let Some(bench) = bench("full disk") else { return };
    let Some(disk) = Mounted::new("size=2m") else { return };
    let data = disk.path().join("data");
    is_refused(&bench, &run(&bench, bench.program_in(&data)), "full");
    is_refused(&bench, &run(&bench, bench.program_in(&data)), "full");
    disk.remount("size=64m");
    is_well(&bench, &data);
}

#[test]
fn p5_a_disk_without_room_for_a_store_deletes_nothing() {
    let Some(bench) = bench("no room at all") else { return };
    let Some(disk) = Mounted::new("size=64k") else { return };
    let data = disk.path().join("data");
    is_refused(&bench, &run(&bench, bench.program_in(&data)), "");
    disk.remount("size=64m");
    is_well(&bench, &data);
}

#[test]
fn p5_a_store_that_is_read_only_deletes_nothing() {
    let Some(bench) = bench("read-only disk") else { return };
    let Some(disk) = Mounted::new("size=64m") else { return };
    let data = disk.path().join("data");
    // A store that was made before, and one that was not.
    disk.remount("ro");
    is_refused(&bench, &run(&bench, bench.program_in(&data)), "read-only");
    disk.remount("rw");
    let mut program = bench.program_in(&data);
    program.env("MAILTUI_TEST_SECRET", "wrong");
    assert_eq!(run(&bench, program).status.code(), Some(6));
    disk.remount("ro");
    is_refused(&bench, &run(&bench, bench.program_in(&data)), "read-only");
    disk.remount("rw");
    is_well(&bench, &data);
}

#[test]
fn p5_a_limit_on_the_size_of_files_deletes_nothing() {
    let Some(bench) = bench("file size limit") else { return };
    let data = bench.desk.data();
    let limited = |script: &str| {
        let program = bench.program_in(&data);
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh"]).arg(program.get_program()).args(program.get_args());
        shell.env("MAILTUI_TEST_SECRET", crate::support::dovecot::PASSWORD).env_remove("MAILTUI_LOG");
        shell
    };
    // In blocks of 512 or of 1024 bytes, by the shell.
    is_refused(&bench, &run(&bench, limited("trap '' XFSZ; ulimit -f 3000; exec \"$@\"")), "");
    // Not told of the limit, it is killed by it: no worse.
    let output = run(&bench, limited("ulimit -f 3000; exec \"$@\""));
    assert!(!output.status.success());
    assert_eq!(bench.user().mails("INBOX").len(), bench.seeds.len());
    is_well(&bench, &data);
}
