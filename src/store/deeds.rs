//! What a queued operation does, in plain words.

use serde_json::Value;

use super::db::{Db, sql};
use crate::error::Result;
use crate::model::{FlagDelta, Flags, FolderId, MUTED, OpId, is_same_tag};
use crate::text::Clean;

/// What is to be described.
pub(super) struct Deed {
    pub(super) op: OpId,
    pub(super) kind: String,
    pub(super) folder: Option<FolderId>,
    pub(super) target: Option<FolderId>,
    /// JSON.
    pub(super) detail: String,
}

/// `move 3 mails from Inbox to Archive`.
pub(super) fn described(db: &Db, deed: &Deed, mails: u64) -> Result<Clean> {
    let folder = path(db, deed.folder)?;
    let target = path(db, deed.target)?;
    let some = counted(mails);
    let text = match deed.kind.as_str() {
        "flags" => format!("{} in {folder}", marking(&deed.detail, &some)),
        "move" => format!("move {some} from {folder} to {target}"),
        "copy" => format!("copy {some} from {folder} to {target}"),
        // The second half of a move to another account names its own folder twice.
        "delete" if deed.target.is_some() => {
            format!("take {some} out of {folder}, now that the copy is elsewhere")
        }
        "delete" => format!("delete {some} in {folder} for good"),
        "append" => appending(db, deed, &some)?,
        "mkdir" => format!("make the folder {target}"),
        "rmdir" => format!("remove the folder {}", named(&folder, &target)),
        "rename" => {
            let now = named(&target, &folder);
            match text_in(&deed.detail, "from") {
                Some(before) => format!("rename the folder {before} to {now}"),
                None => match text_in(&deed.detail, "name") {
                    Some(name) => format!("rename the folder {now} to {name}"),
                    None => format!("rename the folder {now}"),
                },
            }
        }
        "subscribe" => {
            let on = !matches!(value_in(&deed.detail, "on"), Some(Value::Bool(false)));
            format!("{} {}", if on { "subscribe to" } else { "unsubscribe from" }, named(&folder, &target))
        }
        other => format!("{other} (of a newer mailtui)"),
    };
    Ok(Clean::line(&text))
}

/// `1 mail`, `3 mails`.
pub(super) fn counted(mails: u64) -> String {
    if mails == 1 { "1 mail".to_owned() } else { format!("{mails} mails") }
}

/// The first half of a move between accounts says all of it.
fn appending(db: &Db, deed: &Deed, some: &str) -> Result<String> {
    let target = path(db, deed.target.or(deed.folder))?;
    let second = db.one(
        sql!("SELECT a.name, iif(f.role = 'inbox', 'Inbox', f.path) FROM ops s JOIN accounts a ON a.id = s.account_id
              LEFT JOIN folders f ON f.id = s.folder_id WHERE s.after_id IS NOT NULL AND s.after_id = ?1 LIMIT 1"),
        [deed.op],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?)),
    )?;
    let fetched_first =
        db.one(sql!("SELECT from_id IS NOT NULL FROM ops WHERE id = ?1"), [deed.op], |row| {
            row.get::<_, bool>(0)
        })?;
    let when = if fetched_first == Some(true) { ", once its text is here" } else { "" };
    Ok(match second {
        Some((account, folder)) => {
            format!("move {some} from {} of {account} to {target}{when}", folder.unwrap_or_default())
        }
        None => format!("put {some} into {target}{when}"),
    })
}

fn marking(detail: &str, some: &str) -> String {
    let delta: FlagDelta = serde_json::from_str(detail).unwrap_or_default();
    let muted = |list: &[String]| matches!(list, [tag] if is_same_tag(tag, MUTED));
    let tags = |key: &str| -> Vec<String> {
        let list = value_in(detail, key).and_then(|v| v.as_array().cloned()).unwrap_or_default();
        list.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect()
    };
    let (tag, untag) = (tags("tag"), tags("untag"));
    match (&tag[..], &untag[..]) {
        (tag, []) if muted(tag) => return format!("mute {some}"),
        ([], untag) if muted(untag) => return format!("unmute {some}"),
        _ => {}
    }
    if delta == FlagDelta::default() {
        return match (&tag[..], &untag[..]) {
            ([_, ..], []) => format!("tag {some} {}", tag.join(", ")),
            ([], [_, ..]) => format!("take the tag {} off {some}", untag.join(", ")),
            _ => format!("change the tags of {some}"),
        };
    }
    match (FlagDelta::add(delta.add), FlagDelta::del(delta.del)) {
        (only, _) if only == delta && delta.add == Flags::SEEN => format!("mark {some} read"),
        (_, only) if only == delta && delta.del == Flags::SEEN => format!("mark {some} unread"),
        (only, _) if only == delta && delta.add == Flags::FLAGGED => format!("star {some}"),
        (_, only) if only == delta && delta.del == Flags::FLAGGED => format!("unstar {some}"),
        _ => format!("change the flags of {some}"),
    }
}

fn named<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first == NOWHERE { second } else { first }
}

fn value_in(detail: &str, key: &str) -> Option<Value> {
    serde_json::from_str::<Value>(detail).ok()?.get(key).cloned()
}

fn text_in(detail: &str, key: &str) -> Option<String> {
    value_in(detail, key)?.as_str().map(str::to_owned)
}

const NOWHERE: &str = "a folder that is gone";

fn path(db: &Db, folder: Option<FolderId>) -> Result<String> {
    let Some(folder) = folder else { return Ok(NOWHERE.to_owned()) };
    let path = db.one(
        sql!("SELECT iif(role = 'inbox', 'Inbox', path) FROM folders WHERE id = ?1"),
        [folder],
        |row| row.get(0),
    )?;
    Ok(path.unwrap_or_else(|| NOWHERE.to_owned()))
}
