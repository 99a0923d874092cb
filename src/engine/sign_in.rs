//! Signing in without tiring a server of a secret that it refused (promise A7).

use super::account::{Worker, now};
use crate::error::{Error, Kind, Result};
use crate::protocol::MailProtocol;
use crate::secret::{Fingerprint, Secret};
use crate::store::{Batch, Refusal, Step};
use crate::text::Clean;

/// A secret that worked before and is refused is tried once more after so many seconds.
const ONCE_MORE: i64 = 60;

impl Worker<'_> {
    /// Connects and signs in, unless the server refused this very secret before.
    pub(super) fn open(&mut self) -> Result<Box<dyn MailProtocol>> {
        let secret = self.tried()?;
        match (self.setup.open)(self.door.bell()) {
            Ok(session) => {
                let known = self.reader.sign_ins(self.id)?;
                if !known.worked || known.refusal.is_some() {
                    self.note(None)?;
                }
                Ok(session)
            }
            Err(error) => {
                if let Some(secret) = secret.filter(|_| error.kind() == Kind::Auth && self.is_live())
                    && let Err(e) = self.remember(&secret)
                {
                    tracing::warn!(error = %e, "a refused password could not be remembered");
                }
                Err(error)
            }
        }
    }

    /// The secret that is going to be tried; an error where it was refused and is not to be tried now.
    fn tried(&mut self) -> Result<Option<Secret>> {
        let Some(ask) = &self.setup.secret else { return Ok(None) };
        let secret = ask(false)?;
        // Asked for by the user: whatever was refused.
        if std::mem::take(&mut self.pardoned) {
            return Ok(Some(secret));
        }
        let Some(refusal) = self.reader.sign_ins(self.id)?.refusal.filter(|r| r.print.is_of(&secret)) else {
            return Ok(Some(secret));
        };
        if !refusal.is_final && now() >= refusal.at + ONCE_MORE {
            return Ok(Some(secret));
        }
        // There may be a new one since it was asked for.
        let anew = ask(true)?;
        if anew.expose() != secret.expose() && !refusal.print.is_of(&anew) {
            return Ok(Some(anew));
        }
        let name = Clean::line(&self.setup.account.name);
        let what = if refusal.is_final { "is not tried again" } else { "is tried once more after a minute" };
        Err(Error::new(Kind::Auth, format!("the server refused this password before; it {what}")).hint(format!(
            "Give the new one where [accounts.{name}] takes it from; the same is tried again with `$` on the \
             screen or `mailtui queue retry {name}`"
        )))
    }

    /// Remembers a secret that was refused just now; the second time in a row it is believed.
    fn remember(&self, secret: &Secret) -> Result<()> {
        let known = self.reader.sign_ins(self.id)?;
        let before = known.refusal.filter(|refusal| refusal.print.is_of(secret));
        let is_final = !known.worked || before.is_some();
        let print = match before {
            Some(refusal) => refusal.print,
            None => Fingerprint::of(secret)?,
        };
        self.note(Some(Refusal { print, at: now(), is_final }))
    }

    fn note(&self, refusal: Option<Refusal>) -> Result<()> {
        let steps = vec![Step::SignedIn { refusal }];
        self.store.commit(Batch { account: self.id, steps }).map(drop)
    }

    /// Seconds until a refused secret is tried once more; `None`: it is believed.
    pub(super) fn once_more(&mut self) -> Option<u64> {
        if self.setup.secret.is_none() {
            // Whoever opens sessions without a secret is remembered for as long as this runs.
            return std::mem::take(&mut self.ever).then_some(ONCE_MORE.unsigned_abs());
        }
        let refusal = self.reader.sign_ins(self.id).ok()?.refusal?;
        let left = (refusal.at + ONCE_MORE - now()).clamp(1, ONCE_MORE);
        (!refusal.is_final).then_some(left.unsigned_abs())
    }

    /// Goes on where the user said so meanwhile, perhaps in another process.
    pub(super) fn hear_pardon(&mut self) {
        if !self.paused {
            return;
        }
        let is_pardoned = self
            .reader
            .health()
            .is_ok_and(|all| all.iter().any(|health| health.id == self.id && !health.is_paused()));
        if is_pardoned {
            (self.paused, self.not_before, self.tries) = (false, None, 0);
            self.folders = self.is_live();
            self.forget_fares();
        }
    }
}
