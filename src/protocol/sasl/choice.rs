//! Which ways to sign in are tried, in which order, and when a weaker one may follow (promise P11).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::Mechanism;
use crate::config::Auth;

/// One way to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::protocol) enum Way {
    /// By SASL.
    Sasl(Mechanism),
    /// POP3: a digest over the greeting's stamp (RFC 1939 section 7).
    Apop,
    /// The protocol's own command: LOGIN in IMAP, USER and PASS in POP3.
    Own,
}

impl Way {
    /// Whether the secret itself does not go over the wire.
    pub(in crate::protocol) fn is_digest(self) -> bool {
        match self {
            Self::Sasl(mechanism) => mechanism.is_digest(),
            Self::Apop => true,
            Self::Own => false,
        }
    }
}

/// How the protocol's own command is to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::protocol) enum Own {
    /// Not at all.
    Shut,
    /// Where nothing better is offered.
    Last,
    /// In place of PLAIN, which is as strong and slower here.
    Quick,
}

/// What a server offers.
#[derive(Debug, Clone, Copy)]
pub(in crate::protocol) struct Offered<'a> {
    /// The mechanisms that it told.
    pub(in crate::protocol) mechanisms: &'a [Mechanism],
    /// Whether it told any; else the one that is configured may be tried.
    pub(in crate::protocol) told: bool,
    /// Whether its greeting had a stamp.
    pub(in crate::protocol) apop: bool,
    pub(in crate::protocol) own: Own,
    /// Whether all this was said over TLS.
    pub(in crate::protocol) secure: bool,
}

/// The ways in that are open, best first. Only a refused digest may be followed by the next, and only over
/// TLS: in clear, anybody on the line could bring that about.
pub(in crate::protocol) fn ways(auth: Auth, offered: Offered<'_>, place: &Place) -> Vec<Way> {
    use Mechanism::{CramMd5, Login, OAuthBearer, Plain, ScramSha256, XOAuth2};
    let sasl = |mechanism| Way::Sasl(mechanism);
    let is_open = |way: &Way| match way {
        Way::Sasl(mechanism) => offered.mechanisms.contains(mechanism),
        Way::Apop => offered.apop,
        Way::Own => offered.own != Own::Shut,
    };
    let named = |first: Mechanism, rest: &[Way]| {
        let untold = (!offered.told).then_some(sasl(first));
        let open = [sasl(first)].into_iter().chain(rest.iter().copied()).find(is_open);
        open.or(untold).into_iter().collect()
    };
    match auth {
        Auth::Plain => named(Plain, &[]),
        Auth::Login => named(Login, &[Way::Own]),
        Auth::CramMd5 => named(CramMd5, &[]),
        Auth::ScramSha256 => named(ScramSha256, &[]),
        Auth::XOAuth2 => named(XOAuth2, &[sasl(OAuthBearer)]),
        Auth::OAuthBearer => named(OAuthBearer, &[sasl(XOAuth2)]),
        Auth::Apop => [Way::Apop].into_iter().filter(is_open).collect(),
        Auth::User => [Way::Own].into_iter().filter(is_open).collect(),
        Auth::Auto => {
            let quick = (offered.own == Own::Quick).then_some(Way::Own);
            let words = quick.into_iter().chain([sasl(Plain), sasl(Login)]);
            let digests = [sasl(CramMd5), Way::Apop];
            let first = [sasl(ScramSha256)].into_iter();
            let mut ways: Vec<Way> = match offered.secure {
                true => first.chain(words).chain(digests).chain([Way::Own]).collect(),
                false => first.chain(digests).chain(words).chain([Way::Own]).collect(),
            };
            let memory = memory();
            let known = memory.get(place);
            let is_refused = |way: &Way| known.is_some_and(|known| known.refused.contains(way));
            ways.retain(|way| is_open(way) && !(offered.secure && is_refused(way)));
            let mut seen = BTreeSet::new();
            ways.retain(|way| seen.insert(*way));
            // A digest worked here before: a list without one was made for us to say the secret.
            if !offered.secure && known.is_some_and(|known| known.digest) {
                ways.retain(|way| way.is_digest());
            }
            ways
        }
    }
}

/// Host, port and user.
pub(in crate::protocol) type Place = (String, u16, String);

/// What was learned of a place since the program began.
#[derive(Debug, Default)]
struct Learned {
    /// Digests that were refused where a weaker way then worked: the server does not keep what they need.
    refused: BTreeSet<Way>,
    /// Whether a digest worked.
    digest: bool,
}

static MEMORY: Mutex<BTreeMap<Place, Learned>> = Mutex::new(BTreeMap::new());

fn memory() -> std::sync::MutexGuard<'static, BTreeMap<Place, Learned>> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// This way let us in.
pub(in crate::protocol) fn note_worked(place: &Place, way: Way) {
    memory().entry(place.clone()).or_default().digest |= way.is_digest();
}

/// These were refused before a weaker one let us in: they are passed over from now on, or each sign-in would
/// look like an attack.
pub(in crate::protocol) fn note_refused(place: &Place, ways: &[Way]) {
    if !ways.is_empty() {
        memory().entry(place.clone()).or_default().refused.extend(ways);
    }
}

#[cfg(test)]
mod tests {
    use super::Mechanism::*;
    use super::*;

    const ALL: Offered<'_> = Offered {
        mechanisms: &[Plain, Login, CramMd5, ScramSha256, XOAuth2, OAuthBearer],
        told: true,
        apop: true,
        own: Own::Last,
        secure: true,
    };

    fn place(host: &str) -> Place {
        (host.into(), 1, "ann".into())
    }

    #[test]
    fn p11_the_strongest_way_comes_first() {
        let auto = |offered| ways(Auth::Auto, offered, &place("p11"));
        let sasl = Way::Sasl;
        assert_eq!(
            auto(ALL),
            [sasl(ScramSha256), sasl(Plain), sasl(Login), sasl(CramMd5), Way::Apop, Way::Own]
        );
        assert_eq!(
            auto(Offered { secure: false, ..ALL }),
            [sasl(ScramSha256), sasl(CramMd5), Way::Apop, sasl(Plain), sasl(Login), Way::Own]
        );
        let quick = Offered { own: Own::Quick, mechanisms: &[Plain], apop: false, ..ALL };
        assert_eq!(auto(quick), [Way::Own, sasl(Plain)]);
        assert_eq!(auto(Offered { own: Own::Shut, mechanisms: &[XOAuth2], apop: false, ..ALL }), []);
    }

    #[test]
    fn p11_what_is_configured_is_what_is_tried() {
        let of = |auth, offered| ways(auth, offered, &place("named"));
        assert_eq!(of(Auth::Plain, ALL), [Way::Sasl(Plain)]);
        assert_eq!(of(Auth::Plain, Offered { mechanisms: &[Login], ..ALL }), []);
        assert_eq!(of(Auth::Plain, Offered { mechanisms: &[], told: false, ..ALL }), [Way::Sasl(Plain)]);
        assert_eq!(of(Auth::Login, Offered { mechanisms: &[], ..ALL }), [Way::Own]);
        assert_eq!(of(Auth::ScramSha256, Offered { mechanisms: &[Plain], ..ALL }), []);
        assert_eq!(of(Auth::XOAuth2, ALL), [Way::Sasl(XOAuth2)]);
        assert_eq!(
            of(Auth::XOAuth2, Offered { mechanisms: &[Plain, OAuthBearer], ..ALL }),
            [Way::Sasl(OAuthBearer)]
        );
        assert_eq!(of(Auth::Apop, Offered { apop: false, ..ALL }), []);
        assert_eq!(of(Auth::User, Offered { own: Own::Shut, ..ALL }), []);
    }

    #[test]
    fn p11_a_digest_that_the_server_cannot_do_is_not_tried_for_ever() {
        let place = place("no-scram");
        note_refused(&place, &[Way::Sasl(ScramSha256)]);
        assert_eq!(ways(Auth::Auto, ALL, &place)[0], Way::Sasl(Plain));
        // In clear it stays the first: what cannot be checked is not believed.
        assert_eq!(ways(Auth::Auto, Offered { secure: false, ..ALL }, &place)[0], Way::Sasl(ScramSha256));
        assert_eq!(ways(Auth::ScramSha256, ALL, &place), [Way::Sasl(ScramSha256)]);
    }

    #[test]
    fn x1_in_clear_a_list_that_shrank_is_not_believed() {
        let place = place("shrinks");
        let bare = Offered { mechanisms: &[Plain], apop: false, secure: false, ..ALL };
        assert_eq!(ways(Auth::Auto, bare, &place), [Way::Sasl(Plain), Way::Own]);
        note_worked(&place, Way::Sasl(CramMd5));
        assert_eq!(ways(Auth::Auto, bare, &place), []);
        assert_eq!(ways(Auth::Auto, Offered { secure: true, ..bare }, &place), [Way::Sasl(Plain), Way::Own]);
    }
}
