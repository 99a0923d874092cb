//! Deletions: DELE by the identities of this session; QUIT makes them real (RFC 1939 section 6).

use super::Session;
use super::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::protocol::{Applied, RemoteId};

impl Session {
    /// Marking messages for deletion. What is not in the maildrop any more counts as deleted; what shares
    /// its identity with another message is left (promise P7), and never is RSET said (promise P5).
    pub(super) fn delete(&mut self, ids: &[RemoteId]) -> Result<Applied> {
        self.list()?;
        if !self.named {
            return Err(Error::new(
                Kind::Unsupported,
                "this server does not name its messages (UIDL), so none is deleted there",
            )
            .hint("mail stays on the server until it is deleted by other means"));
        }
        let mut refused = Vec::new();
        let mut wanted: Vec<(&RemoteId, u32)> = Vec::new();
        let mut asked = self.marked.clone();
        for id in ids {
            let RemoteId::Uidl(uidl) = id else { continue };
            let Some(listing) = &self.listing else { continue };
            match listing.find(uidl) {
                Some(_) if !listing.is_single(uidl) => refused.push(id.clone()),
                Some(entry) if asked.insert(entry.number) => wanted.push((id, entry.number)),
                _ => {}
            }
        }
        for some in wanted.chunks(self.window()) {
            let commands: Vec<String> = some.iter().map(|(_, number)| format!("DELE {number}")).collect();
            self.talk.say(&commands)?;
            for (id, number) in some {
                match self.talk.reply()? {
                    Reply::Ok(_) => _ = self.marked.insert(*number),
                    Reply::Err(_) => refused.push((*id).clone()),
                    Reply::More(_) => return Err(self.talk.out_of_step()),
                }
            }
        }
        Ok(if refused.is_empty() { Applied::AtFinish } else { Applied::Partial { refused } })
    }
}
