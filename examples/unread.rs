//! Prints the unread mail of every inbox, straight from the store: no server, no engine.
//!
//! `cargo run --example unread -- ~/.local/share/mailtui`

use std::path::PathBuf;

use mailtui::model::{Flags, Role, View};
use mailtui::store::Store;

fn main() -> mailtui::Result<()> {
    let Some(dir) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("unread: say where the store is; `mailtui config path` tells it");
        return Ok(());
    };
    let store = Store::open(&dir)?;
    let reader = store.reader()?;
    let (total, unseen) = reader.counts(View::Unified(Role::Inbox))?;
    println!("{unseen} unread of {total}");
    let mut below = None;
    loop {
        // A page at a time: nothing stays open in the store between two pages.
        let page = reader.copies(View::Unified(Role::Inbox), below, 100)?;
        let Some(last) = page.last() else { break };
        below = Some(last.key);
        for mail in page.iter().filter(|mail| !mail.flags.has(Flags::SEEN)) {
            println!("{:>6}  {:<24}  {}", mail.message, mail.from_name, mail.subject);
        }
    }
    Ok(())
}
