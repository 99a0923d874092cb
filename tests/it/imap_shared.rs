//! Folders that are not the user's own (NAMESPACE, RFC 2342) on a real server with rights (ACL, RFC 4314): what is not
//! allowed there is a conflict in plain words, and no mail is lost by it (promises I6, I10, I12, A2).

use mailtui::config::{Protocol, Tls};
use mailtui::model::*;
use mailtui::protocol::memory::Server;
use mailtui::protocol::{MailProtocol, RemoteOp};

use crate::support::dovecot;
use crate::support::imap::session;
use crate::support::pair::*;

/// Folders that everybody has, with rights.
const PUBLIC: &str = "
mail_plugins = acl
protocol imap {
  mail_plugins = imap_zlib acl
}
plugin {
  acl = vfile
}
namespace public {
  type = public
  separator = /
  prefix = Public/
  location = maildir:~/../public
  subscriptions = no
  list = yes
}
";

fn folder(pair: &Pair, path: &str) -> Option<Folder> {
    let all = pair.reader().folders(pair.account("work")).unwrap();
    all.into_iter().find(|folder| folder.path.as_str() == path)
}

/// Tries what is queued, and says what became of it.
fn refused(pair: &Pair, intent: Intent, items: usize) -> String {
    pair.act(intent);
    (0..2).for_each(|_| drop(pair.sync(&[&pair.work])));
    let conflicts = pair.reader().conflicts(pair.account("work")).unwrap();
    assert_eq!(conflicts.len(), items, "{conflicts:?}");
    let reach = Reach::Account(pair.account("work"));
    pair.act(Intent::Settle { how: Settle::Discard, reach });
    pair.settle();
    conflicts[0].error.clone()
}

#[test]
fn i10_i12_shared_folders_are_listed_and_read_and_what_is_not_allowed_there_is_a_conflict() {
    let Some(server) = dovecot::start(PUBLIC) else { return };
    let server: &'static dovecot::Dovecot = Box::leak(Box::new(server));
    server.public("Rules", "anyone lr\n", &raw(1));
    server.public("Board", "anyone lrsip\n", &raw(2));
    let user = server.user();
    user.deliver("INBOX", &raw(3));
    let work = Side::on_dovecot("work", user, Protocol::Imap, Tls::None);
    let home = Side::memory("home", Protocol::Imap, Server::new(Protocol::Imap));
    let pair = Pair::new(work, home);
    let (rules, board) = (folder(&pair, "Public/Rules").unwrap(), folder(&pair, "Public/Board").unwrap());
    assert_eq!((rules.role, board.role, rules.total, board.total), (None, None, 1, 1));
    let reader = pair.reader();
    let held = |folder: &Folder| pair.copies(folder.id);
    let bytes =
        |copy: PlacementId| reader.raw(reader.summary(copy).unwrap().unwrap().message, 1 << 20).unwrap();
    assert_eq!((bytes(held(&rules)[0]), bytes(held(&board)[0])), (raw(1), raw(2)), "every byte");
    let inbox = pair.folder("work", Role::Inbox);
    let archive = pair.folder("work", Role::Archive);
    let counts = || {
        let there =
            [&rules.remote, &board.remote, "INBOX", "Archive"].map(|name| pair.work.there(name).len());
        let here = [rules.id, board.id, inbox, archive].map(|id| pair.copies(id).len());
        (there, here)
    };
    let as_it_was = ([1, 1, 1, 0], [1, 1, 1, 0]);
    assert_eq!(counts(), as_it_was);

    // Into a folder that takes none, and out of one that gives none away.
    let into = Intent::Move { items: pair.copies(inbox), to: Target::Folder(rules.id) };
    let said = refused(&pair, into, 1);
    assert!(said.contains("does not allow that in this folder"), "{said}");
    assert_eq!(counts(), as_it_was);
    for from in [&rules, &board] {
        let out = Intent::Move { items: held(from), to: Target::Folder(archive) };
        let said = refused(&pair, out, 1);
        assert!(said.contains("read-only on the server") || said.contains("does not allow that"), "{said}");
        assert_eq!(counts(), as_it_was, "{said}");
    }
    // A mark that may not be made.
    let flag = Intent::Flag { items: held(&rules), delta: FlagDelta::add(Flags::FLAGGED), undoable: true };
    let said = refused(&pair, flag, 1);
    assert!(said.contains("read-only on the server"), "{said}");
    // What is allowed is done.
    pair.act(Intent::Move { items: pair.copies(inbox), to: Target::Folder(board.id) });
    pair.settle();
    assert_eq!(counts(), ([1, 2, 0, 0], [1, 2, 0, 0]));
}

#[test]
fn i10_a_server_that_names_only_what_is_shared_is_asked_how_folders_are_named() {
    let (server, mut first) = session(
        "IMAP4rev1 NAMESPACE",
        "C: m1 NAMESPACE\nS: * NAMESPACE NIL NIL ((\"shared.\" \".\"))\nS: m1 OK\n\
         C: m2 LIST \"\" \"\"\nS: * LIST (\\\\Noselect) \".\" \"\"\nS: m2 OK\n\
         C: m3 CREATE \"a.b\"\nC: m4 SUBSCRIBE \"a.b\"\nS: m3 OK\nS: m4 OK",
    );
    first.apply(&RemoteOp::CreateFolder { path: "a/b".into() }).unwrap();
    drop(first);
    server.finish();
    let (server, mut session) = session(
        "IMAP4rev1 NAMESPACE",
        "C: m1 NAMESPACE\nC: m2 LIST \"\" \"*\"\nC: m3 LSUB \"\" \"*\"\nS: * NAMESPACE NIL NIL ((\"shared.\" \".\"))\nS: m1 OK\n\
         S: * LIST () \".\" INBOX\nS: * LIST () \".\" INBOX.a\nS: * LIST (\\\\Sent) \".\" shared.sent\nS: m2 OK\nS: m3 NO",
    );
    let found = session.folders().unwrap();
    let rows: Vec<_> = found.iter().map(|folder| (folder.path.as_str(), folder.role)).collect();
    assert_eq!(rows, [("INBOX", Some(Role::Inbox)), ("a", None), ("shared/sent", None)]);
    drop(session);
    server.finish();
}
