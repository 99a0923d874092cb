//! Delivery reports (promise O8): what they say of mail that was sent from here.

use crate::error::Result;
use crate::mime::{Ending, Report, report};
use crate::model::{AccountId, MessageId};
use crate::store::{DELAYED, Reader, Step, UNDELIVERED};
use crate::text::Clean;

/// What a report comes to, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidings {
    /// A line for each recipient: `your mail to mary@example.org was not delivered: unknown user`.
    pub lines: Vec<Clean>,
    /// The mail that it is about, as it is held here; `None`: it was not sent from here.
    pub original: Option<MessageId>,
}

/// What a mail tells of one that was sent from its account; `None`: it is no report.
///
/// # Errors
/// What the store says.
pub fn tidings(reader: &Reader, account: AccountId, raw: &[u8]) -> Result<Option<Tidings>> {
    let Some(report) = report(raw) else { return Ok(None) };
    let original = reader.sent_as(account, &report.msgid)?;
    let whose = if original.is_some() { "your mail" } else { "a mail that was not sent from here," };
    let line = |fate: &crate::mime::Fate| {
        let became = match fate.end {
            Ending::Failed => "was not delivered",
            Ending::Delayed => "is delayed and still being tried",
            Ending::Delivered => "was delivered",
        };
        let why = if fate.why.is_empty() || fate.end == Ending::Delivered {
            String::new()
        } else {
            format!(": {}", fate.why)
        };
        let to =
            if original.is_some() { format!(" to {} ", fate.addr) } else { format!(" to {}, ", fate.addr) };
        Clean::line(&format!("{whose}{to}{became}{why}"))
    };
    Ok(Some(Tidings { lines: report.fates.iter().map(line).collect(), original }))
}

/// What the store is to do about a mail that just came; `None`: it is no report.
pub(super) fn step(raw: &[u8]) -> Option<Step> {
    let Report { msgid, fates } = report(raw)?;
    let has = |end| fates.iter().any(|fate| fate.end == end);
    let tags =
        |on: &[(bool, &str)]| on.iter().filter(|(on, _)| *on).map(|(_, tag)| (*tag).to_owned()).collect();
    // What was given up, or arrived, is not being tried any more.
    let is_over = !has(Ending::Delayed);
    Some(Step::Reported {
        msgid,
        tag: tags(&[(has(Ending::Failed), UNDELIVERED), (!is_over, DELAYED)]),
        untag: tags(&[(is_over, DELAYED)]),
    })
}
