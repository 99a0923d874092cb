//! `mailtui addresses`: people written to, and people taken in from vCard files.

use serde_json::json;

use super::args::Addresses;
use super::out::Out;
use crate::compose;
use crate::error::{Error, Kind, Result};
use crate::store::Store;
use crate::text::Clean;

pub(super) fn run(what: &Addresses, store: &Store, out: &mut Out) -> Result<u8> {
    let mut people = Vec::new();
    for path in &what.import {
        let text = std::fs::read(path)
            .map_err(|e| Error::new(Kind::Gone, format!("could not read {}", path.display())).because(e))?;
        people.extend(compose::vcards(&String::from_utf8_lossy(&text)));
    }
    if !what.import.is_empty() {
        let new = store.learn(people)?;
        out.line(format!("took in {new} new {}", if new == 1 { "address" } else { "addresses" }))?;
        return Ok(0);
    }
    let now = jiff::Timestamp::now().as_second();
    for one in store.lister()?.complete(&what.words.join(" "), now, usize::MAX)? {
        let (addr, name) = (Clean::line(&one.who.addr), Clean::line(&one.who.name));
        if out.json {
            out.object(&json!({ "address": addr, "name": name, "sent": one.sent, "last": one.last }))?;
        } else {
            out.line(format!("{addr}\t{name}"))?;
        }
    }
    Ok(0)
}
