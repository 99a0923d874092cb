//! What a server's refusals mean, in plain words (RFC 5530 and promise I12).

use super::answer::{Answer, Verdict};
use crate::error::{Error, Kind};
use crate::text::Clean;

/// So much of what a server says is shown.
const SHOWN: usize = 240;

/// What the server said, fit to be shown: one line, in quotes; empty when it said nothing.
fn said(answer: &Answer) -> String {
    let text: String = answer.text.chars().take(SHOWN).collect();
    match Clean::line(text.trim()).as_str() {
        "" => "the server gave no reason".into(),
        text => format!("the server said: \"{text}\""),
    }
}

/// The kind of a refusal, and what can be done, by its response code.
fn by_code(answer: &Answer) -> Option<(Kind, &'static str)> {
    let word = match &answer.code {
        Some(super::answer::Code::Word(word)) => word.as_str(),
        _ => return None,
    };
    Some(match word {
        "UNAVAILABLE" | "SERVERBUG" | "TEMP" | "TEMPFAIL" => {
            (Kind::Offline, "the server has a problem of its own; it is tried again later")
        }
        "INUSE" | "IN-USE" => (Kind::Offline, "something else uses the mailbox; it is tried again later"),
        "LIMIT" | "THROTTLED" => {
            (Kind::Offline, "the server asks for fewer or slower requests; it is tried again later")
        }
        "AUTHENTICATIONFAILED" => (Kind::Auth, "check user and password of the account"),
        "AUTHORIZATIONFAILED" => {
            (Kind::Auth, "this user may not open this mailbox; check user of the account")
        }
        "EXPIRED" => (Kind::Auth, "the password has expired; set a new one where the account was made"),
        "PRIVACYREQUIRED" => {
            (Kind::Config, "the server wants encryption: set tls = \"implicit\" or \"starttls\"")
        }
        "CONTACTADMIN" => (Kind::Refused, "ask whoever runs the server"),
        "OVERQUOTA" => {
            (Kind::Refused, "the mailbox on the server is full: delete mail there, or ask for more room")
        }
        "TOOBIG" => (Kind::Refused, "the message is larger than the server takes"),
        "NOPERM" => (Kind::Refused, "the server does not allow that in this folder"),
        "NONEXISTENT" => (Kind::Gone, "the folder is not there any more"),
        "TRYCREATE" => (Kind::Gone, "the folder has to be made first"),
        "EXPUNGEISSUED" => (Kind::Gone, "another program deleted some of these messages"),
        "ALREADYEXISTS" => (Kind::Refused, "a folder of that name is there already"),
        "HASCHILDREN" => (Kind::Refused, "there are folders within this one; remove them first"),
        "REFERRAL" => (
            Kind::Config,
            "the mailbox moved to another server: ask the provider and change host in the account",
        ),
        "WEBALERT" => (Kind::Auth, "the provider wants you to sign in once with a web browser"),
        "CANNOT" => (Kind::Refused, "the server does not take this name"),
        "CLIENTBUG" => (Kind::Bug, "please report this with the transcript"),
        "CORRUPTION" => (Kind::Refused, "the mailbox is damaged on the server; ask whoever runs it"),
        _ => return None,
    })
}

/// The error for a command that was not answered OK; `doing` is what could not be done.
pub(super) fn refused(doing: &str, answer: &Answer) -> Error {
    let (kind, hint) = match (by_code(answer), answer.verdict) {
        (Some((kind, hint)), _) => (kind, Some(hint)),
        (None, Verdict::Bad) => (Kind::Protocol, None),
        (None, _) => (Kind::Refused, None),
    };
    let error = Error::new(kind, doing).because(said(answer));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The error for a message that was not taken: there, a limit is one on its size (RFC 5530 section 3).
pub(super) fn too_much(doing: &str, answer: &Answer) -> Error {
    if answer.says("LIMIT") {
        return Error::new(Kind::Refused, doing)
            .because(said(answer))
            .hint("the message is larger than the server takes");
    }
    refused(doing, answer)
}

/// The error for a refused sign-in. A plain NO means the secret; codes that mean something else do not.
pub(super) fn sign_in(host: &str, answer: &Answer) -> Error {
    let doing = format!("{host} refused the sign-in");
    if by_code(answer).is_some() || answer.verdict == Verdict::Bad {
        return refused(&doing, answer);
    }
    Error::new(Kind::Auth, format!("{host} does not accept this user and password"))
        .because(said(answer))
        .hint("check user and password of the account; some providers want a password made for this program")
}

/// The error for a server that ends the session by itself.
pub(super) fn bye(host: &str, answer: &Answer) -> Error {
    let error = Error::new(Kind::Offline, format!("{host} ended the session")).because(said(answer));
    match by_code(answer) {
        Some((Kind::Auth, _)) | None => error,
        Some((_, hint)) => error.hint(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::imap::reply::{Reply, read};

    fn answer(line: &str) -> Answer {
        match read(line.as_bytes()) {
            Reply::Done { answer, .. } | Reply::Says(answer) => answer,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn i12_only_a_refused_secret_is_called_one() {
        for (line, kind) in [
            ("a NO wrong\r\n", Kind::Auth),
            ("a NO [AUTHENTICATIONFAILED] wrong\r\n", Kind::Auth),
            ("a NO [EXPIRED] old\r\n", Kind::Auth),
            ("a NO [ALERT] use an app password\r\n", Kind::Auth),
            ("a NO [UNAVAILABLE] database down\r\n", Kind::Offline),
            ("a NO [INUSE] locked\r\n", Kind::Offline),
            ("a NO [TEMP] later\r\n", Kind::Offline),
            ("a NO [LIMIT] too many connections\r\n", Kind::Offline),
            ("a NO [PRIVACYREQUIRED] no\r\n", Kind::Config),
            ("a NO [CONTACTADMIN] no\r\n", Kind::Refused),
            ("a BAD what\r\n", Kind::Protocol),
        ] {
            assert_eq!(sign_in("h", &answer(line)).kind(), kind, "{line}");
        }
    }

    #[test]
    fn i12_each_code_has_its_kind_and_says_what_to_do() {
        for (code, kind, part) in [
            ("OVERQUOTA", Kind::Refused, "full"),
            ("TRYCREATE", Kind::Gone, "made first"),
            ("NONEXISTENT", Kind::Gone, "not there"),
            ("ALREADYEXISTS", Kind::Refused, "there already"),
            ("HASCHILDREN", Kind::Refused, "within"),
            ("INUSE", Kind::Offline, "tried again"),
            ("UNAVAILABLE", Kind::Offline, "tried again"),
            ("SERVERBUG", Kind::Offline, "tried again"),
            ("THROTTLED", Kind::Offline, "tried again"),
            ("LIMIT", Kind::Offline, "tried again"),
            ("AUTHENTICATIONFAILED", Kind::Auth, "password"),
            ("AUTHORIZATIONFAILED", Kind::Auth, "check user"),
            ("EXPIRED", Kind::Auth, "new one"),
            ("WEBALERT https://x", Kind::Auth, "browser"),
            ("PRIVACYREQUIRED", Kind::Config, "encryption"),
            ("REFERRAL imap://other.example.org/", Kind::Config, "another server"),
            ("CONTACTADMIN", Kind::Refused, "runs the server"),
            ("NOPERM", Kind::Refused, "allow"),
            ("TOOBIG", Kind::Refused, "larger"),
            ("CANNOT", Kind::Refused, "name"),
            ("EXPUNGEISSUED", Kind::Gone, "another program"),
            ("CLIENTBUG", Kind::Bug, "report"),
            ("CORRUPTION", Kind::Refused, "damaged"),
        ] {
            for line in [format!("a NO [{code}] why\r\n"), format!("a no [{}] why\r\n", code.to_lowercase())]
            {
                let error = refused("could not", &answer(&line));
                assert_eq!(error.kind(), kind, "{code}");
                assert_eq!(error.to_string(), "could not: the server said: \"why\"");
                assert!(error.hint_text().is_some_and(|hint| hint.contains(part)), "{code}: {error:?}");
            }
        }
        // One that nobody knows, and none at all, tell what the server said.
        for line in ["a NO [X-ODD] why\r\n", "a NO why\r\n"] {
            let error = refused("could not", &answer(line));
            assert_eq!((error.kind(), error.hint_text()), (Kind::Refused, None));
        }
    }

    #[test]
    fn x5_what_a_server_says_is_cleaned_and_cut() {
        let long = format!("a NO \u{1b}[31mred\u{7} {}\r\n", "x".repeat(10_000));
        let text = refused("could not", &answer(&long)).to_string();
        assert!(!text.chars().any(char::is_control) && text.len() < 400, "{text}");
        assert_eq!(
            refused("could not copy", &answer("a NO [OVERQUOTA] full\r\n")).to_string(),
            "could not copy: the server said: \"full\""
        );
        assert_eq!(
            bye("h", &answer("* BYE\r\n")).to_string(),
            "h ended the session: the server gave no reason"
        );
    }
}
