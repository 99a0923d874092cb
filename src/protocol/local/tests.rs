//! What is promised of a spool: nothing lost, nothing twice, nothing read half, whoever else writes to it.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use super::*;
use crate::protocol::Nothing;

const PLENTY: Duration = Duration::from_secs(20);

fn mail(n: usize) -> String {
    let text = format!("All work and no play, {n}\n").repeat(1 + n % 7);
    format!("Subject: {n}\nMessage-ID: <{n}@example.org>\n\nDear {n},\n\n{text}")
}

fn posted(n: usize) -> String {
    format!("From ada@example.org Mon Nov 23 14:{:02}:{:02} 2026\n{}\n", n / 60 % 60, n % 60, mail(n))
}

struct Place {
    dir: tempfile::TempDir,
    bell: Interrupt,
}

impl Place {
    fn new(mails: impl IntoIterator<Item = usize>) -> Self {
        let memory = tempfile::tempdir_in("/dev/shm");
        let dir = memory.or_else(|_| tempfile::tempdir()).unwrap();
        let place = Self { dir, bell: Interrupt::new().unwrap() };
        std::fs::write(place.path(), mails.into_iter().map(posted).collect::<String>()).unwrap();
        place
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("ada")
    }

    fn spool(&self) -> Spool {
        Spool {
            path: self.path(),
            aside: Aside::new(&self.dir.path().join("aside"), &self.path()),
            bell: self.bell.clone(),
            patience: Duration::from_millis(50),
            content: Content::default(),
            is_told: false,
        }
    }

    fn append(&self, text: &str) {
        std::fs::OpenOptions::new()
            .append(true)
            .open(self.path())
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.path()).unwrap()
    }
}

fn ids(spool: &mut Spool) -> Vec<RemoteId> {
    spool.locked().unwrap();
    spool.content.mails.iter().map(|lying| RemoteId::Uidl(spool::to_text(&lying.name))).collect()
}

#[derive(Default)]
struct Bodies {
    whole: Vec<Vec<u8>>,
    half: Vec<u8>,
}

impl BodySink for Bodies {
    fn begin(&mut self, _: &RemoteId, _: u64) -> Result<()> {
        self.half.clear();
        Ok(())
    }
    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.half.extend_from_slice(bytes);
        Ok(())
    }
    fn end(&mut self) -> Result<Flow> {
        self.whole.push(std::mem::take(&mut self.half));
        Ok(Flow::Continue)
    }
}

/// The mails that a listing tells as new.
#[derive(Default)]
struct Told(Vec<RemoteId>);

impl Sink for Told {
    fn change(&mut self, change: Change) -> Result<Flow> {
        if let Change::New { id, .. } = change {
            self.0.push(id);
        }
        Ok(Flow::Continue)
    }
}

fn bodies(spool: &mut Spool) -> Vec<String> {
    let ids = ids(spool);
    let names: Vec<_> = ids.iter().map(|id| (id, name_of(id).unwrap())).collect();
    let mut sink = Bodies::default();
    spool.fetch(&names, &mut sink).unwrap();
    sink.whole.into_iter().map(|raw| String::from_utf8(raw).unwrap()).collect()
}

#[test]
fn p8_what_is_appended_is_read_and_what_is_before_it_is_not_read_again() {
    let place = Place::new(0..5);
    let mut spool = place.spool();
    let first = ids(&mut spool);
    assert_eq!(bodies(&mut spool), (0..5).map(mail).collect::<Vec<_>>());
    place.append(&posted(5));
    let begin = spool.content.mails[4].mail.start;
    let file = File::open(place.path()).unwrap();
    assert_eq!(spool.content.follow(&file, &place.path()).unwrap(), Some(begin), "from the last one on");
    assert_eq!(spool.content.follow(&file, &place.path()).unwrap(), None);
    assert_eq!(ids(&mut spool)[..5], first);
    assert_eq!(bodies(&mut spool)[5], mail(5));
    // Another program takes the first away: all is read anew, the names stay.
    std::fs::write(place.path(), (1..6).map(posted).collect::<String>()).unwrap();
    assert_eq!(ids(&mut spool)[..4], first[1..]);
    std::fs::write(place.path(), "").unwrap();
    assert!(ids(&mut spool).is_empty());
    std::fs::remove_file(place.path()).unwrap();
    assert!(ids(&mut spool).is_empty());
}

#[test]
fn p1_a_mail_that_was_marked_by_another_program_keeps_its_name() {
    let place = Place::new(0..3);
    let mut spool = place.spool();
    let names = ids(&mut spool);
    let marked = place
        .text()
        .replace("Subject: 1\n", "Subject: 1\nStatus: RO\n")
        .replace("\n\nDear", "\nLines: 3\n\nDear");
    std::fs::write(place.path(), marked).unwrap();
    assert_eq!(ids(&mut spool), names);
}

#[test]
fn p7_mails_that_are_the_same_are_counted_and_go_together_or_not_at_all() {
    let place = Place::new([1, 2, 1, 1]);
    let mut spool = place.spool();
    let names = ids(&mut spool);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), 4);
    let some = [names[0].clone(), names[1].clone(), names[3].clone()];
    let Applied::Partial { mut refused } = spool.delete(&some).unwrap() else { panic!("not refused") };
    refused.sort();
    let mut expected = vec![names[0].clone(), names[3].clone()];
    expected.sort();
    assert_eq!(refused, expected);
    assert_eq!(place.text(), [1, 1, 1].map(posted).concat());
    let all = [names[0].clone(), names[2].clone(), names[3].clone()];
    assert_eq!(spool.delete(&all).unwrap(), Applied::done());
    assert_eq!(place.text(), "");
    assert_eq!(spool.delete(&all).unwrap(), Applied::done(), "and again");
}

#[test]
fn p3_what_came_meanwhile_stays_and_so_do_owner_mode_and_links() {
    let place = Place::new(0..6);
    let mut spool = place.spool();
    let names = ids(&mut spool);
    let other = place.dir.path().join("other name");
    std::fs::hard_link(place.path(), &other).unwrap();
    let before = std::fs::metadata(place.path()).unwrap();
    place.append(&posted(6));
    assert_eq!(spool.delete(&[names[1].clone(), names[4].clone()]).unwrap(), Applied::done());
    assert_eq!(place.text(), [0, 2, 3, 5, 6].map(posted).concat());
    let after = std::fs::metadata(&other).unwrap();
    assert_eq!((after.ino(), after.mode(), after.uid()), (before.ino(), before.mode(), before.uid()));
    assert_eq!(std::fs::read_dir(place.dir.path().join("aside")).unwrap().count(), 0);
    assert!(!place.dir.path().join("ada.lock").exists());
    // What another program keeps for itself stays as well.
    let own = "From MAILER-DAEMON Mon Nov 23 14:22:01 2026\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\
               X-IMAP: 1 2\n\nno mail\n\n";
    std::fs::write(place.path(), format!("{own}{}", posted(1))).unwrap();
    let names = ids(&mut spool);
    assert_eq!(names.len(), 1);
    spool.delete(&names).unwrap();
    assert_eq!(place.text(), own);
}

/// A large mail makes a move of many steps.
fn large() -> String {
    format!(
        "From ada@example.org Mon Nov 23 15:00:00 2026\nSubject: large\n\n{}\n",
        "0123456789abcde\n".repeat(50_000)
    )
}

/// Kills a rewrite before its step `at`; false: it has fewer.
fn killed(spool: &mut Spool, gone: &[usize], at: usize) -> bool {
    let locked = spool.locked().unwrap().unwrap();
    let gone: Vec<&Lying> = gone.iter().map(|n| &spool.content.mails[*n]).collect();
    let mut left = at;
    let died = spool.aside.remove(&locked.file, &spool.path, &gone, &mut || {
        left = left.checked_sub(1).ok_or(io::ErrorKind::Interrupted)?;
        Ok(())
    });
    died.is_err()
}

#[test]
fn p3_a_kill_at_any_step_of_a_rewrite_loses_nothing_and_brings_nothing_twice() {
    let mails: Vec<String> = [posted(0), posted(1), large(), posted(3), posted(4)].into();
    // From the front, from the middle, all but the last, all.
    for gone in [&[0][..], &[1, 3], &[0, 1, 2, 3], &[0, 1, 2, 3, 4], &[4]] {
        let stay: String = (0..5).filter(|n| !gone.contains(n)).map(|n| mails[n].as_str()).collect();
        let mut at = 0;
        loop {
            for comes in ["", &posted(9)] {
                let place = Place::new([]);
                std::fs::write(place.path(), mails.concat()).unwrap();
                let mut spool = place.spool();
                let names = ids(&mut spool);
                if !killed(&mut spool, gone, at) {
                    assert!(at > 0);
                    assert_eq!(place.text(), stay);
                    at = usize::MAX;
                    break;
                }
                // Somebody delivers before we come back.
                place.append(comes);
                let mut spool = place.spool();
                let ids = ids(&mut spool);
                let text = place.text();
                assert!(
                    text == format!("{}{comes}", mails.concat()) || text == format!("{stay}{comes}"),
                    "{gone:?} at {at}: neither as before nor as it was to become"
                );
                assert_eq!(ids.len(), text.matches("\nSubject: ").count());
                let again: Vec<RemoteId> = gone.iter().map(|n| names[*n].clone()).collect();
                spool.delete(&again).unwrap();
                assert_eq!(place.text(), format!("{stay}{comes}"), "{gone:?} at {at}");
                let aside = place.dir.path().join("aside");
                assert!(
                    !aside.exists()
                        || std::fs::read_dir(aside).unwrap().all(|f| !f.unwrap().path().ends_with("json"))
                );
            }
            if at == usize::MAX {
                break;
            }
            at += 1;
        }
    }
}

#[test]
fn p3_pages_that_reached_the_disk_in_any_order_are_put_back() {
    let mails: Vec<String> = [posted(0), large(), posted(3), posted(4)].into();
    let place = Place::new([]);
    std::fs::write(place.path(), mails.concat()).unwrap();
    let mut spool = place.spool();
    ids(&mut spool);
    // The plan and the rest are aside, nothing is moved yet.
    assert!(killed(&mut spool, &[0], 4));
    let new = mails[1..].concat();
    for seed in 0..8usize {
        let mut bytes = mails.concat().into_bytes();
        for (page, to) in bytes[..new.len()].chunks_mut(4096).enumerate() {
            if (page * 7 + seed) % 8 < seed {
                let from = page * 4096;
                to.copy_from_slice(&new.as_bytes()[from..from + to.len()]);
            }
        }
        bytes.extend_from_slice(posted(9).as_bytes());
        std::fs::write(place.path(), &bytes).unwrap();
        let plan = std::fs::read_dir(place.dir.path().join("aside")).unwrap().map(|f| f.unwrap().path());
        let kept: BTreeMap<PathBuf, Vec<u8>> =
            plan.map(|p| (p.clone(), std::fs::read(&p).unwrap())).collect();
        place.spool().locked().unwrap();
        assert_eq!(place.text(), format!("{}{}", mails.concat(), posted(9)), "{seed}");
        kept.into_iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    }
}

#[test]
fn p3_what_another_program_made_of_a_broken_rewrite_is_told_once_and_the_mails_are_kept() {
    let place = Place::new(0..4);
    let mut spool = place.spool();
    ids(&mut spool);
    assert!(killed(&mut spool, &[0], 5));
    std::fs::write(place.path(), posted(7)).unwrap();
    let mut spool = place.spool();
    let error = spool.locked().unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict);
    let said = error.to_string();
    let kept = Path::new(said.rsplit_once(' ').unwrap().1);
    assert_eq!(std::fs::read_to_string(kept).unwrap(), (0..4).map(posted).collect::<String>());
    assert_eq!(bodies(&mut spool), [mail(7)], "and then it goes on");
}

#[test]
fn what_cannot_be_a_spool_is_told_in_words_and_left_as_it_is() {
    let place = Place::new(0..2);
    let told = |path: &Path| {
        let error = lock::lock(path, &place.bell, PLENTY).map(drop).unwrap_err();
        assert_eq!(error.kind(), Kind::Config, "{error}");
        format!("{error}; {}", error.hint_text().unwrap_or_default())
    };
    assert!(told(place.dir.path()).contains("it is a directory"));
    let link = place.dir.path().join("link");
    symlink(place.path(), &link).unwrap();
    assert!(told(&link).contains("is a link to"));
    let pipe = place.dir.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    assert!(told(&pipe).contains("a pipe"));
    assert!(told(Path::new("/nowhere/ada")).contains("no directory /nowhere"));
    std::fs::write(place.path(), "garbage\n").unwrap();
    let error = place.spool().locked().unwrap_err();
    assert!(error.to_string().contains("does not begin with a `From ` line"), "{error}");
    assert_eq!(place.text(), "garbage\n");
}

#[test]
fn a_lock_of_another_program_is_waited_for_and_broken_only_where_that_program_is_gone() {
    let place = Place::new(0..1);
    let dot = place.dir.path().join("ada.lock");
    let old = std::time::SystemTime::now() - Duration::from_secs(1000);
    let hold = |text: &str, at: Option<std::time::SystemTime>| {
        std::fs::write(&dot, text).unwrap();
        if let Some(at) = at {
            File::open(&dot).unwrap().set_modified(at).unwrap();
        }
        let locked = lock::lock(&place.path(), &place.bell, Duration::from_millis(30));
        let is_ours = locked.is_ok();
        assert_eq!(locked.as_ref().err().map_or(Kind::Timeout, Error::kind), Kind::Timeout);
        drop(locked);
        assert_eq!(dot.exists(), !is_ours);
        is_ours
    };
    // The number of a process that was waited for is nobody's.
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let (gone, alive) = (gone.id(), std::process::id());
    assert!(!hold("", Some(old)), "whose it is it does not say");
    assert!(!hold("0\n", Some(old)), "as procmail writes it");
    assert!(!hold(&format!("{gone}\n"), None), "it is young: a program elsewhere may have that number");
    assert!(!hold(&format!("{alive}\n"), Some(old)));
    assert!(hold(&format!("{gone}\n"), Some(old)));
    // Ours say more: one that was killed is known at once.
    let card = holder::card();
    let (_, signature) = card.split_once('\n').unwrap();
    assert!(!hold(&card, Some(old)), "ours, and alive");
    let (place_and_start, _) = signature.trim_end().rsplit_once(&format!(" {alive} ")).unwrap();
    assert!(hold(&format!("{gone}\n{place_and_start} {gone} 12345\n"), None));
    assert!(
        !hold(&format!("{gone}\nmailtui elsewhere@host pid:[1] x {gone} 12345\n"), Some(old)),
        "another machine"
    );
}

#[test]
fn two_of_one_process_never_hold_a_spool_together() {
    let place = Place::new(0..1);
    let held = lock::lock(&place.path(), &place.bell, PLENTY).unwrap().unwrap();
    let error = lock::lock(&place.path(), &place.bell, Duration::from_millis(30)).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    drop(held);
    assert!(lock::lock(&place.path(), &place.bell, PLENTY).unwrap().is_some());
    place.bell.ring();
    std::fs::write(place.dir.path().join("ada.lock"), "").unwrap();
    assert_eq!(lock::lock(&place.path(), &place.bell, PLENTY).unwrap_err().kind(), Kind::Interrupted);
}

#[cfg(target_os = "linux")]
#[test]
fn i9_mail_that_came_between_a_listing_and_our_own_deletion_ends_the_wait() {
    let place = Place::new(0..2);
    let mut session = Session { spool: Some(place.spool()) };
    let inbox = FolderRef::new("INBOX");
    let mut told = Told::default();
    session.pull(&inbox, &Nothing::default(), &mut told).unwrap();
    place.append(&posted(2));
    let op = RemoteOp::Delete { folder: inbox.clone(), ids: told.0.clone() };
    assert!(matches!(session.apply(&op).unwrap(), Applied::Done { .. }));
    assert_eq!(session.wait(&inbox, Instant::now() + PLENTY).unwrap(), Wake::Changed);
    let mut told = Told::default();
    session.pull(&inbox, &Nothing::default(), &mut told).unwrap();
    assert_eq!((told.0.len(), place.text()), (1, posted(2)));
    assert_eq!(session.wait(&inbox, Instant::now()).unwrap(), Wake::TimedOut, "all was told");
}

#[cfg(target_os = "linux")]
#[test]
fn i9_a_wait_ends_with_mail_however_it_comes_and_not_with_our_own_doing() {
    let place = Place::new(0..1);
    let mut spool = place.spool();
    ids(&mut spool);
    // Everything that happened so far was our own.
    let soon = || Instant::now() + Duration::from_millis(20);
    let late = || Instant::now() + PLENTY;
    let wait = |spool: &Spool, until| watch::wait(&spool.path, &spool.content, &spool.bell, until).unwrap();
    assert_eq!(wait(&spool, soon()), Wake::TimedOut);
    drop(spool.locked().unwrap());
    assert_eq!(wait(&spool, soon()), Wake::TimedOut);
    let name = place.dir.path().join("ada");
    let rename = |place: &Place| {
        std::fs::write(place.dir.path().join("new"), posted(3)).unwrap();
        std::fs::rename(place.dir.path().join("new"), place.path()).unwrap();
    };
    let deeds: [&(dyn Fn(&Place) + Sync); 4] = [
        &|p| p.append(&posted(1)),
        &|p| std::fs::remove_file(p.path()).unwrap(),
        &|p| std::fs::write(p.path(), posted(2)).unwrap(),
        &rename,
    ];
    for deed in deeds {
        std::thread::scope(|scope| {
            scope.spawn(|| deed(&place));
            assert_eq!(wait(&spool, late()), Wake::Changed);
        });
        ids(&mut spool);
    }
    assert!(name.exists());
    std::thread::scope(|scope| {
        scope.spawn(|| place.bell.ring());
        assert_eq!(wait(&spool, late()), Wake::Interrupted);
    });
}
