//! What the server says it can do (CAPA, RFC 2449).

use super::reply::Reply;
use super::talk::Talk;
use crate::error::Result;

/// A server with more capabilities than this is not listened to any longer.
const MOST: usize = 200;

/// The answer to CAPA, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Capabilities {
    /// Whether the server knows CAPA at all; without, everything may be tried.
    pub(super) told: bool,
    /// RFC 2595.
    pub(super) stls: bool,
    /// RFC 1939 section 7.
    pub(super) uidl: bool,
    /// USER and PASS.
    pub(super) user: bool,
    /// Several commands may be under way.
    pub(super) pipelining: bool,
    /// RFC 6856.
    pub(super) utf8: bool,
    /// SASL mechanisms in capitals (RFC 5034).
    pub(super) sasl: Vec<String>,
    /// Seconds between two sign-ins.
    pub(super) login_delay: Option<u32>,
    /// Days that mail is kept, or `NEVER`.
    pub(super) expire: Option<String>,
}

impl Capabilities {
    /// Asks for them. A server that does not know the question has none.
    pub(super) fn ask(talk: &mut Talk) -> Result<Self> {
        let mut found = Self::default();
        match talk.command("CAPA")? {
            Reply::Ok(_) => {}
            Reply::Err(_) => return Ok(found),
            Reply::More(_) => return Err(talk.out_of_step()),
        }
        found.told = true;
        talk.short_lines(MOST, &mut |line| found.add(line))?;
        Ok(found)
    }

    fn add(&mut self, line: &str) {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().unwrap_or_default().to_ascii_uppercase();
        match name.as_str() {
            "STLS" => self.stls = true,
            "UIDL" => self.uidl = true,
            "USER" => self.user = true,
            "PIPELINING" => self.pipelining = true,
            "UTF8" => self.utf8 = true,
            "SASL" => self.sasl = words.map(str::to_ascii_uppercase).collect(),
            "LOGIN-DELAY" => self.login_delay = words.next().and_then(|n| n.parse().ok()),
            "EXPIRE" => self.expire = words.next().map(str::to_owned),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_servers_say() {
        let mut capa = Capabilities::default();
        for line in ["TOP", "sasl plain Login", "UIDL", "LOGIN-DELAY 60 USER", "EXPIRE NEVER", "", "X-Y z"] {
            capa.add(line);
        }
        assert!(capa.uidl && !capa.stls && !capa.pipelining);
        assert_eq!(capa.sasl, ["PLAIN", "LOGIN"]);
        assert_eq!((capa.login_delay, capa.expire.as_deref()), (Some(60), Some("NEVER")));
    }
}
