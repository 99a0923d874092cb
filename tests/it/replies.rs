//! Who gets an answer, as a written table expects it: each row in four spellings, 200 mails and more.

use jiff::tz::TimeZone;
use mailtui::compose::{self, Original};
use mailtui::config::{Account, Identity, Protocol, Style};
use mailtui::engine::drafting;
use mailtui::error::Kind;
use mailtui::model::{AccountId, Draft, Purpose};

use super::store_kit::{Kit, mail};
use super::support::post;

/// F From, R Reply-To, T To, C Cc, D Delivered-To, X X-Original-To, M Mail-Followup-To, L List-Post, S Sender; then as
/// whom it is answered, to whom a reply goes, one to all (To / Cc), and one to the list.
const TABLE: &str = "
F bob@b T me@x.org => me@x.org | bob@b | bob@b / | -
F bob@b T me@x.org, eve@e => me@x.org | bob@b | bob@b / eve@e | -
F bob@b T eve@e C me@x.org => me@x.org | bob@b | bob@b / eve@e | -
F bob@b T eve@e C me@x.org, zoe@z => me@x.org | bob@b | bob@b / eve@e, zoe@z | -
F bob@b T eve@e, EVE@E C eve@e, bob@b => me@x.org | bob@b | bob@b / eve@e | -
F bob@b R office@b T me@x.org => me@x.org | office@b | office@b / | -
F bob@b R office@b T me@x.org, eve@e => me@x.org | office@b | office@b / eve@e | -
F bob@b R office@b, desk@b T me@x.org => me@x.org | office@b, desk@b | office@b, desk@b / | -
F bob@b R office@b T office@b C me@x.org => me@x.org | office@b | office@b / | -
F bob@b R me@x.org T eve@e => me@x.org | bob@b | bob@b / eve@e | -
F bob@b R me@x.org, office@b T eve@e => me@x.org | office@b | office@b / eve@e | -
F bob@b, carl@c T me@x.org => me@x.org | bob@b, carl@c | bob@b, carl@c / | -
S bob@b T me@x.org => me@x.org | bob@b | bob@b / | -
S robot@b F bob@b T me@x.org => me@x.org | bob@b | bob@b / | -
F bob@b T ada@old.org => ada@old.org | bob@b | bob@b / | -
F bob@b T ADA@OLD.ORG, eve@e => ada@old.org | bob@b | bob@b / eve@e | -
F bob@b T shop@ada.dev => shop@ada.dev | bob@b | bob@b / | -
F bob@b T shop@ada.dev, me@x.org => shop@ada.dev | bob@b | bob@b / | -
F bob@b T me@x.org C shop@ada.dev => me@x.org | bob@b | bob@b / | -
F bob@b T shop@ada.devel => me@x.org | bob@b | bob@b / shop@ada.devel | -
F bob@b T shop@not-ada.dev => me@x.org | bob@b | bob@b / shop@not-ada.dev | -
F bob@b T sales@x.org => sales@x.org | bob@b | bob@b / | -
F bob@b T eu@sales.org, eve@e => eu@sales.org | bob@b | bob@b / eve@e | -
F bob@b C sales@x.org => sales@x.org | bob@b | bob@b / | -
F bob@b T eve@e D ada@old.org => ada@old.org | bob@b | bob@b / eve@e | -
F bob@b T eve@e X shop@ada.dev => shop@ada.dev | bob@b | bob@b / eve@e | -
F bob@b T me@x.org D ada@old.org => me@x.org | bob@b | bob@b / | -
F bob@b D box@host X sales@x.org => sales@x.org | bob@b | bob@b / | -
F bob@b => me@x.org | bob@b | bob@b / | -
F bob@b T Team: eve@e, me@x.org; => me@x.org | bob@b | bob@b / eve@e | -
F bob@b T Team: eve@e;, zoe@z C Other: carl@c, eve@e; => me@x.org | bob@b | bob@b / eve@e, zoe@z, carl@c | -
F bob@b T undisclosed-recipients:; => me@x.org | bob@b | bob@b / | -
F bob@b T list@l L <mailto:list@l> => me@x.org | bob@b | bob@b / list@l | list@l
F bob@b T list@l C me@x.org L <mailto:list@l> => me@x.org | bob@b | bob@b / list@l | list@l
F bob@b R list@l T list@l L <mailto:list@l> => me@x.org | list@l | list@l / | list@l
F bob@b R bob@b, list@l T list@l L <mailto:list@l?subject=x> => me@x.org | bob@b, list@l | bob@b, list@l / | list@l
F bob@b T list@l M list@l L <mailto:list@l> => me@x.org | bob@b | list@l / | list@l
F bob@b T list@l, me@x.org M list@l, me@x.org => me@x.org | bob@b | list@l / | -
F bob@b T list@l C eve@e M list@l, bob@b => me@x.org | bob@b | list@l, bob@b / | -
F bob@b T list@l M me@x.org => me@x.org | bob@b | bob@b / list@l | -
F bob@b T list@l L <http://l/post>, <MAILTO:list%40l> => me@x.org | bob@b | bob@b / list@l | list@l
F bob@b T news@l L NO => me@x.org | bob@b | bob@b / news@l | -
F list@l R bob@b T list@l L <mailto:list@l> D ada@old.org => ada@old.org | bob@b | bob@b / list@l | list@l
F me@x.org T bob@b => me@x.org | bob@b | bob@b / | -
F me@x.org T bob@b, eve@e C zoe@z => me@x.org | bob@b, eve@e | bob@b, eve@e / zoe@z | -
F me@x.org T bob@b, me@x.org C ada@old.org => me@x.org | bob@b | bob@b / | -
F sales@x.org T bob@b C me@x.org => sales@x.org | bob@b | bob@b / | -
F shop@ada.dev T bob@b => shop@ada.dev | bob@b | bob@b / | -
F me@x.org T me@x.org => me@x.org | me@x.org | me@x.org / | -
F me@x.org T me@x.org C bob@b => me@x.org | bob@b | bob@b / | -
F me@x.org R sales@x.org T bob@b => me@x.org | bob@b | bob@b / | -
F me@x.org T list@l L <mailto:list@l> => me@x.org | list@l | list@l / | list@l
F bob@b T \"Doe, J\" <j@d>, me@x.org => me@x.org | bob@b | bob@b / j@d | -
";

fn account() -> Account {
    let mut account = post::local(None);
    account.protocol = Protocol::Imap;
    account.email = "me@x.org".into();
    account.display_name = "Ada".into();
    account.sending.aliases = vec!["ada@old.org".into(), "*@ada.dev".into()];
    account.sending.identities = vec![Identity {
        email: "sales@x.org".into(),
        name: "Sales".into(),
        aliases: vec!["*@sales.org".into()],
        style: Style::default(),
    }];
    account
}

/// The fields of a row, in order.
fn fields(row: &str) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&str, String)> = Vec::new();
    for word in row.split(' ') {
        let name = match word {
            "F" => "From",
            "R" => "Reply-To",
            "T" => "To",
            "C" => "Cc",
            "D" => "Delivered-To",
            "X" => "X-Original-To",
            "M" => "Mail-Followup-To",
            "L" => "List-Post",
            "S" => "Sender",
            _ => {
                let value = &mut out.last_mut().unwrap().1;
                *value = format!("{value} {word}").trim().to_owned();
                continue;
            }
        };
        out.push((name, String::new()));
    }
    out
}

/// The same mail as different programs write it.
fn spelled(row: &str, how: usize) -> Vec<u8> {
    let mut raw = String::from("Message-ID: <1@b>\r\nSubject: RE[2]: Aw: lunch\r\n");
    for (name, value) in fields(row) {
        let value = match (how, name) {
            (1, _) => value.replace(", ", ",\r\n\t"),
            (2, "From" | "To" | "Cc" | "Reply-To") if !value.contains([':', '"']) => {
                let named = value.split(", ").map(|addr| format!("=?utf-8?Q?J=C3=BCrgen?= <{addr}>"));
                named.collect::<Vec<_>>().join(", ")
            }
            _ => value,
        };
        let name = if how == 3 { name.to_uppercase() } else { name.to_owned() };
        raw.push_str(&format!("{name}: {value}\r\n"));
    }
    raw.push_str("\r\nHello\r\n");
    if how == 3 { raw.replace("\r\n", "\n") } else { raw }.into_bytes()
}

fn answer(raw: &[u8], purpose: Purpose) -> Option<Draft> {
    let (original, account) = (Original::read(None, raw), account());
    compose::answer(&original, purpose, (&account, AccountId(1)), &TimeZone::UTC, &|_| "sig".to_owned()).ok()
}

fn bare(field: &str) -> String {
    let people = compose::people("To", field).unwrap();
    people.iter().map(|who| who.addr.to_lowercase()).collect::<Vec<_>>().join(", ")
}

#[test]
fn o1_answers_to_200_mails_go_to_whom_the_table_says() {
    let (mut wrong, mut mails) = (Vec::new(), 0);
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (row, expected) = line.split_once(" => ").unwrap();
        for how in 0..4 {
            let raw = spelled(row, how);
            let reply = answer(&raw, Purpose::Reply).unwrap();
            let all = answer(&raw, Purpose::ReplyAll).unwrap();
            let list = answer(&raw, Purpose::ReplyList).map_or("-".to_owned(), |draft| bare(&draft.to));
            let all = format!("{} / {}", bare(&all.to), bare(&all.cc));
            let found = format!("{} | {} | {} | {list}", bare(&reply.from), bare(&reply.to), all.trim_end());
            mails += 1;
            if found != expected {
                wrong.push(format!("{row} (spelling {how})\n  expected {expected}\n  found    {found}"));
            }
            assert_eq!((reply.subject.as_str(), reply.in_reply_to.as_str()), ("Re: lunch", "1@b"));
            assert!(reply.body.ends_with("> Hello\n\n\n-- \nsig\n"), "{:?}", reply.body);
            for purpose in [Purpose::Forward, Purpose::ForwardAttached] {
                let forward = answer(&raw, purpose).unwrap();
                assert_eq!((forward.to.as_str(), forward.subject.as_str()), ("", "Fwd: lunch"));
            }
        }
    }
    assert!(mails >= 200, "{mails}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn references_are_complete_and_bounded() {
    let read =
        |head: &str| answer(format!("From: b@b\r\n{head}\r\n\r\n").as_bytes(), Purpose::Reply).unwrap();
    let references = |head: &str| read(head).references;
    assert_eq!(references("Message-ID: <3@x>\r\nReferences: <1@x> <2@x>"), ["1@x", "2@x", "3@x"]);
    // RFC 5322 section 3.6.4: without References the parent's In-Reply-To begins them.
    assert_eq!(references("Message-ID: <2@x>\r\nIn-Reply-To: <1@x>"), ["1@x", "2@x"]);
    assert_eq!(references("Subject: no name"), Vec::<String>::new());
    let many: String = (0..500).map(|n| format!("\r\n <{n}@x>")).collect();
    let long = references(&format!("Message-ID: <last@x>\r\nReferences:{many}"));
    assert_eq!((long.len(), long[0].as_str(), long[40].as_str()), (41, "0@x", "last@x"));
}

/// Whom an answer goes to is in the header, and that is not all in the list.
#[test]
fn o1_a_mail_that_is_not_here_yet_is_not_answered() {
    let kit = Kit::server();
    let message = kit.bring(mail(kit.inbox, 1));
    for purpose in [Purpose::Reply, Purpose::ReplyAll, Purpose::Forward, Purpose::ForwardAttached] {
        let error = drafting::begin(&kit.reader, (&account(), kit.account), purpose, message, &TimeZone::UTC)
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Gone);
        assert!(error.hint_text().is_some());
    }
}
