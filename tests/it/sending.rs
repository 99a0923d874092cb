//! Mail on its way out: frozen, sent once, and never shown sent when it was not.

use std::sync::Arc;

use mailtui::compose::{self, Letter};
use mailtui::config::{Account, Outlet, Protocol, Tls};
use mailtui::engine::drafting;
use mailtui::engine::{Emit, Engine, Mail, Mode, Posted, Setup, freeze, send_due};
use mailtui::error::Kind;
use mailtui::model::*;
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::memory::Server;
use mailtui::protocol::smtp;
use mailtui::secret::Secret;
use mailtui::store::{Standing, Store};

use super::support::chance;
use super::support::mta::{Faults, Mta};
use super::support::script::Script;

/// A store with one account that sends to an MTA.
struct Desk {
    mta: Mta,
    server: Server,
    store: Store,
    setup: Setup,
    id: AccountId,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new(owner: Owner) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (mta, server) = (Mta::open(), Server::new(Protocol::Imap));
        let store = Store::open(dir.path()).unwrap();
        // Its settings are of no use here but for the way out.
        let script = Script::new("--- maybe").start();
        let mut account = Account { name: "work".into(), ..script.account(Protocol::Imap, Tls::None) };
        script.give_up();
        account.sending.way = Some(Outlet::Smtp(Box::new(mta.outlet(&account))));
        let own = mta.outlet(&account);
        let far = server.clone();
        let setup = Setup {
            account,
            owner,
            protocol: "memory",
            open: Arc::new(move |interrupt| far.session(interrupt)),
            post: Some(Arc::new(move |interrupt| {
                smtp::connect(&DialOptions::from(&own, interrupt), "ann", Some(&Secret::new("word")))
            })),
            secret: None,
        };
        let id = store.account("work", "memory", owner, &setup.account.remote_key()).unwrap();
        Self { mta, server, store, setup, id, _dir: dir }
    }

    fn freeze(&self, to: &[&str]) -> i64 {
        let people = |list: &[&str]| -> Vec<Address> {
            list.iter().map(|addr| Address { name: String::new(), addr: (*addr).to_owned() }).collect()
        };
        let letter = Letter {
            from: Address { name: "Ann".into(), addr: "ann@example.org".into() },
            to: people(&to[..1]),
            bcc: people(&to[1..]),
            subject: "Dots".into(),
            text: "first\n.\n..\nlast".into(),
            ..Letter::default()
        };
        let raw = compose::build(&letter, "one@example.org", "Mon, 23 Nov 2026 10:00:00 +0100").unwrap();
        let mail = Mail { raw, from: "ann@example.org".into(), to: letter.recipients(), ..Mail::default() };
        freeze(&self.store, &self.setup.account, self.id, mail).unwrap()
    }

    fn send(&self) -> Posted {
        send_due(&self.store, &self.setup, &Interrupt::new().unwrap()).unwrap()
    }

    /// How a mail stands; `None`: it is not in the outbox any more.
    fn standing(&self, id: i64) -> Option<Standing> {
        self.store.reader().unwrap().matter(Matter::Outgoing(id)).unwrap().map(|entry| entry.standing)
    }

    fn sent(&self) -> u64 {
        let reader = self.store.reader().unwrap();
        reader.folder_by_role(self.id, Role::Sent).unwrap().map_or(0, |folder| u64::from(folder.total))
    }
}

#[test]
fn o1_o4_a_mail_is_sent_as_it_was_frozen_and_its_copy_is_filed_on_the_server() {
    let desk = Desk::new(Owner::Server);
    let id = desk.freeze(&["bob@example.org", "eve@example.org"]);
    assert_eq!(desk.standing(id), Some(Standing::Queued));
    let posted = desk.send();
    assert_eq!((posted.sent, posted.trouble.is_none()), (1, true));
    assert_eq!(desk.standing(id), None);
    let taken = desk.mta.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].from, "ann@example.org");
    assert_eq!(taken[0].to, ["bob@example.org", "eve@example.org"]);
    let text = String::from_utf8(taken[0].bytes.clone()).unwrap();
    assert!(text.ends_with("first\r\n.\r\n..\r\nlast\r\n"), "{text}");
    assert!(!text.contains("eve") && !text.contains("127.0.0.1"), "{text}");
    assert_eq!(desk.sent(), 1);

    // The copy is put on the server, once, as it was sent.
    for _ in 0..2 {
        let emit: Emit = Arc::new(|_| {});
        let ended = Engine::start(&desk.store, vec![desk.setup.clone()], Mode::Once, &emit).unwrap().join();
        ended.into_iter().for_each(|(_, report)| drop(report.unwrap()));
    }
    let there: Vec<Vec<u8>> =
        desk.server.mails("Sent").iter().map(|mail| mail.source.bytes().to_vec()).collect();
    assert_eq!(there, [taken[0].bytes.clone()]);
    assert_eq!(desk.sent(), 1);
    assert_eq!(desk.store.reader().unwrap().check().unwrap(), Vec::<String>::new());
}

#[test]
fn o4_where_the_mail_lives_here_its_copy_does_too() {
    let desk = Desk::new(Owner::Here);
    desk.freeze(&["bob@example.org"]);
    assert_eq!((desk.send().sent, desk.sent()), (1, 1));
    assert_eq!(desk.send().sent, 0);
    assert_eq!(desk.mta.copies("bob@example.org"), 1);
}

#[test]
fn o3_each_recipient_is_judged_alone_and_a_retry_goes_only_to_those_without_it() {
    let desk = Desk::new(Owner::Here);
    let id = desk.freeze(&["bob@example.org", "full@example.org", "no@example.org"]);
    let answer = |to: &str, say: &str| (format!("RCPT TO:<{}", to.to_uppercase()), say.to_owned());
    let no = answer("no@", "550 5.1.1 unknown user");
    let answers = vec![answer("full@", "452 4.2.2 mailbox full"), no.clone()];
    desk.mta.fail(Faults { answers, ..Faults::default() });
    let posted = desk.send();
    assert_eq!(posted.sent, 1);
    assert!(posted.trouble.unwrap().to_string().contains("no@example.org"));
    assert!(matches!(desk.standing(id), Some(Standing::Waiting(_))));
    assert_eq!(desk.sent(), 1, "some have it");
    desk.mta.fail(Faults { answers: vec![no], ..Faults::default() });
    desk.send();
    assert_eq!(desk.standing(id), Some(Standing::Failed));
    let told = desk.store.reader().unwrap().recipients(id).unwrap();
    assert_eq!(
        told.iter().map(|(_, state, _)| state.as_str()).collect::<Vec<_>>(),
        ["accepted", "accepted", "refused"]
    );
    assert!(told[2].2.contains("unknown user"), "{told:?}");
    // What is refused waits for the user.
    assert_eq!(desk.send().sent, 0);
    desk.mta.fail(Faults::default());
    desk.store
        .intend_wait(Intent::Settle { how: Settle::Retry, reach: Reach::These(vec![Matter::Outgoing(id)]) })
        .unwrap();
    assert_eq!(desk.send().sent, 1);
    assert_eq!(desk.standing(id), None);
    for who in ["bob@example.org", "full@example.org", "no@example.org"] {
        assert_eq!(desk.mta.copies(who), 1, "{who}");
    }
    assert_eq!(desk.sent(), 1);
}

#[test]
fn o2_what_a_server_says_decides_whether_it_is_tried_again() {
    for (command, say, stands, sends_again) in [
        ("MAIL", "451 4.3.0 busy", "waiting", true),
        ("MAIL", "550 5.7.1 not you", "failed", false),
        ("RCPT", "450 4.2.0 grey", "waiting", true),
        ("RCPT", "550 5.1.1 nobody", "failed", false),
        ("DATA", "451 4.3.0 busy", "waiting", true),
        ("DATA", "554 5.6.0 no", "failed", false),
        (".", "452 4.3.1 full", "waiting", true),
        (".", "554 5.7.1 spam", "failed", false),
        ("EHLO", "421 4.3.2 going down", "waiting", true),
        ("AUTH", "535 5.7.8 wrong", "failed", false),
        ("AUTH", "454 4.7.0 later", "waiting", true),
    ] {
        let desk = Desk::new(Owner::Here);
        let id = desk.freeze(&["bob@example.org"]);
        desk.mta.fail(Faults { answers: vec![(command.into(), say.into())], ..Faults::default() });
        let posted = desk.send();
        let at = format!("{command} {say}");
        assert_eq!(posted.sent, 0, "{at}");
        assert!(posted.trouble.unwrap().to_string().contains(&say[4..]), "{at}");
        assert_eq!(desk.standing(id).map(Standing::name), Some(stands), "{at}");
        assert_eq!(desk.sent(), 0, "{at}");
        desk.mta.fail(Faults::default());
        assert_eq!(desk.send().sent, u64::from(sends_again), "{at}");
        assert_eq!(desk.mta.copies("bob@example.org"), usize::from(sends_again), "{at}");
    }
}

#[test]
fn a7_a_refused_secret_is_said_once_for_all_that_waits() {
    let desk = Desk::new(Owner::Here);
    let ids: Vec<i64> = (0..5).map(|_| desk.freeze(&["bob@example.org"])).collect();
    desk.mta.fail(Faults { answers: vec![("AUTH".into(), "535 5.7.8 wrong".into())], ..Faults::default() });
    assert_eq!(desk.send().trouble.unwrap().kind(), Kind::Auth);
    desk.send();
    assert_eq!(desk.mta.connections(), 1);
    assert!(ids.iter().all(|id| desk.standing(*id) == Some(Standing::Failed)));
}

/// Breaks a session at these bytes; whatever happens nobody gets a mail twice, and what is shown is true. Where it was
/// not known, and how often the mail went out although the line broke.
fn break_at(cuts: impl Iterator<Item = usize>, fault: impl Fn(usize) -> Faults) -> Vec<usize> {
    let desk = Desk::new(Owner::Here);
    let (mut unsure, mut filed) = (Vec::new(), 0);
    for at in cuts {
        let [bob, eve] = ["bob", "eve"].map(|who| format!("{who}{at:04}@example.org"));
        let id = desk.freeze(&[&bob, &eve]);
        desk.mta.fail(fault(at));
        desk.send();
        desk.mta.fail(Faults::default());
        // Tried again as often as it likes.
        for _ in 0..3 {
            desk.send();
        }
        let copies = (desk.mta.copies(&bob), desk.mta.copies(&eve));
        match desk.standing(id) {
            None => {
                filed += 1;
                assert_eq!(copies, (1, 1), "cut at {at}");
            }
            Some(Standing::Unsure) => {
                unsure.push(at);
                assert!(copies.0 <= 1 && copies.0 == copies.1, "cut at {at}: {copies:?}");
            }
            other => panic!("cut at {at}: {other:?}"),
        }
        assert_eq!(desk.sent(), filed, "cut at {at}: shown sent");
    }
    assert_eq!(desk.store.reader().unwrap().check().unwrap(), Vec::<String>::new());
    unsure
}

/// How many bytes a whole session has, heard and said, and how many were heard before the mail.
fn session() -> (usize, usize, usize) {
    let desk = Desk::new(Owner::Here);
    desk.freeze(&["bob0000@example.org", "eve0000@example.org"]);
    desk.mta.fail(Faults::default());
    desk.send();
    let (heard, said) = desk.mta.passed();
    (heard, said, heard - desk.mta.taken()[0].bytes.len() - ".\r\n".len() - "QUIT\r\n".len())
}

/// Each in turn in a campaign, else some, and all near the end of the mail, where it matters.
fn some(most: usize, dense: std::ops::Range<usize>, stride: usize) -> impl Iterator<Item = usize> {
    let all = chance::is_campaign();
    (0..most).filter(move |at| all || at % stride == 0 || dense.contains(at))
}

#[test]
fn o2_a_line_that_is_cut_at_any_byte_to_the_server_loses_and_doubles_nothing() {
    let (heard, _, head) = session();
    let dense = heard - 14..heard;
    let unsure = break_at(some(heard, dense, 23), |at| Faults { cut_heard: Some(at), ..Faults::default() });
    // Before a byte of the mail was said it is known.
    assert!(unsure.iter().all(|at| *at > head), "{unsure:?}");
}

#[test]
fn o2_a_line_that_is_cut_at_any_byte_of_the_server_loses_and_doubles_nothing() {
    let (_, said, _) = session();
    let answer = "250 taken\r\n".len();
    let end = said - "221 bye\r\n".len();
    let unsure = break_at(some(said, end - answer - 2..said, 11), |at| Faults {
        cut_said: Some(at),
        ..Faults::default()
    });
    // As long as the answer to the end is not whole, and only then.
    assert_eq!(unsure, (end - answer..end).collect::<Vec<_>>());
}

#[test]
fn o2_each_answer_that_is_lost_leaves_one_mail_or_says_that_it_is_not_known() {
    let desk = Desk::new(Owner::Here);
    for (n, command) in ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", ".", "QUIT"].into_iter().enumerate() {
        let who = format!("bob{n}@example.org");
        let id = desk.freeze(&[&who]);
        desk.mta.fail(Faults { lost: Some(command.into()), ..Faults::default() });
        desk.send();
        desk.mta.fail(Faults::default());
        desk.send();
        let stands = (command == ".").then_some(Standing::Unsure);
        assert_eq!((desk.standing(id), desk.mta.copies(&who)), (stands, 1), "{command}");
    }
    assert_eq!(desk.sent(), 6);
}

#[test]
fn o2_the_user_decides_about_a_mail_that_may_have_been_sent() {
    for (how, copies, sent) in [(Settle::Retry, 2, 1), (Settle::Accept, 1, 1), (Settle::Discard, 1, 0)] {
        let desk = Desk::new(Owner::Here);
        let id = desk.freeze(&["bob@example.org"]);
        desk.mta.fail(Faults { lost: Some(".".into()), ..Faults::default() });
        desk.send();
        assert_eq!(desk.standing(id), Some(Standing::Unsure));
        desk.mta.fail(Faults::default());
        desk.store.intend_wait(Intent::Settle { how: Settle::Retry, reach: Reach::Everything }).unwrap();
        desk.send();
        assert_eq!(desk.standing(id), Some(Standing::Unsure), "all at once is not about this one");
        desk.store
            .intend_wait(Intent::Settle { how, reach: Reach::These(vec![Matter::Outgoing(id)]) })
            .unwrap();
        desk.send();
        assert_eq!(desk.standing(id), None, "{how:?}");
        assert_eq!((desk.mta.copies("bob@example.org"), desk.sent()), (copies, sent), "{how:?}");
        assert_eq!(desk.store.reader().unwrap().check().unwrap(), Vec::<String>::new());
    }
}

fn kept(desk: &Desk, file: &std::path::Path) -> (DraftId, Draft) {
    let attached = Attached {
        name: "notes.txt".into(),
        media: "text/plain".into(),
        size: 0,
        source: AttachedFrom::File(file.to_owned()),
    };
    let draft = Draft {
        to: "Bob <bob@example.org>".into(),
        bcc: "eve@example.org".into(),
        subject: "Notes".into(),
        body: "Here they are.\n".into(),
        attachments: vec![attached],
        ..Draft::new(desk.id, "Ann <ann@example.org>")
    };
    (desk.store.save_draft(None, "draft@example.org", &draft).unwrap().0, draft)
}

const DATE: &str = "Mon, 23 Nov 2026 10:00:00 +0100";

#[test]
fn o1_a_draft_is_sent_taken_back_written_on_and_sent_once() {
    let desk = Desk::new(Owner::Here);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "first").unwrap();
    let (id, mut draft) = kept(&desk, file.path());
    let send = || drafting::send(&desk.store, &desk.setup.account, id, i64::MAX, DATE).unwrap();
    let drafts = || desk.store.reader().unwrap().drafts().unwrap();
    // What was frozen from an older version than is kept is not sent.
    let old = Mail {
        raw: b"From: ann@example.org\r\n\r\nold\r\n".to_vec(),
        to: vec![Address { name: String::new(), addr: "bob@example.org".into() }],
        draft: Some((id, 0)),
        ..Mail::default()
    };
    let stale = freeze(&desk.store, &desk.setup.account, desk.id, old).unwrap_err();
    assert_eq!(stale.kind(), Kind::Conflict);
    let row = send();
    assert!(drafts().is_empty(), "it is on its way out");
    assert!(!desk.store.discard_draft(id).unwrap());
    let twice = drafting::send(&desk.store, &desk.setup.account, id, 0, DATE).unwrap_err();
    assert_eq!(twice.kind(), Kind::Conflict);
    assert_eq!(desk.send().sent, 0, "it waits");
    assert_eq!(desk.store.take_back(row).unwrap(), Some(id));
    assert_eq!((desk.standing(row), drafts().len()), (None, 1));
    assert_eq!(drafts()[0].draft, draft);
    draft.subject = "Better notes".into();
    let version = drafts()[0].version;
    assert_eq!(desk.store.save_draft(Some((id, version)), "", &draft).unwrap(), (id, version + 1));
    let row = drafting::send(&desk.store, &desk.setup.account, id, 0, DATE).unwrap();
    // What the file becomes after that is not what was sent.
    std::fs::write(file.path(), "second").unwrap();
    assert_eq!(desk.send().sent, 1);
    assert_eq!((desk.mta.copies("bob@example.org"), desk.mta.copies("eve@example.org")), (1, 1));
    let taken = desk.mta.taken();
    let mail = mailparse::parse_mail(&taken[0].bytes).unwrap();
    assert_eq!(
        mailparse::MailHeaderMap::get_first_value(&mail.headers[..], "Subject").unwrap(),
        "Better notes"
    );
    assert_eq!(mail.subparts[1].get_body_raw().unwrap(), b"first");
    assert!(!String::from_utf8_lossy(&taken[0].bytes).contains("eve"));
    assert!(drafts().is_empty() && desk.store.reader().unwrap().draft(id).unwrap().is_none());
    assert_eq!(desk.store.take_back(row).unwrap(), None, "too late");
}

#[test]
fn o1_what_cannot_be_sent_stays_a_draft_and_is_said() {
    let desk = Desk::new(Owner::Here);
    let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    let (id, draft) = kept(&desk, &file);
    file.close().unwrap();
    let send = || drafting::send(&desk.store, &desk.setup.account, id, 0, DATE).unwrap_err();
    let error = send();
    assert_eq!(error.kind(), Kind::Gone);
    assert!(error.to_string().contains("notes.txt"), "{error}");
    let spoil = |change: &dyn Fn(&mut Draft)| {
        let mut draft = Draft { attachments: Vec::new(), ..draft.clone() };
        change(&mut draft);
        let version = desk.store.reader().unwrap().draft(id).unwrap().unwrap().version;
        assert_eq!(desk.store.save_draft(Some((id, version)), "", &draft).unwrap().0, id);
    };
    let none = |d: &mut Draft| (d.to.clear(), d.bcc.clear()).0;
    let changes: [&dyn Fn(&mut Draft); 4] =
        [&none, &|d| d.to = "-f@example.org".into(), &|d| d.cc = "bob@example.org, Carl".into(), &|d| {
            d.from = "a@b.org, c@d.org".into()
        }];
    for change in changes {
        spoil(change);
        let error = send();
        assert_eq!(error.kind(), Kind::Config, "{error}");
    }
    assert_eq!(desk.store.reader().unwrap().drafts().unwrap().len(), 1);
    assert_eq!((desk.send().sent, desk.mta.taken().len()), (0, 0));
}

#[test]
fn o3_a_mail_that_somebody_got_is_not_taken_back() {
    let desk = Desk::new(Owner::Here);
    let (id, _) = kept(&desk, std::path::Path::new("/dev/null/none"));
    let draft =
        Draft { attachments: Vec::new(), ..desk.store.reader().unwrap().draft(id).unwrap().unwrap().draft };
    desk.store.save_draft(Some((id, 1)), "", &draft).unwrap();
    let row = drafting::send(&desk.store, &desk.setup.account, id, 0, DATE).unwrap();
    let answers = vec![("RCPT TO:<EVE@".to_owned(), "550 5.1.1 unknown user".to_owned())];
    desk.mta.fail(Faults { answers, ..Faults::default() });
    desk.send();
    assert_eq!(desk.standing(row), Some(Standing::Failed));
    assert_eq!(desk.store.take_back(row).unwrap(), None);
    assert_eq!(desk.standing(row), Some(Standing::Failed));
}

/// What a server tells of the mail that [`Desk::freeze`] froze.
fn report(action: &str, status: &str, msgid: &str) -> Vec<u8> {
    format!(
        "From: MAILER-DAEMON@mx.example.org\r\nTo: ann@example.org\r\nSubject: About your mail\r\n\
         Message-ID: <{action}-{status}@mx.example.org>\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is the mail system.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
         Final-Recipient: rfc822; bob@example.org\r\nAction: {action}\r\nStatus: {status}\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\nSubject: Dots\r\nMessage-ID: <{msgid}>\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn o8_a_delivery_report_marks_what_was_sent_and_says_so_in_words() {
    let desk = Desk::new(Owner::Server);
    desk.freeze(&["bob@example.org"]);
    assert_eq!(desk.send().sent, 1);
    let sync = || {
        let emit: Emit = Arc::new(|_| {});
        let ended = Engine::start(&desk.store, vec![desk.setup.clone()], Mode::Once, &emit).unwrap().join();
        ended.into_iter().for_each(|(_, report)| drop(report.unwrap()));
    };
    sync();
    let tags = || desk.server.mails("Sent")[0].keywords.clone();
    let tidings = |raw: &[u8]| {
        let told =
            mailtui::engine::report::tidings(&desk.store.reader().unwrap(), desk.id, raw).unwrap().unwrap();
        (told.lines[0].to_string(), told.original.is_some())
    };
    let late = report("delayed", "4.4.1", "one@example.org");
    desk.server.deliver("INBOX", late.clone(), Flags::NONE, 1_790_000_000);
    sync();
    assert_eq!(tags(), ["delayed"]);
    let words = "your mail to bob@example.org is delayed and still being tried: the server does not answer";
    assert_eq!(tidings(&late), (words.to_owned(), true));

    let failed = report("failed", "5.1.1", "one@example.org");
    desk.server.deliver("INBOX", failed.clone(), Flags::NONE, 1_790_000_100);
    sync();
    assert_eq!(tags(), ["undelivered"]);
    let words = "your mail to bob@example.org was not delivered: unknown user";
    assert_eq!(tidings(&failed), (words.to_owned(), true));

    // One about another's mail marks nothing, and says what it is.
    let other = report("failed", "5.2.2", "spam@example.net");
    desk.server.deliver("INBOX", other.clone(), Flags::NONE, 1_790_000_200);
    sync();
    let (words, is_own) = tidings(&other);
    assert!(
        words.contains("not sent from here") && words.contains("the mailbox is full") && !is_own,
        "{words}"
    );
    assert_eq!(tags(), ["undelivered"]);
    assert_eq!(desk.store.reader().unwrap().check().unwrap(), Vec::<String>::new());
}
