//! `mailtui sendmail`: what git, cron and mail programs call, by way of the same outbox.

use std::io::{Read as _, Write as _};

use super::{configured, send};
use crate::compose;
use crate::config::{Overrides, Paths};
use crate::engine::Mail;
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::Address;
use crate::secret;
use crate::store::Store;

/// `EX_USAGE` and `EX_TEMPFAIL` of sysexits.
const USAGE: u8 = 64;
const TRY_AGAIN: u8 = 75;

/// What sendmail was asked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Call {
    /// Recipients are in the header too.
    from_header: bool,
    /// A line with a dot alone is text.
    dots_are_text: bool,
    from: Option<String>,
    name: Option<String>,
    to: Vec<String>,
}

impl Call {
    fn parse(args: &[String]) -> std::result::Result<Self, String> {
        let mut call = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = |rest: &str| match rest {
                "" => args.next().cloned().ok_or_else(|| format!("{arg} needs a value")),
                rest => Ok(rest.to_owned()),
            };
            match arg.as_str() {
                "--" => {
                    call.to.extend(args.cloned());
                    break;
                }
                "-t" => call.from_header = true,
                "-i" | "-oi" | "-ti" | "-it" => {
                    call.dots_are_text = true;
                    call.from_header |= arg.contains('t');
                }
                _ if arg.starts_with("-f") || arg.starts_with("-r") => call.from = Some(value(&arg[2..])?),
                _ if arg.starts_with("-F") => call.name = Some(value(&arg[2..])?),
                // Options of old that say how, not what: error reports, delivery, the kind of the body.
                _ if arg.starts_with("-o") || arg.starts_with("-B") || arg == "-m" || arg == "-n" => {}
                "-bm" => {}
                _ if arg.starts_with('-') => return Err(format!("the option {arg} is not known")),
                _ => call.to.push(arg.clone()),
            }
        }
        Ok(call)
    }
}

/// Answers 0 when the mail is durable, 64 where it makes no sense as it is, 75 when it could not be kept.
pub(super) fn run(args: &[String], paths: &Paths, overrides: &Overrides) -> Result<u8> {
    let complain = |what: &str| {
        let _ = writeln!(std::io::stderr(), "mailtui: {what}");
    };
    let call = match Call::parse(args) {
        Ok(call) => call,
        Err(why) => {
            complain(&why);
            return Ok(USAGE);
        }
    };
    match send_it(call, paths, overrides) {
        Ok(()) => Ok(0),
        Err(error) => {
            complain(&error.to_string());
            Ok(if error.kind() == Kind::Config { USAGE } else { TRY_AGAIN })
        }
    }
}

fn send_it(call: Call, paths: &Paths, overrides: &Overrides) -> Result<()> {
    let config = configured(paths, overrides)?;
    let mut raw = Vec::new();
    std::io::stdin()
        .read_to_end(&mut raw)
        .map_err(|e| Error::new(Kind::Store, "standard input could not be read").because(e))?;
    let raw = text_of(raw, call.dots_are_text);
    let head = mime::header_block(&raw).to_vec();
    let mut to: Vec<Address> = call.to.iter().flat_map(|text| mime::addresses(text)).collect();
    if call.from_header {
        to.extend(["To", "Cc", "Bcc"].iter().flat_map(|name| mime::people(&head, name)));
    }
    let wrote = mime::people(&head, "From").into_iter().next();
    let from =
        call.from.as_deref().map(|text| mime::addresses(text).into_iter().next().unwrap_or_default().addr);
    let said = from.as_deref().or(wrote.as_ref().map(|who| who.addr.as_str()));
    let account = send::sender(&config, None, said)?;
    let own =
        Address { name: call.name.unwrap_or_else(|| account.display_name.clone()), ..send::own(account) };
    let from =
        from.unwrap_or_else(|| wrote.as_ref().map_or_else(|| own.addr.clone(), |who| who.addr.clone()));
    let mut whole = Vec::new();
    // What every mail must have, and this has not (RFC 5322 section 3.6).
    if wrote.is_none() {
        whole.extend(compose::from_field(&own));
    }
    if !mime::has_field(&head, "Date") {
        whole.extend(format!("Date: {}\r\n", send::date(&config)).into_bytes());
    }
    if !mime::has_field(&head, "Message-ID") {
        whole.extend(
            format!("Message-ID: <{}>\r\n", compose::message_id(secret::random()?, &from)).into_bytes(),
        );
    }
    whole.extend(mime::without_field(&raw, "Bcc"));
    let store = Store::open(&config.paths.data)?;
    let mail = Mail { raw: whole, from, to, ..Mail::default() };
    // It is durable before anything is said to a server; whatever comes of that is seen in the outbox.
    send::queue(&store, account, mail)?;
    if let Err(error) = send::deliver(&store, account) {
        tracing::warn!(%error, "the mail stays in the outbox for now");
    }
    store.close();
    Ok(())
}

/// What the mail is: without the `From ` line of an mbox, and up to a lone dot where that ends it.
fn text_of(mut raw: Vec<u8>, dots_are_text: bool) -> Vec<u8> {
    if raw.starts_with(b"From ") {
        let end = raw.iter().position(|b| *b == b'\n').map_or(raw.len(), |at| at + 1);
        raw.drain(..end);
    }
    if !dots_are_text {
        let mut line = 0;
        while let Some(length) = raw[line..].iter().position(|b| *b == b'\n') {
            let end = line + length + 1;
            if matches!(&raw[line..end], b".\n" | b".\r\n") {
                raw.truncate(line);
                break;
            }
            line = end;
        }
    }
    raw
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(args: &[&str]) -> std::result::Result<Call, String> {
        Call::parse(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn is_called_as_sendmail_is() {
        let git = call(&["-i", "-f", "ada@x.org", "bob@y.org", "eve@z.org"]).unwrap();
        assert_eq!((git.from.as_deref(), git.to.len(), git.dots_are_text), (Some("ada@x.org"), 2, true));
        let cron = call(&["-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"]).unwrap();
        assert_eq!((cron.name.as_deref(), &cron.to[..]), (Some("CronDaemon"), &["root".to_owned()][..]));
        assert!(call(&["-ti"]).unwrap().from_header);
        assert_eq!(call(&["--", "-f"]).unwrap().to, ["-f"]);
        assert!(call(&["-f"]).is_err());
        assert!(call(&["-bd"]).is_err());
    }

    #[test]
    fn a_lone_dot_ends_the_mail_unless_it_is_text() {
        assert_eq!(text_of(b"From x\nA: b\n\na\n.\nb\n".to_vec(), false), b"A: b\n\na\n");
        assert_eq!(text_of(b"A: b\n\na\n.\nb\n".to_vec(), true), b"A: b\n\na\n.\nb\n");
    }
}
