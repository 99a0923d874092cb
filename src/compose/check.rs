//! What is looked at before a mail is sent (promise O6): what people forget, and whom they mistake.

use crate::config::{Warning, Writing, distance};
use crate::model::{Address, Draft, Purpose};

/// Something to be asked about before a mail goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// Nobody gets it: it cannot be sent.
    Nobody,
    /// It has no subject.
    Subject,
    /// Its text speaks of an attachment, with this word, and it has none.
    Attachment(String),
    /// An answer to all that goes to a list.
    List(String),
    /// Somebody who was never written to.
    Stranger {
        /// The address.
        addr: String,
        /// The one that it looks like.
        like: String,
    },
}

impl Concern {
    /// Whether it can be sent all the same.
    #[must_use]
    pub fn may_be_ignored(&self) -> bool {
        *self != Self::Nobody
    }
}

impl std::fmt::Display for Concern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("the mail has no recipient"),
            Self::Subject => f.write_str("the mail has no subject"),
            Self::Attachment(word) => write!(f, "the text says \"{word}\", but nothing is attached"),
            Self::List(addr) => write!(f, "the answer goes to everybody on the list {addr}"),
            Self::Stranger { addr, like } => {
                write!(f, "you never wrote to {addr}, which looks like {like}")
            }
        }
    }
}

/// Beginnings of words that speak of an attachment, in the languages that most mail is written in.
const WORDS: &[&str] = &[
    "attach",
    "enclosed", // English
    "anhang",
    "anhänge",
    "angehängt",
    "anbei",
    "beigefügt",
    "beiliegend", // German
    "pièce jointe",
    "pièces jointes",
    "ci-joint",
    "en pj",  // French
    "adjunt", // Spanish
    "allegat",
    "in allegato", // Italian
    "anexo",
    "em anexo",
    "anexad", // Portuguese
    "bijlage",
    "bijgevoegd", // Dutch
    "bifoga",
    "bilaga",
    "vedlagt",
    "vedhæft",
    "vedlegg", // Swedish, Danish, Norwegian
    "załącz",
    "w załączniku", // Polish
    "příloh",
    "přilož",
    "csatol",
    "mellékel", // Czech, Hungarian
    "вложен",
    "прикреп",
    "во вложении",
    "вкладен", // Russian, Ukrainian
    "liitteenä",
    "oheisena",
    "ekte",
    "ekli", // Finnish, Turkish
    "添付",
    "附件",
    "첨부", // Japanese, Chinese, Korean
];

/// What is odd about a draft. `list`: the address of the list that the answered mail came by. `known`: who was written
/// to before.
#[must_use]
pub fn concerns(draft: &Draft, writing: &Writing, list: &[Address], known: &[Address]) -> Vec<Concern> {
    let asks = |warning| writing.check.contains(&warning);
    let fields = [&draft.to, &draft.cc, &draft.bcc];
    let to: Vec<Address> = fields.iter().flat_map(|text| crate::mime::addresses(text)).collect();
    let mut found = Vec::new();
    if to.is_empty() {
        found.push(Concern::Nobody);
    }
    if asks(Warning::Subject) && draft.subject.trim().is_empty() {
        found.push(Concern::Subject);
    }
    if asks(Warning::Attachment) && draft.attachments.is_empty() {
        found.extend(promised(&own_text(&draft.body), &writing.attachment_words).map(Concern::Attachment));
    }
    if asks(Warning::List) && draft.purpose == Purpose::ReplyAll {
        let listed = to.iter().find(|who| list.iter().any(|list| list.is_same(who)));
        found.extend(listed.map(|who| Concern::List(who.addr.clone())));
    }
    if asks(Warning::Stranger) {
        for who in to.iter().filter(|who| !known.iter().any(|other| other.is_same(who))) {
            let like = known.iter().find(|other| is_alike(&who.addr, &other.addr));
            found.extend(
                like.map(|like| Concern::Stranger { addr: who.addr.clone(), like: like.addr.clone() }),
            );
        }
    }
    found
}

/// What the writer said: no quotes, no mail that is passed on, no signature.
fn own_text(body: &str) -> String {
    let lines: Vec<&str> = body.lines().collect();
    let mut own = String::new();
    let mut is_signature = false;
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("-------- ") {
            break;
        }
        // A signature above a quote ends with it.
        is_signature = (is_signature || *line == "-- ") && !line.starts_with('>');
        let is_above_quote =
            line.ends_with(':') && lines.get(at + 1).is_some_and(|next| next.starts_with('>'));
        if !is_signature && !line.starts_with('>') && !is_above_quote {
            own.push_str(line);
            own.push('\n');
        }
    }
    own.to_lowercase()
}

fn promised(text: &str, more: &[String]) -> Option<String> {
    let more = more.iter().map(|word| word.to_lowercase());
    WORDS.iter().map(|word| (*word).to_owned()).chain(more).filter(|word| !word.is_empty()).find_map(|word| {
        let at = text.match_indices(&word).map(|(at, _)| at).find(|at| {
            let before = text[..*at].chars().next_back();
            // Chinese, Japanese and Korean part no words.
            word.chars().next().is_some_and(|c| c >= '\u{3000}') || !before.is_some_and(char::is_alphanumeric)
        })?;
        let end = text[at..]
            .find(|c: char| !c.is_alphanumeric() && c != '-' && c != ' ')
            .map_or(text.len(), |n| at + n);
        // As many words as were looked for, the last of them whole.
        let said: Vec<&str> = text[at..end].split(' ').take(word.split(' ').count()).collect();
        Some(said.join(" "))
    })
}

/// Whether an address could be taken for another: nearly the same letters, or letters that look the same.
fn is_alike(addr: &str, known: &str) -> bool {
    let (a, b) = (addr.to_lowercase(), known.to_lowercase());
    if plain(&a) == plain(&b) {
        return true;
    }
    let (Some((local, domain)), Some((other, at))) = (a.rsplit_once('@'), b.rsplit_once('@')) else {
        return false;
    };
    let near = |a: &str, b: &str| {
        let longest = a.chars().count().max(b.chars().count());
        let limit = if longest >= 12 { 2 } else { usize::from(longest >= 5) };
        distance(a, b) <= limit
    };
    let is_other_end = domain.rsplit_once('.').map(|(name, _)| name)
        == at.rsplit_once('.').map(|(name, _)| name)
        && domain.contains('.');
    (local == other && domain != at && (is_other_end || near(domain, at)))
        || (domain == at && local != other && near(local, other))
}

/// An address in letters that cannot be mistaken for each other.
fn plain(addr: &str) -> String {
    let folded: String = addr
        .chars()
        .map(|c| match c {
            '0' | 'о' | 'ο' => 'o',
            '1' | 'і' | 'ı' | '|' | 'l' => 'i',
            'а' | 'α' => 'a',
            'е' | 'ε' => 'e',
            'с' => 'c',
            'р' | 'ρ' => 'p',
            'х' => 'x',
            'у' => 'y',
            c => c,
        })
        .collect();
    folded.replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Attached, AttachedFrom, MessageId};

    fn who(addr: &str) -> Address {
        Address { name: String::new(), addr: addr.to_owned() }
    }

    fn draft() -> Draft {
        Draft { to: "bob@example.org".into(), subject: "x".into(), ..Draft::new(AccountId(1), "me@x.org") }
    }

    fn found(draft: &Draft) -> Vec<Concern> {
        concerns(
            draft,
            &Writing::default(),
            &[who("list@l.org")],
            &[who("bob@example.org"), who("anna.miller@x.org")],
        )
    }

    #[test]
    fn o6_a_forgotten_attachment_is_found_in_own_words_only() {
        for (body, word) in [
            ("I attached the file.", Some("attached")),
            ("see attachment\n", Some("attachment")),
            ("Anbei die Rechnung", Some("anbei")),
            ("Voir la pièce jointe.", Some("pièce jointe")),
            ("添付ファイルをご覧ください", Some("添付ファイルをご覧ください")),
            ("Смотри во вложении", Some("вложении")),
            ("the unattached one", None),
            ("> I attached it\n\nThanks", None),
            ("On Monday, Attachments Ltd wrote:\n> hi\nno", None),
            ("Hi\n-- \nAttachment Theory Inc.\n", None),
            ("see below\n-------- Forwarded message --------\nattached\n", None),
            ("-- \nAda\n\nOn Monday Bob wrote:\n> attached\nwell, attach it", Some("attach")),
        ] {
            let concern = found(&Draft { body: body.into(), ..draft() });
            assert_eq!(
                concern,
                word.map(|w| Concern::Attachment(w.to_owned())).into_iter().collect::<Vec<_>>(),
                "{body}"
            );
        }
        let file = Attached {
            name: "a".into(),
            media: "text/plain".into(),
            size: 1,
            source: AttachedFrom::Mail(MessageId(1)),
        };
        assert!(found(&Draft { body: "attached".into(), attachments: vec![file], ..draft() }).is_empty());
    }

    #[test]
    fn o6_nobody_no_subject_and_a_list_are_asked_about() {
        let none = found(&Draft { to: String::new(), subject: " ".into(), ..draft() });
        assert_eq!(none, [Concern::Nobody, Concern::Subject]);
        assert!(!none[0].may_be_ignored() && none[1].may_be_ignored());
        let all = Draft { cc: "List@l.org".into(), purpose: Purpose::ReplyAll, ..draft() };
        assert_eq!(found(&all), [Concern::List("List@l.org".into())]);
        assert!(found(&Draft { purpose: Purpose::ReplyList, ..all }).is_empty());
        let quiet = Writing { check: Vec::new(), ..Writing::default() };
        let blank = Draft::new(AccountId(1), "");
        assert_eq!(concerns(&blank, &quiet, &[], &[]), [Concern::Nobody]);
    }

    #[test]
    fn o6_an_address_that_looks_like_a_known_one_is_asked_about() {
        for (addr, alike) in [
            ("bob@exarnple.org", true),
            ("bob@examp1e.org", true),
            ("bob@exmaple.org", true),
            ("bob@example.com", true),
            ("bоb@example.org", true),
            ("anna.miler@x.org", true),
            ("BOB@Example.org", false),
            ("rob@example.org", false),
            ("carl@example.org", false),
            ("bob@other.net", false),
        ] {
            let concern = found(&Draft { to: addr.into(), ..draft() });
            assert_eq!(!concern.is_empty(), alike, "{addr}: {concern:?}");
        }
    }
}
