//! Another IMAP client, as plain as can be, over a socket of its own: never through mailtui.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::dovecot::PASSWORD;

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Client {
    stream: BufReader<TcpStream>,
    tag: u32,
}

impl Client {
    /// Signs in on a port of 127.0.0.1 that speaks in clear.
    pub fn sign_in(port: u16, user: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut client = Self { stream: BufReader::new(stream), tag: 0 };
        client.line();
        client.ask(&format!("LOGIN {user} {PASSWORD}"));
        client
    }

    /// One line, with its literals in it.
    fn line(&mut self) -> String {
        String::from_utf8_lossy(&self.bytes()).trim_end().to_owned()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let start = all.len();
            assert!(self.stream.read_until(b'\n', &mut all).unwrap() > 0, "the server closed");
            let line = String::from_utf8_lossy(&all[start..]).into_owned();
            let literal = line.trim_end().strip_suffix('}').and_then(|l| l.rsplit_once('{')?.1.parse().ok());
            let Some(size) = literal else { break };
            let mut bytes: Vec<u8> = vec![0; size];
            self.stream.read_exact(&mut bytes).unwrap();
            all.extend(bytes);
        }
        all
    }

    /// The mails of a folder in order of their UIDs: flags and bytes.
    pub fn mails(&mut self, folder: &str) -> Vec<(String, Vec<u8>)> {
        self.ask(&format!("SELECT {folder}"));
        self.tag += 1;
        let command = format!("c{} UID FETCH 1:* (FLAGS BODY.PEEK[])\r\n", self.tag);
        self.stream.get_mut().write_all(command.as_bytes()).unwrap();
        let (mut mails, end) = (Vec::new(), format!("c{} ", self.tag));
        loop {
            let line = self.bytes();
            if line.starts_with(end.as_bytes()) {
                return mails;
            }
            let text = String::from_utf8_lossy(&line);
            let Some((_, rest)) = text.split_once("FLAGS (").filter(|_| text.contains("BODY[]")) else {
                continue;
            };
            let flags = rest.split(')').next().unwrap().to_owned();
            let at = line.windows(8).position(|w| w == b"BODY[] {").map(|at| at + 8);
            let raw = at.map_or(Vec::new(), |at| {
                let digits = line[at..].iter().position(|byte| *byte == b'}').unwrap();
                let size: usize = std::str::from_utf8(&line[at..at + digits]).unwrap().parse().unwrap();
                line[at + digits + 3..][..size].to_vec()
            });
            mails.push((flags, raw));
        }
    }

    /// Says a command and answers the untagged lines; `Err`: what the server said instead of OK.
    pub fn try_ask(&mut self, command: &str) -> Result<Vec<String>, String> {
        self.tag += 1;
        let tag = format!("c{} ", self.tag);
        self.stream.get_mut().write_all(format!("{tag}{command}\r\n").as_bytes()).unwrap();
        let mut untagged = Vec::new();
        loop {
            let line = self.line();
            match line.strip_prefix(&tag) {
                Some(end) if end.starts_with("OK") => return Ok(untagged),
                Some(end) => return Err(end.to_owned()),
                None => untagged.push(line),
            }
        }
    }

    #[track_caller]
    pub fn ask(&mut self, command: &str) -> Vec<String> {
        self.try_ask(command).unwrap_or_else(|said| panic!("{command}: {said}"))
    }

    /// The UIDs of a folder, and the numbers of their seeds.
    pub fn seeds(&mut self, folder: &str) -> Vec<(u32, u32)> {
        self.ask(&format!("SELECT {folder}"));
        let fetched = self.ask("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (X-SEED)])");
        let number = |line: &str, after: &str| -> Option<u32> {
            let rest = line.split_once(after)?.1;
            rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
        };
        fetched.iter().filter_map(|line| Some((number(line, "UID ")?, number(line, "X-Seed: ")?))).collect()
    }

    /// Puts a mail into a folder (RFC 7888 for the literal).
    pub fn append(&mut self, folder: &str, flags: &str, raw: &[u8]) {
        self.tag += 1;
        let tag = format!("c{} ", self.tag);
        let head = format!("{tag}APPEND {folder} ({flags}) {{{}+}}\r\n", raw.len());
        let all = [head.as_bytes(), raw, b"\r\n"].concat();
        self.stream.get_mut().write_all(&all).unwrap();
        loop {
            let line = self.line();
            if let Some(end) = line.strip_prefix(&tag) {
                assert!(end.starts_with("OK"), "{end}");
                return;
            }
        }
    }
}
