//! The one error type: what went wrong in words, of which kind, why, and what to do about it.

use std::fmt;

/// The result of everything in this library that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong. Callers match on [`Kind`]; people read the context, its source and the hint.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    context: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    hint: Option<String>,
}

/// The classes of failure that call for different behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No way to the server: no network, unknown host, refused port, connection lost.
    Offline,
    /// The server did not answer in time.
    Timeout,
    /// The secure connection could not be made or the certificate is not the right one.
    Tls,
    /// The server says that the user or the secret is wrong.
    Auth,
    /// The server understood and said no.
    Refused,
    /// The server broke the rules of its protocol, or a limit of ours.
    Protocol,
    /// Neither the server nor this program can do that here.
    Unsupported,
    /// The thing asked for is not there any more.
    Gone,
    /// Both sides changed the same thing.
    Conflict,
    /// The local store: disk full, read-only, damaged, newer than this program.
    Store,
    /// The configuration or a command line is wrong.
    Config,
    /// A secret could not be had from where the configuration says it is.
    Secret,
    /// A wait was ended on purpose by the user or by a stop.
    Interrupted,
    /// A mistake of this program.
    Bug,
}

/// When trying the same thing again makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// At once.
    Now,
    /// After a back-off.
    Later,
    /// Only after the user has changed something.
    AskUser,
    /// Never.
    Never,
}

impl Kind {
    /// When an operation that failed in this way may be tried again.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::Interrupted => Retry::Now,
            Self::Offline | Self::Timeout | Self::Protocol | Self::Store => Retry::Later,
            Self::Tls | Self::Auth | Self::Config | Self::Secret => Retry::AskUser,
            Self::Refused | Self::Unsupported | Self::Gone | Self::Conflict | Self::Bug => Retry::Never,
        }
    }

    /// The exit code of a command that ended with an error of this kind; the list is a contract.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Config => 2,
            // 3: mail waits ten minutes past its time (`mailtui queue`), not an error.
            Self::Offline | Self::Timeout => 4,
            Self::Tls => 5,
            Self::Auth | Self::Secret => 6,
            Self::Store => 7,
            Self::Gone => 8,
            Self::Refused | Self::Protocol | Self::Unsupported | Self::Conflict => 9,
            Self::Interrupted => 130,
            Self::Bug => 70,
        }
    }
}

impl Error {
    /// An error of `kind` with a short full sentence that says what could not be done.
    pub fn new(kind: Kind, context: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, context: context.into(), source: None, hint: None }))
    }

    /// Adds the error beneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The class of failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What could not be done, without the cause.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.0.context
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// What the system says of its error, without its number: `Connection refused (os error 111)`.
fn wordy(cause: &str) -> &str {
    let number = |tail: &str| tail.strip_suffix(')').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
    cause.rsplit_once(" (os error ").filter(|(_, tail)| number(tail)).map_or(cause, |(words, _)| words)
}

impl fmt::Display for Error {
    /// One line: the context, then each cause.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.context)?;
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            write!(f, ": {}", wordy(&cause.to_string()))?;
            // Our own type prints its causes itself.
            if cause.is::<Self>() {
                break;
            }
            next = cause.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_system_error_is_no_word() {
        let refused = Error::new(Kind::Offline, "no way").because(std::io::Error::from_raw_os_error(111));
        assert_eq!(refused.to_string(), "no way: Connection refused");
        assert_eq!(wordy("as it is (os error x)"), "as it is (os error x)");
    }

    #[test]
    fn shows_every_cause_once() {
        let inner = Error::new(Kind::Offline, "could not connect").because(std::io::Error::other("refused"));
        let outer = Error::new(Kind::Refused, "sync of home failed").because(inner);
        assert_eq!(outer.to_string(), "sync of home failed: could not connect: refused");
    }
}
