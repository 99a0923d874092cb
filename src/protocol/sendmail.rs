//! Sending by a command of this machine that is called as `sendmail` is: msmtp, Postfix, OpenSMTPD.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};

use rustix::fs::MemfdFlags;

use super::BodySource;
use super::outgoing::{Delivery, End, Errand, Judged, Transport};
use crate::error::{Error, Kind, Result};
use crate::secret;
use crate::text::Clean;

/// `EX_TEMPFAIL` of sysexits: another try may work.
const TRY_AGAIN: i32 = 75;
/// What is read of its complaints, in bytes.
const COMPLAINT: u64 = 4096;

/// The shell command, to which `-i -f FROM -- TO…` is added.
#[derive(Debug, Clone)]
pub struct Sendmail(String);

impl Sendmail {
    /// Sends by this command.
    pub fn new(command: impl Into<String>) -> Self {
        Self(command.into())
    }

    /// The bytes lie whole in memory before the command is started: whatever ends this program, no half mail is sent.
    fn staged(bytes: &mut dyn BodySource) -> Result<File> {
        let failed =
            |e: std::io::Error| Error::new(Kind::Store, "the mail could not be put aside").because(e);
        let stage = rustix::fs::memfd_create("mail", MemfdFlags::CLOEXEC).map_err(|e| failed(e.into()))?;
        let mut stage = File::from(stage);
        // Line ends of this system: the command makes them those of the wire.
        let mut after_cr = false;
        bytes.read(&mut |piece| {
            let mut text = Vec::with_capacity(piece.len());
            for &byte in piece {
                if std::mem::replace(&mut after_cr, byte == b'\r') && byte != b'\n' {
                    text.push(b'\r');
                }
                if byte != b'\r' {
                    text.push(byte);
                }
            }
            stage.write_all(&text).map_err(failed)
        })?;
        stage.rewind().map_err(failed)?;
        Ok(stage)
    }

    fn run(&self, errand: &Errand, stage: File) -> End {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("{} \"$@\"", self.0)).arg("sendmail");
        shell.args(["-i", "-f", &errand.from, "--"]).args(&errand.to);
        shell.stdin(Stdio::from(stage)).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = match secret::keep_from(&mut shell).spawn() {
            Ok(child) => child,
            Err(e) => {
                return End::Later(
                    Error::new(Kind::Offline, "the command for sending did not start").because(e),
                );
            }
        };
        let mut complaint = Vec::new();
        if let Some(err) = child.stderr.take() {
            // What it cannot say does not matter.
            let _ = err.take(COMPLAINT).read_to_end(&mut complaint);
        }
        let status = match child.wait() {
            Ok(status) => status,
            Err(e) => {
                return End::Unsure(Error::new(Kind::Offline, "the command for sending was lost").because(e));
            }
        };
        let complaint = String::from_utf8_lossy(&complaint);
        let why = Clean::line(complaint.trim()).to_string();
        let error = |kind, text: String| match why.is_empty() {
            true => Error::new(kind, text),
            false => Error::new(kind, text).because(why.clone()),
        };
        match status.code() {
            Some(0) => End::Taken(String::new()),
            Some(TRY_AGAIN) => {
                End::Later(error(Kind::Offline, "the command for sending has trouble".to_owned()))
            }
            Some(code) => {
                End::Refused(error(Kind::Refused, format!("the command for sending failed with code {code}")))
            }
            None => End::Unsure(error(Kind::Offline, "the command for sending was killed".to_owned())),
        }
    }
}

impl Transport for Sendmail {
    fn deliver(
        &mut self,
        errand: &Errand,
        bytes: &mut dyn BodySource,
        before_dot: &mut dyn FnMut(&[Judged]) -> Result<()>,
    ) -> Result<Delivery> {
        errand.check()?;
        let stage = Self::staged(bytes)?;
        let judged = vec![Judged::Taken; errand.to.len()];
        before_dot(&judged)?;
        Ok(Delivery { end: self.run(errand, stage), judged })
    }

    fn is_open(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bytes(&'static [u8]);

    impl BodySource for Bytes {
        fn read(&mut self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
            self.0.chunks(3).try_for_each(take)
        }
    }

    fn send(command: &str) -> End {
        let errand = Errand {
            from: "ada@x.org".into(),
            to: vec!["bob@y.org".into(), "$HOME`id`@z.org".into()],
            size: 10,
            eight_bit: false,
        };
        let mut asked = 0;
        let sent =
            Sendmail::new(command).deliver(&errand, &mut Bytes(b"A: b\r\n\r\n.\r\nc\r\n"), &mut |judged| {
                asked += judged.len();
                Ok(())
            });
        assert_eq!(asked, 2);
        sent.unwrap().end
    }

    #[test]
    fn o2_the_command_is_given_envelope_and_bytes_and_its_code_is_believed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("seen");
        let place = file.display();
        let end = send(&format!("f() {{ printf '%s|' \"$@\"; cat; }} >{place}; f"));
        assert!(matches!(end, End::Taken(_)), "{end:?}");
        let seen = std::fs::read_to_string(file).unwrap();
        assert_eq!(seen, "-i|-f|ada@x.org|--|bob@y.org|$HOME`id`@z.org|A: b\n\n.\nc\n");
        let later = send("echo busy >&2; exit 75;");
        assert!(matches!(&later, End::Later(e) if e.to_string().contains("busy")), "{later:?}");
        assert!(matches!(send("exit 67;"), End::Refused(_)));
        assert!(matches!(send("kill -9 $$;"), End::Unsure(_)));
    }
}
