//! Puts mail on a server, exactly once (promise I7).
//!
//! Where the folder ends is asked for and written down, in the transaction that marks the operation as
//! running, before the first byte goes out. An operation that was tried before looks first at what came into
//! the folder since. So a line that breaks at any byte neither loses a mail nor doubles it.

use super::account::{Worker, no_session, now};
use super::push::{self, End, Pushed, folder_ref};
use crate::error::{Error, Kind, Result};
use crate::mime;
use crate::model::{MessageId, PlacementId};
use crate::protocol::{BodySource, Letter, MailProtocol, RemoteId};
use crate::store::{Batch, Op, OpKind, Parcel, Reader, Step};

/// What is read of a mail to know its header.
const HEAD: u64 = 1 << 20;

const TAKEN_BACK: &str = "the mail was taken back before it was on the server";

/// The bytes of a mail in the store.
pub(super) struct Stored<'a> {
    pub(super) reader: &'a Reader,
    pub(super) message: MessageId,
}

impl BodySource for Stored<'_> {
    fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        self.reader.read_body(self.message, take).map(drop)
    }
}

impl Worker<'_> {
    /// Carries out an operation that puts a mail into a folder; `None`: it was taken back meanwhile.
    pub(super) fn put(&mut self, op: &Op, parcel: &Parcel) -> Result<Option<Pushed>> {
        let session = self.session.as_mut().ok_or_else(no_session)?.protocol.as_mut();
        let mut steps = Vec::new();
        if parcel.mark.is_none() {
            match folder_ref(&self.reader, parcel.folder).and_then(|folder| session.mark(&folder)) {
                Ok(mark) => steps.push(Step::OpMarked { op: op.id, mark }),
                Err(error) => return Ok(Some(push::failed(op, error, now()))),
            }
        }
        steps.push(Step::OpRunning(op.id));
        self.store.commit(Batch { account: self.id, steps })?;
        let Some(op) = self.reader.running_op(op.id)? else { return Ok(None) };
        let (OpKind::Append(now_known), Some(item)) = (&op.kind, op.items.first()) else { return Ok(None) };
        let was_tried = parcel.mark.is_some();
        let placed = if item.uid.is_some() {
            // A look at the folder showed it.
            Ok(Some(Placed { id: None, broken: None }))
        } else {
            place(session, &self.reader, item.placement, now_known, was_tried)
        };
        Ok(Some(match placed {
            Ok(Some(placed)) => {
                let size = self.reader.summary(item.placement)?.map_or(0, |mail| mail.size);
                self.fared.bytes_out += size;
                self.placed(&op, now_known, item.placement, placed)?
            }
            Ok(None) => {
                let step = Step::OpFailed { op: op.id, error: TAKEN_BACK.to_owned(), retry_at: None };
                Pushed { steps: vec![step], look: None, unkept: Vec::new(), end: End::Done }
            }
            Err(error) => push::failed(&op, error, now()),
        }))
    }

    fn placed(&self, op: &Op, parcel: &Parcel, item: PlacementId, placed: Placed) -> Result<Pushed> {
        let known = self.reader.cursor(parcel.folder)?.validity;
        let moved: Vec<_> = match placed.id {
            // A folder that was numbered anew shows its mail at the next look.
            // Nor is a number believed that the folder had given out before.
            Some(RemoteId::Uid { validity, uid })
                if (known == 0 || known == validity)
                    && parcel.mark.is_none_or(|mark| mark.validity != validity || uid >= mark.uidnext) =>
            {
                vec![(item, uid)]
            }
            _ => Vec::new(),
        };
        let look = Some(parcel.folder).filter(|_| moved.is_empty());
        Ok(Pushed {
            steps: vec![Step::OpDone { op: op.id, moved, created: None }],
            look,
            unkept: Vec::new(),
            end: placed.broken.map_or(End::Done, End::Broken),
        })
    }
}

/// The mail is on the server.
struct Placed {
    /// Its name there, as far as known.
    id: Option<RemoteId>,
    /// The line broke afterwards.
    broken: Option<Error>,
}

/// Puts it there, unless it is there already; `None`: it is not there, and need not be.
fn place(
    session: &mut dyn MailProtocol,
    reader: &Reader,
    item: PlacementId,
    parcel: &Parcel,
    was_tried: bool,
) -> Result<Option<Placed>> {
    let letter = letter(reader, item, parcel)?;
    let mark = parcel.mark.ok_or_else(|| Error::new(Kind::Bug, "a mail is put where nothing was marked"))?;
    if was_tried && let Some(id) = session.find(&letter, mark)? {
        return Ok(Some(Placed { id: Some(id), broken: None }));
    }
    if parcel.leaving && was_tried {
        return Ok(None);
    }
    let mut bytes = Stored { reader, message: parcel.message };
    if let Some(id) = session.append(&letter, &mut bytes)? {
        return Ok(Some(Placed { id: Some(id), broken: None }));
    }
    // The server took it and does not say where (no UIDPLUS). What fails now undoes nothing.
    Ok(Some(match session.find(&letter, mark) {
        Ok(id) => Placed { id, broken: None },
        Err(error) => Placed { id: None, broken: Some(error) },
    }))
}

fn letter(reader: &Reader, item: PlacementId, parcel: &Parcel) -> Result<Letter> {
    let posting = reader
        .posting(item)?
        .ok_or_else(|| Error::new(Kind::Gone, "the mail is not in the store any more"))?;
    let raw = reader.raw(parcel.message, HEAD)?;
    Ok(Letter {
        folder: folder_ref(reader, parcel.folder)?,
        make: parcel.make,
        flags: posting.flags,
        keywords: posting.keywords,
        received: posting.received,
        size: posting.size,
        envelope: mime::envelope(mime::header_block(&raw)),
        others: posting.others,
    })
}
