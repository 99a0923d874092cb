//! Text that begins a line with `From `, in mailbox files: put behind a `>` where they are written, and freed of it
//! where they are read (mboxrd: each line of `>` and `From ` has one `>` more there than in the mail).

use std::io::{self, BufRead, Read, Write};

const FROM: &[u8] = b"From ";

/// How far into a line that may have to be quoted, or freed of it, the last byte was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Only `>` so far; whether there was any.
    Open(bool),
    /// Within `From `, so many bytes of it.
    Within(usize),
    /// Anywhere else.
    Inside,
}

/// Writes mail as it lies in a mailbox file, whatever pieces it comes in.
#[derive(Debug)]
pub struct Quoting<W> {
    to: W,
    place: Place,
    /// `>` that were read and not written yet.
    marks: usize,
    ends_line: bool,
}

impl<W: Write> Quoting<W> {
    /// At the beginning of a mail.
    pub fn new(to: W) -> Self {
        Self { to, place: Place::Open(false), marks: 0, ends_line: false }
    }

    fn give(&mut self, quoted: bool, from: usize) -> io::Result<()> {
        for _ in 0..self.marks + usize::from(quoted) {
            self.to.write_all(b">")?;
        }
        self.marks = 0;
        self.to.write_all(&FROM[..from])
    }

    /// Ends the mail: what is written next begins a line. Gives back what it wrote to.
    pub fn finish(mut self) -> io::Result<W> {
        match self.place {
            Place::Within(from) => self.give(false, from)?,
            _ => self.give(false, 0)?,
        }
        if !self.ends_line {
            self.to.write_all(b"\n")?;
        }
        Ok(self.to)
    }

    /// The next bytes of the mail.
    pub fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while let Some(&byte) = rest.first() {
            self.ends_line = byte == b'\n';
            match self.place {
                Place::Open(_) if byte == b'>' => {
                    self.marks += 1;
                    self.place = Place::Open(true);
                }
                Place::Open(_) | Place::Within(_) => {
                    let had = if let Place::Within(had) = self.place { had } else { 0 };
                    if byte == FROM[had] {
                        self.place = Place::Within(had + 1);
                        if had + 1 == FROM.len() {
                            self.give(true, FROM.len())?;
                            self.place = Place::Inside;
                        }
                    } else {
                        self.give(false, had)?;
                        self.to.write_all(&[byte])?;
                        self.place = if byte == b'\n' { Place::Open(false) } else { Place::Inside };
                    }
                }
                Place::Inside => {
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    self.to.write_all(&rest[..end])?;
                    self.ends_line = rest[end - 1] == b'\n';
                    if self.ends_line {
                        self.place = Place::Open(false);
                    }
                    rest = &rest[end..];
                    continue;
                }
            }
            rest = &rest[1..];
        }
        Ok(())
    }
}

/// Reads mail as it was before it was put into a mailbox file, in memory that does not grow with its lines.
#[derive(Debug)]
pub struct Unquoting<R> {
    from: R,
    /// Only lines behind the header were quoted.
    body_only: bool,
    in_header: bool,
    at_line: bool,
    was_empty: bool,
    /// `>` and then bytes of `From ` that were read and not handed over, without the one that goes.
    marks: usize,
    held: usize,
    /// So many of these are handed over already.
    given: usize,
}

impl<R: BufRead> Unquoting<R> {
    /// Of a mail, header first. `body_only`: a header has no such lines, or they are its own.
    pub fn new(from: R, body_only: bool) -> Self {
        Self { from, body_only, in_header: true, at_line: true, was_empty: true, marks: 0, held: 0, given: 0 }
    }

    /// At the beginning of a line: takes what may be quoted.
    fn open_line(&mut self) -> io::Result<()> {
        self.at_line = false;
        let (mut marks, mut held) = (0, 0);
        while let Some(&byte) = self.from.fill_buf()?.first() {
            if held == 0 && byte == b'>' {
                marks += 1;
            } else if held < FROM.len() && byte == FROM[held] {
                held += 1;
            } else {
                break;
            }
            self.from.consume(1);
            if held == FROM.len() {
                break;
            }
        }
        let is_quoted = held == FROM.len() && marks > 0 && !(self.body_only && self.in_header);
        (self.marks, self.held) = (marks - usize::from(is_quoted), held);
        self.was_empty = marks == 0 && held == 0;
        Ok(())
    }
}

impl<R: BufRead> Read for Unquoting<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        if self.at_line {
            self.open_line()?;
        }
        if self.marks > 0 {
            let count = self.marks.min(to.len());
            to[..count].fill(b'>');
            self.marks -= count;
            return Ok(count);
        }
        if self.held > 0 {
            let word = &FROM[self.given..self.held];
            let count = word.len().min(to.len());
            to[..count].copy_from_slice(&word[..count]);
            self.given += count;
            if self.given == self.held {
                (self.given, self.held) = (0, 0);
            }
            return Ok(count);
        }
        let there = self.from.fill_buf()?;
        let most = there.len().min(to.len());
        let count = memchr::memchr(b'\n', &there[..most]).map_or(most, |at| at + 1);
        to[..count].copy_from_slice(&there[..count]);
        if there[..count].ends_with(b"\n") {
            let is_break = matches!(&there[..count], b"\n" | b"\r\n");
            self.in_header &= !(self.was_empty && is_break);
            self.at_line = true;
        } else if &there[..count] != b"\r" {
            self.was_empty = false;
        }
        self.from.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(raw: &[u8], piece: usize) -> Vec<u8> {
        let mut writer = Quoting::new(Vec::new());
        raw.chunks(piece).for_each(|bytes| writer.push(bytes).unwrap());
        writer.finish().unwrap()
    }

    fn unquoted(text: &[u8], piece: usize, body_only: bool) -> Vec<u8> {
        let mut raw = Vec::new();
        Unquoting::new(io::BufReader::with_capacity(piece, text), body_only).read_to_end(&mut raw).unwrap();
        raw
    }

    #[test]
    fn p8_what_is_quoted_comes_back_whatever_the_pieces() {
        let raw = b"From a b\nSubject: x\r\n\r\nFrom me\r\n>From you\n>>>From all\n> From no one\n>>\n>Fro\nFromage\n\
                    \n>\n>>From the end";
        let text = b">From a b\nSubject: x\r\n\r\n>From me\r\n>>From you\n>>>>From all\n> From no one\n>>\n>Fro\nFromage\n\
                     \n>\n>>>From the end\n";
        for piece in [1, 2, 3, 7, 1000] {
            assert_eq!(quoted(raw, piece), text);
            assert_eq!(unquoted(text, piece, false), [&raw[..], b"\n"].concat());
        }
        let mut one_by_one = Vec::new();
        let mut reader = Unquoting::new(&text[..], false);
        let mut byte = [0];
        while reader.read(&mut byte).unwrap() == 1 {
            one_by_one.push(byte[0]);
        }
        assert_eq!(one_by_one, unquoted(text, 7, false));
        for end in [&b"Fro"[..], b">", b">>Fro", b"", b"x\n"] {
            let wanted = if end.ends_with(b"\n") { end.to_vec() } else { [end, b"\n"].concat() };
            assert_eq!(quoted(end, 1), wanted);
            assert_eq!(unquoted(end, 1, false), end);
        }
    }

    #[test]
    fn a_header_may_be_left_as_it_is() {
        for (line, piece) in [("\n", 1), ("\r\n", 1), ("\r\n", 100)] {
            let text = format!(">From old times{line}Subject: x{line}{line}>From me{line}");
            let raw = format!(">From old times{line}Subject: x{line}{line}From me{line}");
            assert_eq!(unquoted(text.as_bytes(), piece, true), raw.as_bytes());
        }
    }
}
