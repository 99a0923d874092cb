//! What a proxy is to do to the connections that pass through it: a value that prints itself and is read back.

use std::fmt;
use std::str::FromStr;

use super::Tally;
use crate::support::chance::Chance;

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the program to the server.
    Up,
    /// From the server to the program.
    Down,
}

impl Way {
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];
}

/// What happens once a number of bytes has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Break {
    /// Both ends see the connection end in order. The server carries out what it got; nobody hears of it.
    Cut,
    /// Both ends see the connection reset.
    Reset,
    /// This way ends in order; the other way goes on.
    Half,
    /// Nothing passes any more, either way, until the program gives up or the test releases it.
    Stall,
}

/// One thing that goes wrong. Connections and lines are counted from 0, bytes by how many passed before.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The first connections are closed before a word is said.
    Refuse { connections: u32 },
    /// A connection breaks when exactly this many bytes have passed this way.
    Break { how: Break, connection: u32, way: Way, byte: u64 },
    /// A connection is cut when the server begins this line: what it answers to was carried out.
    Swallow { connection: u32, line: u64 },
    /// The server says more, ahead of this line of its own.
    Insert { connection: u32, line: u64, bytes: Vec<u8> },
    /// In every line of this way these bytes become those.
    Replace { way: Way, from: Vec<u8>, to: Vec<u8> },
    /// Bytes pass in pieces of at most this size, each in a packet and a TLS record of its own.
    Trickle { way: Way, size: usize },
}

/// All that goes wrong in one round.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Plan(pub Vec<Fault>);

impl Plan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    pub fn and(mut self, fault: Fault) -> Self {
        self.0.push(fault);
        self
    }

    /// This plan with the faults of another behind its own.
    pub fn with(mut self, other: &Self) -> Self {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub fn refused(&self) -> u32 {
        let count = |f: &Fault| if let Fault::Refuse { connections } = f { *connections } else { 0 };
        self.0.iter().map(count).max().unwrap_or(0)
    }

    /// A break of every kind asked for, at every byte of every connection, each way.
    pub fn every_byte(how: Break, tally: &Tally) -> Vec<Self> {
        let mut plans = Vec::new();
        for (connection, passed) in (0..).zip(&tally.connections) {
            for way in Way::BOTH {
                // The last byte passed is a point of its own: the end before the end.
                for byte in 0..=passed.bytes(way) {
                    plans.push(Self(vec![Fault::Break { how, connection, way, byte }]));
                }
            }
        }
        plans
    }

    /// Every line of the server swallowed once.
    pub fn every_reply(tally: &Tally) -> Vec<Self> {
        let mut plans = Vec::new();
        for (connection, passed) in (0..).zip(&tally.connections) {
            for line in 0..passed.lines(Way::Down) {
                plans.push(Self(vec![Fault::Swallow { connection, line }]));
            }
        }
        plans
    }

    /// One to three faults at random places of a session like this one; all but stalls, which cost a deadline.
    pub fn random(chance: &mut Chance, tally: &Tally) -> Self {
        let mut plan = Self::none();
        for _ in 0..=chance.below(3) {
            let count = tally.connections.len() as u64;
            let connection = u32::try_from(chance.below(count)).unwrap();
            let Some(passed) = tally.connections.get(connection as usize) else { break };
            let way = *chance.pick(&Way::BOTH);
            let byte = chance.below(passed.bytes(way) + 1);
            let line = chance.below(passed.lines(Way::Down));
            plan.0.push(match chance.below(8) {
                0 | 1 => Fault::Break { how: Break::Cut, connection, way, byte },
                2 => Fault::Break { how: Break::Reset, connection, way, byte },
                3 => Fault::Break { how: Break::Half, connection, way, byte },
                4 | 5 => Fault::Swallow { connection, line },
                6 => Fault::Refuse { connections: 1 },
                _ => Fault::Trickle { way, size: 1 + chance.below(7) as usize },
            });
        }
        plan
    }
}

impl From<Fault> for Plan {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse { connections } => write!(f, "refuse {connections}"),
            Self::Break { how, connection, way, byte } => {
                let how = match how {
                    Break::Cut => "cut",
                    Break::Reset => "reset",
                    Break::Half => "half",
                    Break::Stall => "stall",
                };
                write!(f, "{how} {connection} {way} {byte}")
            }
            Self::Swallow { connection, line } => write!(f, "swallow {connection} {line}"),
            Self::Insert { connection, line, bytes } => {
                write!(f, "insert {connection} {line} {}", escape(bytes))
            }
            Self::Replace { way, from, to } => write!(f, "replace {way} {} {}", escape(from), escape(to)),
            Self::Trickle { way, size } => write!(f, "trickle {way} {size}"),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self::none());
        }
        text.split(';').map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number = |at: usize| -> Result<u64, String> {
            words.get(at).and_then(|w| w.parse().ok()).ok_or_else(|| format!("word {at} of {text:?}"))
        };
        let connection = || number(1).and_then(|n| u32::try_from(n).map_err(|e| e.to_string()));
        let way = |at: usize| match words.get(at) {
            Some(&"up") => Ok(Way::Up),
            Some(&"down") => Ok(Way::Down),
            _ => Err(format!("word {at} of {text:?} is neither up nor down")),
        };
        let bytes = |at: usize| unescape(words.get(at).copied().unwrap_or_default());
        let broken = |how| Ok(Self::Break { how, connection: connection()?, way: way(2)?, byte: number(3)? });
        match words.first().copied() {
            Some("refuse") => Ok(Self::Refuse { connections: connection()? }),
            Some("cut") => broken(Break::Cut),
            Some("reset") => broken(Break::Reset),
            Some("half") => broken(Break::Half),
            Some("stall") => broken(Break::Stall),
            Some("swallow") => Ok(Self::Swallow { connection: connection()?, line: number(2)? }),
            Some("insert") => {
                Ok(Self::Insert { connection: connection()?, line: number(2)?, bytes: bytes(3)? })
            }
            Some("replace") => Ok(Self::Replace { way: way(1)?, from: bytes(2)?, to: bytes(3)? }),
            Some("trickle") => Ok(Self::Trickle { way: way(1)?, size: number(2)?.max(1) as usize }),
            _ => Err(format!("not a fault: {text:?}")),
        }
    }
}

/// Bytes as one word without spaces and semicolons.
fn escape(bytes: &[u8]) -> String {
    let mut out = String::from("'");
    for &byte in bytes {
        match byte {
            b'\\' | b';' | b'\'' => out += &format!("\\x{byte:02x}"),
            b'!'..=b'~' => out.push(byte as char),
            _ => out += &format!("\\x{byte:02x}"),
        }
    }
    out + "'"
}

fn unescape(word: &str) -> Result<Vec<u8>, String> {
    let inner = word.strip_prefix('\'').and_then(|w| w.strip_suffix('\''));
    let mut rest = inner.ok_or_else(|| format!("not quoted: {word}"))?.as_bytes();
    let mut out = Vec::new();
    while let [first, after @ ..] = rest {
        if let [b'\\', b'x', hex @ ..] = rest {
            let digits = hex.get(..2).and_then(|h| std::str::from_utf8(h).ok());
            let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
            out.push(byte.ok_or_else(|| format!("not an escape in {word}"))?);
            rest = &hex[2..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    Ok(out)
}

#[test]
fn a_plan_is_read_back_as_it_printed_itself() {
    let plan = Plan::none()
        .and(Fault::Refuse { connections: 2 })
        .and(Fault::Break { how: Break::Cut, connection: 0, way: Way::Down, byte: 123 })
        .and(Fault::Break { how: Break::Reset, connection: 1, way: Way::Up, byte: 0 })
        .and(Fault::Break { how: Break::Half, connection: 1, way: Way::Up, byte: 7 })
        .and(Fault::Break { how: Break::Stall, connection: 3, way: Way::Down, byte: 8 })
        .and(Fault::Swallow { connection: 0, line: 4 })
        .and(Fault::Insert { connection: 0, line: 4, bytes: b"* 3 'EXISTS';\\\r\n\xff".to_vec() })
        .and(Fault::Replace { way: Way::Down, from: b"PIPELINING".to_vec(), to: Vec::new() })
        .and(Fault::Trickle { way: Way::Up, size: 3 });
    let text = plan.to_string();
    assert!(text.starts_with("refuse 2; cut 0 down 123; reset 1 up 0; "), "{text}");
    assert_eq!(text.parse::<Plan>().unwrap(), plan, "{text}");
    assert_eq!("none".parse::<Plan>().unwrap(), Plan::none());
    assert!("cut 0 sideways 3".parse::<Plan>().is_err());
}
