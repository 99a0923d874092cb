//! Mailbox files in which mails follow each other, each after a `From ` line (RFC 4155): where every mail lies.
//!
//! The bytes of a mail are those of the file: nothing is unquoted. Whether `>From ` was quoted at all only the
//! program that wrote it knows, and one that is taken for quoting where it was text would be damaged for good.
//!
//! A line begins a mail where it is a postmark, stands behind an empty line (or is written just as the C
//! library writes dates), and a header field follows. So a text that begins a line with `From ` stays
//! whole, and no mail can hide the next one by a Content-Length that lies: that is looked at only where no header
//! follows.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read as _};

use super::enclosed::{Enclosed, Piece, Reading};

/// Lines are read in pieces of this size, so that memory does not grow with them.
const PIECE: u64 = 64 << 10;
/// Reads a mailbox file from its beginning, or from where a mail begins.
#[derive(Debug)]
pub struct Mbox<R> {
    from: R,
    at: u64,
    /// What is read next opens a line.
    opens: bool,
    /// What was read and not taken.
    ahead: VecDeque<Piece>,
    begun: bool,
    /// All of it is one mail, whatever its lines are.
    single: bool,
}

impl<R: BufRead> Mbox<R> {
    /// Mails from here on; `at`: where in the file the reader stands.
    pub fn new(from: R, at: u64) -> Self {
        Self { from, at, opens: true, ahead: VecDeque::new(), begun: false, single: false }
    }

    /// The one mail that the reader holds, its `From ` line first.
    pub fn single(from: R, at: u64) -> Self {
        Self { single: true, ..Self::new(from, at) }
    }

    /// The next mail.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] where the file does not begin with a `From ` line.
    pub fn next_mail(&mut self) -> io::Result<Option<Enclosed>> {
        if !self.begun {
            self.begun = true;
            self.skip_to_first()?;
        }
        let Some(postmark) = self.piece()? else { return Ok(None) };
        let mut mail = Reading::new(&postmark);
        if !postmark.bytes.ends_with(b"\n") {
            // A first line without an end, or one of many pieces: it belongs to the postmark all the same.
            while let Some(more) = self.piece()? {
                mail.postmark_goes_on(&more);
                if more.bytes.ends_with(b"\n") {
                    break;
                }
            }
        }
        while let Some(piece) = self.piece()? {
            if !self.single && mail.may_end_before(&piece) {
                let after = self.piece()?;
                let ends = after.as_ref().is_some_and(|after| mail.ends_before(&piece, after));
                // In order: the line, then what follows it.
                self.ahead.extend(after);
                if ends {
                    self.ahead.push_front(piece);
                    break;
                }
            }
            mail.take(&piece);
        }
        Ok(Some(mail.done(self.ahead.front().map_or(self.at, |next| next.at))))
    }

    /// Passes over empty lines to the first `From ` line.
    fn skip_to_first(&mut self) -> io::Result<()> {
        while let Some(piece) = self.piece()? {
            if piece.is_empty_line() {
                continue;
            }
            if !piece.bytes.starts_with(b"From ") {
                let why = "it does not begin with a `From ` line";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
            self.ahead.push_front(piece);
            break;
        }
        Ok(())
    }

    fn piece(&mut self) -> io::Result<Option<Piece>> {
        if let Some(piece) = self.ahead.pop_front() {
            return Ok(Some(piece));
        }
        let (at, opens, mut bytes) = (self.at, self.opens, Vec::new());
        let read = (&mut self.from).take(PIECE).read_until(b'\n', &mut bytes)?;
        self.at += read as u64;
        self.opens = bytes.ends_with(b"\n");
        Ok((read > 0).then_some(Piece { at, bytes, opens }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Flags;

    fn mails(text: &[u8]) -> Vec<Enclosed> {
        let mut mbox = Mbox::new(text, 0);
        let mut found = Vec::new();
        while let Some(mail) = mbox.next_mail().unwrap() {
            found.push(mail);
        }
        // They lie without a gap from the first to the end, and each alone is the same.
        let mut at = found.first().map_or(0, |mail| mail.start);
        for mail in &found {
            assert_eq!(mail.start, at);
            assert!(mail.start < mail.begin && mail.begin <= mail.end && mail.end <= mail.next, "{mail:?}");
            at = mail.next;
            let own = &text[range(mail.start, mail.next)];
            let alone = Mbox::single(own, mail.start).next_mail().unwrap().unwrap();
            assert_eq!((alone.identity, alone.begin, alone.end), (mail.identity, mail.begin, mail.end));
        }
        assert!(found.is_empty() || at == text.len() as u64);
        found
    }

    fn range(from: u64, to: u64) -> std::ops::Range<usize> {
        usize::try_from(from).unwrap()..usize::try_from(to).unwrap()
    }

    fn raws(text: &[u8]) -> Vec<Vec<u8>> {
        mails(text).iter().map(|m| text[range(m.begin, m.end)].to_vec()).collect()
    }

    const POST: &str = "From ada@example.org Mon Nov 23 14:22:01 2026\n";

    #[test]
    fn p8_mails_are_cut_at_postmarks_and_nowhere_else() {
        let one = "Subject: a\n\nText\nFrom here on\n\nFrom me, with love\n>From quoted\n";
        let two = "Subject: b\r\n\r\nFrom x Mon Nov 23 14:22:01 2026\r\nno field\r\n";
        let three = "Subject: empty\n\n";
        let four = "Subject: last, without an end";
        let text = format!("\n\n{POST}{one}\n{POST}{two}\n{POST}{three}\n{POST}{four}");
        assert_eq!(
            raws(text.as_bytes()),
            [one.as_bytes(), two.as_bytes(), three.as_bytes(), four.as_bytes()]
        );
        assert!(mails(b"").is_empty() && mails(b"\n\r\n\n").is_empty());
        // Written without an empty line before: as mutt reads it.
        let text = format!("{POST}{one}{POST}{two}");
        assert_eq!(raws(text.as_bytes()).len(), 2);
        // Dates as other programs write them, behind an empty line.
        for date in [
            "Mon Nov  2 14:22 2026",
            "Fri, 27 Nov 2026 09:55:06 -0600",
            "Mon Nov 23 14:22:01 2026 remote from x",
        ] {
            let text = format!("{POST}{one}\nFrom bob {date}\n{two}");
            assert_eq!(raws(text.as_bytes()).len(), 2, "{date}");
        }
    }

    #[test]
    fn a_length_that_lies_hides_nothing_and_one_that_is_true_keeps_a_text_whole() {
        let lie = format!("Subject: a\nContent-Length: {}\n\nText\n", 100_000);
        let text = format!("{POST}{lie}\n{POST}Subject: b\n\n");
        assert_eq!(raws(text.as_bytes()).len(), 2);
        let inside = format!("Text\n\n{POST}\nmore\n");
        let told = format!("Subject: a\nContent-Length: {}\n\n{inside}", inside.len());
        assert_eq!(raws(format!("{POST}{told}\n{POST}Subject: b\n\n").as_bytes()).len(), 2);
        // Not told: a mail without a header.
        assert_eq!(raws(format!("{POST}Subject: a\n\n{inside}\n{POST}Subject: b\n\n").as_bytes()).len(), 3);
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        for text in [&b"garbage"[..], b"\0\0\0\0", b"Subject: a\n\nb\n", b"\nFromage\n"] {
            let error = Mbox::new(text, 0).next_mail().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn a_mail_that_another_program_marked_is_the_same_mail() {
        let plain = format!("{POST}Subject: a\nTo: b\n\nText\n\nmore\n");
        let marked = format!(
            "{POST}Subject: a\nstatus: RO\nX-Keywords: a\n b\n\tc\nTo: b\nX-Status: AF\nContent-Length: 11\nLines: 3\n\nText\n\nmore\n\n\n"
        );
        let (a, b) = (&mails(plain.as_bytes())[0], &mails(marked.as_bytes())[0]);
        assert_eq!(a.identity, b.identity);
        assert_eq!((a.flags, b.flags), (Flags::NONE, Flags::SEEN | Flags::ANSWERED | Flags::FLAGGED));
        for other in [
            plain.replace("more", "More"),
            plain.replace("14:22:01", "14:22:02"),
            plain.replace("\n\nmore", "\nmore"),
        ] {
            assert_ne!(mails(other.as_bytes())[0].identity, a.identity, "{other}");
        }
        // Half of a header, then a body that looks like a mark.
        let body = format!("{POST}Subject: a\n\nStatus: RO\n");
        assert_ne!(mails(body.as_bytes())[0].identity, mails(body.replace("RO", "R").as_bytes())[0].identity);
    }

    #[test]
    fn what_a_program_keeps_for_itself_is_no_mail_at_the_beginning_only() {
        let own = "From MAILER-DAEMON Mon Nov 23 14:22:01 2026\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL \
                   DATA\nX-IMAP: 1234 0000000002\nStatus: RO\n\nThis text is part of the internal format\n";
        let text = format!("{own}\n{own}\n{POST}Subject: a\n\n");
        let internal: Vec<bool> = mails(text.as_bytes()).iter().map(|m| m.is_internal).collect();
        assert_eq!(internal, [true, false, false]);
    }

    #[test]
    fn long_lines_are_read_in_pieces_and_the_pieces_do_not_matter() {
        let long = "From ".repeat(60_000);
        let text = format!("{POST}Subject: a\n\n{long}\n\n{POST}Subject: {long}\n\nb\n");
        let found = mails(text.as_bytes());
        assert_eq!(found.len(), 2);
        let slow = io::BufReader::with_capacity(7, text.as_bytes());
        assert_eq!(Mbox::new(slow, 0).next_mail().unwrap().unwrap(), found[0]);
        let came = found[0].at.unwrap();
        assert!((came - 1_795_443_721).abs() <= 14 * 3600, "{came}");
    }
}
