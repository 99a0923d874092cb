//! Drafts and the folder of drafts, both ways (promises O5 and I7).

use std::sync::Arc;

use mailtui::compose;
use mailtui::config::{Leave, Protocol};
use mailtui::engine::{Emit, Engine, Mode, Opener, Setup, shelf};
use mailtui::model::*;
use mailtui::protocol::memory::Server;
use mailtui::store::{Adopted, Edge, Kept, Store};

use super::support::scene;

/// One mailtui with an account.
struct Desk {
    store: Store,
    setup: Setup,
    id: AccountId,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn at(server: &Server, protocol: Protocol) -> Self {
        let far = server.clone();
        let account = scene::account("work", protocol, Leave::Forever);
        Self::with(account, protocol.owner(), Arc::new(move |bell| far.session(bell)))
    }

    fn with(account: mailtui::config::Account, owner: Owner, open: Opener) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let id = store.account("work", "memory", owner, &account.remote_key()).unwrap();
        let setup = Setup { account, owner, protocol: "memory", open, post: None, secret: None };
        Self { store, setup, id, _dir: dir }
    }

    #[track_caller]
    fn sync(&self) {
        let emit: Emit = Arc::new(|_| {});
        let ended = Engine::start(&self.store, vec![self.setup.clone()], Mode::Once, &emit).unwrap().join();
        ended.into_iter().for_each(|(_, report)| drop(report.unwrap()));
        let reader = self.store.reader().unwrap();
        assert_eq!(reader.check().unwrap(), Vec::<String>::new());
        assert_eq!(reader.ops_waiting(self.id).unwrap(), 0);
        assert_eq!(reader.conflicts(self.id).unwrap(), []);
    }

    fn draft(&self, subject: &str, body: &str) -> Draft {
        Draft {
            to: "bob@example.org".into(),
            subject: subject.into(),
            body: body.into(),
            ..Draft::new(self.id, "Ada <ada@example.org>")
        }
    }

    fn save(&self, over: Option<&Kept>, draft: &Draft) -> DraftId {
        let over = over.map(|kept| (kept.id, kept.version));
        self.store.save_draft(over, "d1@example.org", draft).unwrap().0
    }

    fn drafts(&self) -> Vec<Kept> {
        self.store.reader().unwrap().drafts().unwrap()
    }

    fn only(&self) -> Kept {
        let mut drafts = self.drafts();
        assert_eq!(drafts.len(), 1, "{drafts:?}");
        drafts.remove(0)
    }

    /// The mails that the folder of a role shows here.
    fn shown(&self, role: Role) -> Vec<(MessageId, String)> {
        let reader = self.store.reader().unwrap();
        let Some(folder) = reader.folder_by_role(self.id, role).unwrap() else { return Vec::new() };
        let page = reader.page(View::Folder(folder.id), Edge::Top, 100).unwrap();
        let members = page.rows.iter().flat_map(|row| &row.members);
        let mails = members.map(|member| reader.summary(member.placement).unwrap().unwrap());
        mails.map(|mail| (mail.message, mail.subject.to_string())).collect()
    }
}

/// What a server holds in its folder of drafts.
fn there(server: &Server) -> Vec<String> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    server.mails("Drafts").iter().map(|mail| text(mail.source.bytes().to_vec())).collect()
}

/// What another client makes of a mail: the same name, another text, and its own fields.
fn edited(raw: &str, from: &str, to: &str) -> Vec<u8> {
    let kept: String = raw
        .split_inclusive("\r\n")
        .filter(|line| !line.starts_with("X-Mailtui") && !line.starts_with("Date:"))
        .collect();
    assert!(kept.contains(from), "{kept}");
    format!("Date: Tue, 24 Nov 2026 11:00:00 +0100\r\n{}", kept.replace(from, to)).into_bytes()
}

#[test]
fn o5_i7_a_draft_is_put_into_drafts_and_its_newer_version_takes_its_place() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    desk.save(None, &desk.draft("Lunch", "first\n"));
    desk.sync();
    let mails = server.mails("Drafts");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].flags, Flags::SEEN | Flags::DRAFT);
    assert!(there(&server)[0].contains("first") && there(&server)[0].contains("<d1@example.org>"));
    let first = mails[0].uid;

    // Two versions while nothing was in step: one takes the place.
    for body in ["second\n", "third\n"] {
        desk.save(Some(&desk.only()), &desk.draft("Lunch", body));
    }
    desk.sync();
    let mails = server.mails("Drafts");
    assert_eq!(mails.len(), 1, "{:?}", there(&server));
    assert!(there(&server)[0].contains("third") && mails[0].uid > first);
    assert_eq!(desk.shown(Role::Drafts).len(), 1);

    // Nothing changed: nothing is put there again.
    desk.sync();
    assert_eq!(server.mails("Drafts")[0].uid, mails[0].uid);

    // Thrown away, it goes there too.
    assert!(desk.store.discard_draft(desk.only().id).unwrap());
    desk.sync();
    assert!(there(&server).is_empty());
    assert!(desk.drafts().is_empty());
}

#[test]
fn o5_an_empty_draft_is_nothing_that_others_need() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    desk.save(None, &Draft::new(desk.id, "ada@example.org"));
    desk.sync();
    assert!(there(&server).is_empty());
}

#[test]
fn o5_what_another_client_makes_of_a_draft_comes_back() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    let id = desk.save(None, &desk.draft("Lunch", "from here\n"));
    desk.sync();
    let old = server.mails("Drafts")[0].uid;
    let raw = edited(&there(&server)[0], "from here", "from my phone");
    server.deliver("Drafts", raw, Flags::SEEN | Flags::DRAFT, 1_790_000_000);
    server.expunge("Drafts", &[old]);
    desk.sync();
    let kept = desk.only();
    assert_eq!((kept.id, kept.draft.body.as_str()), (id, "from my phone\n"));
    assert_eq!(there(&server).len(), 1);

    // Written on here, it takes the place of that one.
    desk.save(Some(&kept), &desk.draft("Lunch", "at home again\n"));
    desk.sync();
    assert_eq!(there(&server).len(), 1);
    assert!(there(&server)[0].contains("at home again"));

    // Sent or thrown away there, it goes here.
    server.expunge("Drafts", &[server.mails("Drafts")[0].uid]);
    desk.sync();
    assert!(desk.drafts().is_empty());
}

#[test]
fn o5_what_is_written_on_both_sides_is_kept_twice() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    desk.save(None, &desk.draft("Lunch", "before\n"));
    desk.sync();
    let old = server.mails("Drafts")[0].uid;
    let raw = edited(&there(&server)[0], "before", "from my phone");
    server.deliver("Drafts", raw, Flags::SEEN | Flags::DRAFT, 1_790_000_000);
    server.expunge("Drafts", &[old]);
    desk.save(Some(&desk.only()), &desk.draft("Lunch", "from here\n"));
    desk.sync();
    desk.sync();
    // The newer is the draft; the other lies beside it, and can be opened as one.
    assert_eq!(desk.only().draft.body, "from here\n");
    assert_eq!(desk.shown(Role::Drafts).len(), 2);
    assert_eq!(there(&server).len(), 2, "{:?}", there(&server));
    for text in ["from here", "from my phone"] {
        assert_eq!(there(&server).iter().filter(|raw| raw.contains(text)).count(), 1);
    }
}

#[test]
fn o5_what_comes_while_the_draft_is_written_on_here_is_a_draft_beside_it() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    let id = desk.save(None, &desk.draft("Lunch", "before\n"));
    desk.sync();
    let raw = edited(&there(&server)[0], "<d1@", "<other@");
    server.deliver("Drafts", raw, Flags::SEEN | Flags::DRAFT, 1_790_000_000);
    desk.sync();
    desk.save(Some(&desk.only()), &desk.draft("Lunch", "from here\n"));
    let reader = desk.store.reader().unwrap();
    let shown = desk.shown(Role::Drafts).into_iter();
    let theirs =
        shown.map(|(message, _)| reader.draft_of(message).unwrap()).find(|(known, _)| known.is_none());
    let (over, draft) = (Some((id, desk.only().version)), desk.draft("Lunch", "from my phone\n"));
    let (msgid, other_msgid) = ("d1@example.org".to_owned(), "d2@example.org".to_owned());
    let placement = theirs.unwrap().1.unwrap();
    desk.store.adopt_draft(Adopted { over, placement, msgid, other_msgid, draft }).unwrap().unwrap();
    let names = |kept: Kept| (kept.msgid, kept.draft.body);
    let mut here: Vec<(String, String)> = desk.drafts().into_iter().map(names).collect();
    here.sort();
    let wanted = [("d1@example.org", "from my phone\n"), ("d2@example.org", "from here\n")];
    assert_eq!(here, wanted.map(|(name, body)| (name.to_owned(), body.to_owned())));
    desk.sync();
    assert_eq!(there(&server).len(), 2, "{:?}", there(&server));
    assert!(there(&server)[1].contains("from here") && there(&server)[1].contains("<d2@"));
}

#[test]
fn o5_a_draft_that_was_thrown_away_there_and_written_on_here_stays() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    desk.save(None, &desk.draft("Lunch", "before\n"));
    desk.sync();
    server.expunge("Drafts", &[server.mails("Drafts")[0].uid]);
    desk.save(Some(&desk.only()), &desk.draft("Lunch", "after\n"));
    desk.sync();
    assert_eq!(desk.only().draft.body, "after\n");
    desk.sync();
    assert!(there(&server).len() == 1 && there(&server)[0].contains("after"), "{:?}", there(&server));
}

#[test]
fn o5_a_draft_of_another_client_is_written_on_here_with_its_files() {
    let server = Server::new(Protocol::Imap);
    let desk = Desk::at(&server, Protocol::Imap);
    let file = compose::Attachment {
        name: "a.txt".into(),
        media: "text/plain".into(),
        bytes: b"what is in it".to_vec(),
    };
    let raw = compose::shelved(
        &desk.draft("Theirs", "text\n"),
        "t@example.net",
        "Mon, 23 Nov 2026 10:00:00 +0100",
        1,
        std::slice::from_ref(&file),
    );
    server.deliver("Drafts", raw, Flags::DRAFT, 1_790_000_000);
    desk.sync();
    assert!(desk.drafts().is_empty(), "nobody opened it");
    let reader = desk.store.reader().unwrap();
    let message = desk.shown(Role::Drafts)[0].0;
    let id = shelf::open(&desk.store, &reader, desk.id, message).unwrap().unwrap();
    assert_eq!(shelf::open(&desk.store, &reader, desk.id, message).unwrap(), Some(id), "once");
    let kept = desk.only();
    assert_eq!((kept.id, kept.draft.subject.as_str(), kept.draft.attachments.len()), (id, "Theirs", 1));
    let more = Draft { body: "more text\n".into(), ..kept.draft.clone() };
    desk.save(Some(&kept), &more);
    desk.sync();
    let there = there(&server);
    assert_eq!(there.len(), 1);
    assert!(there[0].contains("more text") && there[0].contains("a.txt"), "{there:?}");
    // Its file is read from here when it is sent, wherever the mail went that it came with.
    let AttachedFrom::File(path) = &desk.only().draft.attachments[0].source else { panic!("not a file") };
    assert_eq!(std::fs::read(path).unwrap(), file.bytes);
}

#[test]
fn o5_two_mailtui_on_one_account_write_on_one_draft() {
    let server = Server::new(Protocol::Imap);
    let (one, two) = (Desk::at(&server, Protocol::Imap), Desk::at(&server, Protocol::Imap));
    one.save(None, &one.draft("Lunch", "one\n"));
    one.sync();
    two.sync();
    let message = two.shown(Role::Drafts)[0].0;
    shelf::open(&two.store, &two.store.reader().unwrap(), two.id, message).unwrap().unwrap();
    two.save(Some(&two.only()), &two.draft("Lunch", "two\n"));
    two.sync();
    one.sync();
    assert_eq!(one.only().draft.body, "two\n");
    one.save(Some(&one.only()), &one.draft("Lunch", "three\n"));
    one.sync();
    two.sync();
    assert_eq!(two.only().draft.body, "three\n");
    assert_eq!(there(&server).len(), 1);
    // Both at once: both are kept, on both sides and on the server.
    one.save(Some(&one.only()), &one.draft("Lunch", "four\n"));
    two.save(Some(&two.only()), &two.draft("Lunch", "five\n"));
    for desk in [&one, &two, &one, &two, &one] {
        desk.sync();
    }
    let all = there(&server).join("\n");
    assert!(all.contains("four") && all.contains("five"), "{all}");
    assert_eq!(there(&server).len(), 2, "{all}");
}

#[test]
fn o5_where_mail_lives_here_drafts_are_shown_in_their_folder() {
    let server = Server::new(Protocol::Pop3);
    let desk = Desk::at(&server, Protocol::Pop3);
    desk.save(None, &desk.draft("Lunch", "one\n"));
    desk.sync();
    desk.save(Some(&desk.only()), &desk.draft("Dinner", "two\n"));
    desk.sync();
    let shown = desk.shown(Role::Drafts);
    assert_eq!(shown.iter().map(|(_, subject)| subject.as_str()).collect::<Vec<_>>(), ["Dinner"]);
    assert!(server.mails("INBOX").is_empty());
    // Taken out of the folder, it is no draft any more.
    let reader = desk.store.reader().unwrap();
    let copies = reader.copies_of(shown[0].0).unwrap().into_iter().map(|copy| copy.placement).collect();
    let intent = Intent::Move { items: copies, to: Target::Role(Role::Trash) };
    assert_eq!(desk.store.intend_wait(intent).unwrap().error, None);
    assert!(desk.drafts().is_empty());
}
