//! Mails that can be told apart wherever they turn up: each has its number and its bytes are known.

use mailtui::mime;
use sha2::{Digest, Sha256};

use super::chance::Chance;

/// A mail of a test, with `X-Seed: n` in its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    pub n: u32,
    pub raw: Vec<u8>,
    pub sha256: [u8; 32],
}

impl Seed {
    pub fn new(n: u32, raw: Vec<u8>) -> Self {
        let sha256 = Sha256::digest(&raw).into();
        Self { n, raw, sha256 }
    }
}

/// The mails numbered from 1 to `count`: small, every line ended by CRLF, with all that a wire has to
/// carry exactly. Some answer earlier ones.
pub fn seeds(count: u32, chance: &mut Chance) -> Vec<Seed> {
    (1..=count).map(|n| seed(n, chance)).collect()
}

fn seed(n: u32, chance: &mut Chance) -> Seed {
    let day = 1 + n % 27;
    let mut raw = format!(
        "Received: from a by b; {day} Jun 2025 09:{:02}:00 +0000\r\nFrom: Person {n} <p{n}@example.org>\r\n\
         To: ada@example.org\r\nSubject: seed {n}\r\nDate: {day} Jun 2025 09:{:02}:00 +0000\r\n\
         Message-ID: <seed{n}@example.org>\r\nX-Seed: {n}\r\n",
        n % 60,
        n % 60
    )
    .into_bytes();
    if n > 2 && n.is_multiple_of(3) {
        let parent = 1 + chance.below(u64::from(n) - 1);
        raw.extend(format!("In-Reply-To: <seed{parent}@example.org>\r\n").bytes());
    }
    raw.extend(b"\r\n");
    for _ in 0..=chance.below(4) {
        raw.extend_from_slice(chance.pick::<&[u8]>(&[
            b"An ordinary line.\r\n",
            b".\r\n",
            b"..two dots\r\n",
            b"\r\n",
            b"From here on nothing is escaped\r\n",
            b"8 bit: \xe4\xf6\xfc \xff\r\n",
            b")\r\nx OK FETCH done\r\n",
            b"+OK not an answer\r\n-ERR nor this\r\n",
            b"a line that ends with a literal {12}\r\n",
            b"\ttabs and   spaces at the end  \r\n",
        ]));
    }
    raw.extend(format!("{:016x}\r\n", chance.next()).bytes());
    Seed::new(n, raw)
}

/// The number of the mail that these bytes are, or once were.
pub fn number(raw: &[u8]) -> Option<u32> {
    let head = String::from_utf8_lossy(mime::header_block(raw)).into_owned();
    let drafted = head.contains("\nX-Mailtui-Draft:").then_some("Subject: seed ");
    let field = drafted.unwrap_or("X-Seed: ");
    head.lines().find_map(|line| line.strip_prefix(field)?.trim().parse().ok())
}

#[test]
fn a_seed_knows_its_number() {
    let seeds = seeds(40, &mut Chance::new(1));
    for seed in &seeds {
        assert_eq!(number(&seed.raw), Some(seed.n));
        assert!(seed.raw.ends_with(b"\r\n"));
    }
    assert_eq!(number(b"Subject: x\r\n\r\nX-Seed: 3\r\n"), None);
}
