//! Puts the mail of a Maildir into an account of its own, in durable batches, each mail once.
//!
//! `cargo run --example import_maildir -- ~/Maildir ~/.local/share/mailtui`

use std::path::Path;

use mailtui::engine::{Came, Filed, Import, Taken};
use mailtui::model::{Flags, Owner, Role};
use mailtui::store::Store;
use mailtui::{Error, Kind, Result};
use sha2::{Digest as _, Sha256};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [maildir, data] = &arguments[..] else {
        eprintln!("import_maildir: say a Maildir and the directory of a store");
        return Ok(());
    };
    let store = Store::open(Path::new(data))?;
    // Its truth is here: there is no server that knows better.
    let account = store.account("maildir", "local", Owner::Here, "")?;
    let reader = store.reader()?;
    let inbox = reader.folder_by_role(account, Role::Inbox)?;
    let folder = inbox.ok_or_else(|| Error::new(Kind::Store, "the account has no inbox"))?.id;
    let mut import = Import::new(&store, &reader, account)?;
    let mut count = 0;
    for part in ["cur", "new"] {
        let failed = |e: std::io::Error| Error::new(Kind::Config, "could not read the Maildir").because(e);
        for entry in Path::new(maildir).join(part).read_dir().map_err(failed)? {
            let raw = std::fs::read(entry.map_err(failed)?.path()).map_err(failed)?;
            let mail = Filed {
                identity: Sha256::digest(&raw).into(),
                flags: Flags::NONE,
                keywords: Vec::new(),
                came: Came::About(None),
            };
            match import.take((folder, "Inbox"), &mail, &mut &raw[..])? {
                Taken::New => count += 1,
                Taken::Known => {}
                Taken::Unread(e) => return Err(failed(e)),
            }
        }
    }
    import.finish()?;
    println!("{count} mails");
    Ok(())
}
