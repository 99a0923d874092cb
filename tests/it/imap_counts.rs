//! Round trips and bytes, counted (goals S1, S3, S4): what is said in one go stands in the script before the server
//! says anything, and whatever is not in the script is not said.

use std::sync::{Arc, Mutex};

use mailtui::config::{Protocol, Tls};
use mailtui::engine::{Emit, Engine, Event, Mode, Report, Setup};
use mailtui::model::{Owner, Role};
use mailtui::net::DialOptions;
use mailtui::protocol::imap::connect_with;
use mailtui::secret::Secret;
use mailtui::store::Store;

use crate::support::script::{Heard, Script};

const GREETING: &str =
    "S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hello\nC: a1 AUTHENTICATE PLAIN *\n";
const CAPS: &str = "IMAP4rev1 ENABLE CONDSTORE QRESYNC ESEARCH UIDPLUS MOVE IDLE LIST-EXTENDED LIST-STATUS";

/// One run of the program against a server that follows this script.
fn run(store: &Store, script: &str) -> (Report, Heard) {
    run_telling(store, script, &(Arc::new(|_| {}) as Emit))
}

fn run_telling(store: &Store, script: &str, emit: &Emit) -> (Report, Heard) {
    let server = Script::new(script).start();
    let account = server.account(Protocol::Imap, Tls::None);
    let far = account.clone();
    let open: mailtui::engine::Opener = Arc::new(move |bell| {
        Ok(Box::new(connect_with(&DialOptions::from(&far, bell), "ann", &Secret::new("secret"))?))
    });
    // The store knows the account by its address, which differs in each run.
    let account = mailtui::config::Account { port: 143, ..account };
    let setup = Setup { account, owner: Owner::Server, protocol: "imap", open, post: None, secret: None };
    let report = Engine::start(store, vec![setup], Mode::Once, emit).unwrap().join().remove(0).1;
    let heard = server.finish();
    (report.unwrap(), heard)
}

fn inbox(store: &Store) -> mailtui::model::Folder {
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    reader.folder_by_role(account, Role::Inbox).unwrap().unwrap()
}

/// Up to the list of folders, which `listed` answers.
fn begin(caps: &str, listed: &str) -> String {
    format!(
        "{GREETING}S: a1 OK [CAPABILITY {caps}] in\nC: m1 ENABLE QRESYNC\nC: m2 LIST *\nS: * ENABLED QRESYNC\nS: m1 OK\n{listed}S: m2 OK\n"
    )
}

fn status(name: &str, messages: u32, uidnext: u32, modseq: u64) -> String {
    format!(
        "S: * LIST () \"/\" {name}\nS: * STATUS {name} (MESSAGES {messages} UIDNEXT {uidnext} UIDVALIDITY 7 HIGHESTMODSEQ {modseq})\n"
    )
}

fn told(exists: u32, uidnext: u32, modseq: u64) -> String {
    format!(
        "S: * {exists} EXISTS\nS: * OK [UIDVALIDITY 7]\nS: * OK [UIDNEXT {uidnext}]\nS: * OK [HIGHESTMODSEQ {modseq}]\n"
    )
}

fn head(uid: u32, flags: &str) -> String {
    let text = format!("Subject: {uid}\\r\\n\\r\\n");
    let size = text.replace("\\r\\n", "..").len();
    // Bodies come newest first.
    let date = format!("17-Jul-2026 {:02}:{:02}:{:02} +0000", uid / 3600, uid / 60 % 60, uid % 60);
    format!(
        "S> * {uid} FETCH (UID {uid} FLAGS ({flags}) INTERNALDATE \"{date}\" RFC822.SIZE {size} BODY[HEADER] {{{size}}}\\r\\n{text})\\r\\n\n"
    )
}

fn body(uid: u32) -> String {
    let text = format!("Subject: {uid}\\r\\n\\r\\n");
    let size = text.replace("\\r\\n", "..").len();
    format!("S> * {uid} FETCH (UID {uid} BODY[] {{{size}}}\\r\\n{text})\\r\\n\n")
}

/// A first sync of the inbox with mails 1 to `count`, and of folders without mail.
fn first(store: &Store, count: u32, others: &str) {
    let mut script = begin(CAPS, &(status("INBOX", count, count + 1, 5) + others));
    if count > 0 {
        // The newest are asked for along with SELECT: on screen one round trip after the list of folders.
        script += &format!(
            "C: m3 SELECT \"INBOX\" (CONDSTORE)\nC: m4 FETCH {}:* *\n",
            count.saturating_sub(199).max(1)
        );
        if count > 200 {
            script += "C: m5 UID SEARCH *\n";
        }
        script += &(told(count, count + 1, 5) + "S: m3 OK\n");
        script += &(1..=count).rev().take(200).map(|uid| head(uid, "")).collect::<String>();
        script += "S: m4 OK\n";
        let mut tag = 5;
        if count > 200 {
            script += &format!("S: * ESEARCH UID ALL 1:{count}\nS: m5 OK\n");
            tag = 6;
            let mut top = count - 200;
            let mut asked = Vec::new();
            while top > 0 && asked.len() < 6 {
                let low = top.saturating_sub(49).max(1);
                asked.push((low, top));
                top = low - 1;
            }
            assert_eq!(top, 0, "no more windows than are asked for ahead");
            for (low, top) in &asked {
                script += &format!("C: m{tag} UID FETCH {low}:{top} *\n");
                tag += 1;
            }
            for (at, (low, top)) in asked.iter().enumerate() {
                script += &(*low..=*top).map(|uid| head(uid, "")).collect::<String>();
                script += &format!("S: m{} OK\n", 6 + at);
            }
        }
        // All bodies are small: as many go into one command as it may have.
        let mut top = count;
        let mut windows = Vec::new();
        while top > 0 {
            let low = top.saturating_sub(199).max(1);
            windows.push((low, top));
            top = low - 1;
        }
        for (low, top) in &windows {
            let set = if low == top { low.to_string() } else { format!("{low}:{top}") };
            script += &format!("C: m{tag} UID FETCH {set} (UID BODY.PEEK[])\n");
            script += &(*low..=*top).map(body).collect::<String>();
            script += &format!("S: m{tag} OK\n");
            tag += 1;
        }
    }
    script += "C: * LOGOUT\nEOF";
    assert_eq!(run(store, &script).0.new, u64::from(count));
}

#[test]
fn s1_the_newest_are_there_one_round_trip_after_the_folders_and_each_mail_comes_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    first(&store, 500, "");
    assert_eq!(inbox(&store).total, 500);
}

#[test]
fn s4_a_thousand_unchanged_folders_cost_one_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let others: String = (1..1000).map(|n| status(&format!("f{n}"), 0, 1, 1)).collect();
    first(&store, 3, &others);
    let script = begin(CAPS, &(status("INBOX", 3, 4, 5) + &others)) + "C: m3 LOGOUT\nEOF";
    let (report, heard) = run(&store, &script);
    assert_eq!((report.new, report.bytes), (0, 0));
    assert!(heard.clear.len() < 300, "{} bytes said", heard.clear.len());
}

#[test]
fn s4_without_list_status_the_states_of_all_folders_are_asked_for_in_one_go() {
    let caps = CAPS.replace(" LIST-EXTENDED LIST-STATUS", "");
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let names: Vec<String> = (1..100).map(|n| format!("f{n}")).collect();
    let state = |name: &str, uidnext, modseq| {
        format!("S: * STATUS {name} (MESSAGES 0 UIDNEXT {uidnext} UIDVALIDITY 7 HIGHESTMODSEQ {modseq})\n")
    };
    let script = |first: bool| {
        let mut script = format!(
            "{GREETING}S: a1 OK [CAPABILITY {caps}] in\nC: m1 ENABLE QRESYNC\nC: m2 LIST \"\" \"*\"\nC: m3 LSUB \"\" \"*\"\n"
        );
        script += "S: * ENABLED QRESYNC\nS: m1 OK\nS: * LIST () \"/\" INBOX\n";
        script += &names.iter().map(|name| format!("S: * LIST () \"/\" {name}\n")).collect::<String>();
        script += "S: m2 OK\nS: m3 OK\n";
        for (at, name) in ["\"INBOX\"".to_owned()].iter().chain(&names).enumerate() {
            let name = name.trim_matches('"');
            script +=
                &format!("C: m{} STATUS \"{name}\" (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\n", at + 4);
        }
        script += &(state("INBOX", 1, 1) + "S: m4 OK\n");
        for (at, name) in names.iter().enumerate() {
            // One is refused: it is opened. Its server lost count of changes.
            let refused = name == "f7";
            script += &if refused { String::new() } else { state(name, 1, 1) };
            script += &format!("S: m{} {}\n", at + 5, if refused { "NO" } else { "OK" });
        }
        script += if first {
            "C: m104 SELECT \"f7\" (CONDSTORE)\n"
        } else {
            "C: m104 SELECT \"f7\" (QRESYNC (7 1))\n"
        };
        script + &told(0, 1, 1) + "S: m104 OK\nC: m105 LOGOUT\nEOF"
    };
    run(&store, &script(true));
    let (report, _) = run(&store, &script(false));
    assert_eq!((report.new, report.bytes), (0, 0));
}

#[test]
fn s4_ten_new_mails_and_a_thousand_changed_flags_take_two_round_trips_after_the_sign_in() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    first(&store, 500, "");
    let changed = |uid: u32| format!("S: * {uid} FETCH (UID {uid} FLAGS (\\\\Seen) MODSEQ (9))\n");
    let script = begin(CAPS, &status("INBOX", 510, 511, 9))
        + "C: m3 SELECT \"INBOX\" (QRESYNC (7 5))\nC: m4 UID FETCH 501:* *\n"
        + &told(510, 511, 9)
        + &(1..=500).map(changed).collect::<String>()
        + &(501..=510).map(changed).collect::<String>()
        + "S: m3 OK\n"
        + &(501..=510).map(|uid| head(uid, "\\\\Seen")).collect::<String>()
        + "S: m4 OK\nC: m5 UID FETCH 501:510 (UID BODY.PEEK[])\n"
        + &(501..=510).map(body).collect::<String>()
        + "S: m5 OK\nC: m6 LOGOUT\nEOF";
    let (report, heard) = run(&store, &script);
    assert_eq!(report.new, 10);
    assert!(heard.clear.len() < 450, "{} bytes said", heard.clear.len());
    let folder = inbox(&store);
    assert_eq!((folder.total, folder.unseen), (510, 0));
}

#[test]
fn x4_an_alert_is_told_once_in_plain_letters() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let told = Arc::<Mutex<Vec<String>>>::default();
    let hear = told.clone();
    let emit: Emit = Arc::new(move |event| {
        if let Event::Alert { text, .. } = event {
            hear.lock().unwrap().push(text.to_string());
        }
    });
    for more in ["", "S: * OK [ALERT] Full at noon\n"] {
        let list = format!(
            "S: * OK [ALERT] Down at \\x1b[31mnoon\\x07\n{more}S: * OK [ALERT] Down at \\x1b[31mnoon\\x07\n{}",
            status("INBOX", 0, 1, 1)
        );
        run_telling(&store, &format!("{}C: m3 LOGOUT", begin(CAPS, &list)), &emit);
    }
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Down at") && told[1] == "Full at noon", "{told:?}");
    assert!(told.iter().all(|text| !text.chars().any(char::is_control)), "{told:?}");
}
