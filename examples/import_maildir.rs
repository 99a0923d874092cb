//! Puts the mail of a Maildir into an account of its own, in durable batches, each mail once.
//!
//! `cargo run --example import_maildir -- ~/Maildir ~/.local/share/mailtui`

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use mailtui::mime;
use mailtui::model::{Flags, Owner, Role};
use mailtui::store::{Batch, Incoming, Packed, Packer, Step, Store};
use mailtui::{Error, Kind, Result};

fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let [maildir, data] = &arguments[..] else {
        eprintln!("import_maildir: say a Maildir and the directory of a store");
        return Ok(());
    };
    let store = Store::open(Path::new(data))?;
    // Its truth is here: there is no server that knows better.
    let account = store.account("maildir", "local", Owner::Here, "")?;
    let inbox = store.reader()?.folder_by_role(account, Role::Inbox)?;
    let folder = inbox.ok_or_else(|| Error::new(Kind::Store, "the account has no inbox"))?.id;
    let mut count = 0;
    for part in ["cur", "new"] {
        let failed = |e: std::io::Error| Error::new(Kind::Config, "could not read the Maildir").because(e);
        for entry in Path::new(maildir).join(part).read_dir().map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let raw = std::fs::read(&path).map_err(failed)?;
            let written = path.metadata().map_err(failed)?.mtime();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let envelope = mime::envelope(mime::header_block(&raw));
            let facts = mime::facts(&raw);
            let mut packer = Packer::new()?;
            let mut chunks = packer.push(&raw)?;
            let (last, size, sha256) = packer.finish()?;
            chunks.extend(last);
            let body =
                Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
            let incoming = Incoming {
                folder,
                uid: None,
                // The name of its file, flags left out: imported again, it is known and passed over.
                uidl: name.split(':').next().map(str::to_owned),
                remote_id: None,
                flags: flags(&name),
                keywords: Vec::new(),
                size,
                received: mime::received(mime::header_block(&raw)).or(envelope.date).unwrap_or(written),
                internal: 0,
                envelope,
                body: Some(body),
            };
            // One mail, one durable commit. Fewer and larger batches are faster.
            store.commit(Batch { account, steps: vec![Step::Message(Box::new(incoming))] })?;
            count += 1;
        }
    }
    println!("{count} mails");
    Ok(())
}

/// The flags behind `:2,` in the name of a file.
fn flags(name: &str) -> Flags {
    let letters = name.rsplit_once(":2,").map_or("", |(_, letters)| letters);
    let known = [('S', Flags::SEEN), ('R', Flags::ANSWERED), ('F', Flags::FLAGGED), ('D', Flags::DRAFT)];
    known.into_iter().filter(|(l, _)| letters.contains(*l)).fold(Flags::NONE, |all, (_, flag)| all | flag)
}
