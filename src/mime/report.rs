//! Delivery reports (RFC 3464): on which mail, and what became of it for whom.

use super::header::{fields, header_block};
use super::{body, field_text, parts};
use crate::text::Clean;

/// Bytes of the part for machines that are read.
const LONGEST: usize = 256 << 10;
/// Recipients of one report that are read.
const MANY: usize = 200;

/// What a server tells of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The Message-ID of the mail, without brackets; empty: the report does not hold it.
    pub msgid: String,
    /// What became of it.
    pub fates: Vec<Fate>,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The address, as the writer wrote it where that is told.
    pub addr: Clean,
    /// What was done.
    pub end: Ending,
    /// Why, in words; empty: nothing is told.
    pub why: Clean,
}

/// What a server did with a mail (RFC 3464 section 2.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It was given up.
    Failed,
    /// It is still being tried.
    Delayed,
    /// It arrived, or was passed on.
    Delivered,
}

/// The report that a mail is; `None`: it is none that says what became of a mail.
#[must_use]
pub fn report(raw: &[u8]) -> Option<Report> {
    // Most mail ends here.
    let kind = field_text(header_block(raw), "Content-Type")?;
    if !kind.to_ascii_lowercase().starts_with("multipart/report") {
        return None;
    }
    let parts = parts::scan(raw);
    let is_status = |part: &&parts::Part| {
        matches!(part.media(), "message/delivery-status" | "message/global-delivery-status")
    };
    let status = body::bytes(parts.iter().find(is_status)?, LONGEST).0.into_owned();
    let text = String::from_utf8_lossy(&status).replace("\r\n", "\n");
    // The first group is of the mail, each other one of a recipient.
    let groups = text.split("\n\n").map(str::trim).filter(|group| !group.is_empty());
    let fates: Vec<Fate> = groups.filter_map(fate).take(MANY).collect();
    let is_header = |part: &&parts::Part| {
        matches!(
            part.media(),
            "text/rfc822-headers" | "message/rfc822" | "message/global" | "message/global-headers"
        )
    };
    let msgid = parts.iter().find(is_header).map(|part| {
        let held = body::bytes(part, LONGEST).0.into_owned();
        let first = fields(&held).find(|field| field.is("Message-ID"));
        let text =
            first.map(|field| String::from_utf8_lossy(field.value).trim().to_owned()).unwrap_or_default();
        text.trim_start_matches('<').trim_end_matches('>').to_owned()
    });
    (!fates.is_empty()).then(|| Report { msgid: msgid.unwrap_or_default(), fates })
}

fn fate(group: &str) -> Option<Fate> {
    let raw = format!("{}\n\n", group);
    let value = |name: &str| field_text(raw.as_bytes(), name).unwrap_or_default();
    let end = match value("Action").to_ascii_lowercase().as_str() {
        "failed" => Ending::Failed,
        "delayed" => Ending::Delayed,
        "delivered" | "relayed" | "expanded" => Ending::Delivered,
        _ => return None,
    };
    // `rfc822; mary@example.org`: the type is of no use to anybody.
    let typed =
        |value: String| value.split_once(';').map_or(value.clone(), |(_, rest)| rest.trim().to_owned());
    let addr = Some(typed(value("Original-Recipient"))).filter(|addr| !addr.is_empty());
    let addr = addr.unwrap_or_else(|| typed(value("Final-Recipient")));
    let (status, said) = (value("Status"), typed(value("Diagnostic-Code")));
    let why = in_words(&status).map_or(said, str::to_owned);
    let addr = addr.trim_start_matches('<').trim_end_matches('>').to_owned();
    Some(Fate { addr: Clean::line(&addr), end, why: Clean::line(&why) })
}

/// Enhanced status codes that say it all (RFC 3463).
fn in_words(status: &str) -> Option<&'static str> {
    let (_, rest) = status.split_whitespace().next()?.split_once('.')?;
    Some(match rest {
        "1.1" => "unknown user",
        "1.2" => "unknown domain",
        "1.3" => "not an address there",
        "1.6" => "the user has moved",
        "1.10" => "the domain takes no mail",
        "2.1" => "the mailbox is disabled",
        "2.2" => "the mailbox is full",
        "2.3" | "3.4" => "the mail is too large",
        "4.1" => "the server does not answer",
        "4.2" => "the connection broke",
        "4.4" => "no server was found for it",
        "4.6" => "the mail goes round in circles",
        "4.7" => "it was tried for too long",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(action: &str, rest: &str, third: &str) -> Vec<u8> {
        format!(
            "From: MAILER-DAEMON@mx.example.org\r\nSubject: Undelivered Mail Returned to Sender\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b\"\r\n\r\n\
             --b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\n\
             Final-Recipient: rfc822; mary@example.net\r\nAction: {action}\r\n{rest}\r\n\
             --b\r\nContent-Type: {third}\r\n\r\nSubject: Hi\r\nMessage-ID: <one@example.org>\r\n\r\n--b--\r\n"
        )
        .into_bytes()
    }

    #[test]
    fn o8_a_report_says_of_which_mail_and_why_in_words() {
        for third in ["text/rfc822-headers", "message/rfc822"] {
            let raw = mail("failed", "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n", third);
            let report = report(&raw).unwrap();
            assert_eq!(report.msgid, "one@example.org", "{third}");
            let [fate] = &report.fates[..] else { panic!("{report:?}") };
            assert_eq!(
                (fate.addr.as_str(), fate.end, fate.why.as_str()),
                ("mary@example.net", Ending::Failed, "unknown user")
            );
        }
        let odd = report(&mail(
            "delayed",
            "Status: 4.9.9\r\nDiagnostic-Code: smtp; 451 later\u{1b}[31m\r\n",
            "message/rfc822",
        ));
        let fate = &odd.unwrap().fates[0];
        assert_eq!(fate.end, Ending::Delayed);
        assert!(fate.why.as_str().starts_with("451 later") && !fate.why.as_str().contains('\u{1b}'));
        assert_eq!(report(b"Content-Type: text/plain\r\n\r\nAction: failed\r\n"), None);
        assert_eq!(report(&mail("unheard-of", "", "message/rfc822")), None);
        assert_eq!(report(b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n"), None);
    }
}
