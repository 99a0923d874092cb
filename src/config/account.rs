//! One account of the configuration: where its mail is and how it is to be treated.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::Role;

use crate::model::Owner;

/// `[accounts.NAME]`, checked and with its defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// NAME.
    pub name: String,
    /// The address it sends from.
    pub email: String,
    /// The name it sends with; may be empty.
    pub display_name: String,
    /// How its server is spoken to.
    pub protocol: Protocol,
    /// The server; empty where there is none ([`Protocol::Local`]).
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is made secure.
    pub tls: Tls,
    /// Secrets without TLS beyond this machine; never by default (promise P11).
    pub allow_plaintext: bool,
    /// The login name.
    pub user: String,
    /// Where the secret is.
    pub password: SecretSource,
    /// How to sign in with it.
    pub auth: Auth,
    /// IMAP: whether the connection is compressed.
    pub compress: Compress,
    /// IMAP: what folders are for, by their paths, where neither the server nor their names say it.
    pub folders: Vec<(Role, String)>,
    /// A certificate file (PEM) that is trusted in addition.
    pub ca_file: Option<PathBuf>,
    /// The SHA-256 of the server's public key (SubjectPublicKeyInfo): this one and no other.
    pub pin: Option<[u8; 32]>,
    /// POP3: when mail is deleted on the server.
    pub leave_on_server: Leave,
    /// POP3: whether mail that left Trash for good here is deleted on the server too.
    pub delete_on_server_when_deleted_here: bool,
    /// POP3: how much is taken of the server, and at a time.
    pub portion: Portion,
    /// IMAP: the bodies of which mails are kept here.
    pub keep_bodies: KeepBodies,
    /// How often a server that cannot push is asked.
    pub check_every: Duration,
    /// [`Protocol::Local`]: the file that other programs of this machine deliver to.
    pub spool: Option<Spool>,
    /// How its mail goes out, and as whose.
    pub sending: Sending,
}

/// How mail goes out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sending {
    /// The way; `None`: it cannot send.
    pub way: Option<Outlet>,
    /// Other addresses of the same person: `me@example.org`, or `*@example.org` for a whole domain.
    pub aliases: Vec<String>,
    /// Whether what was sent is put into Sent; `None`: unless the provider is known to do that itself.
    pub copy_sent: Option<bool>,
    /// What the account's own address writes below its mail, and how it answers.
    pub style: Style,
    /// Others as whom it writes, in the order of the file.
    pub identities: Vec<Identity>,
}

/// Somebody as whom mail is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// The address.
    pub email: String,
    /// The name; may be empty.
    pub name: String,
    /// Other addresses that are this one: as [`Sending::aliases`].
    pub aliases: Vec<String>,
    /// How it writes.
    pub style: Style,
}

/// How a mail is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// What stands below each mail.
    pub signature: Signature,
    /// Where the answer goes.
    pub reply: ReplyStyle,
    /// The line above a quote: `{name}`, `{email}`, `{date}`, `{time}` and `{subject}` are those of the mail.
    pub attribution: String,
}

impl Style {
    /// What stands above a quote if nothing else is said.
    pub const ATTRIBUTION: &str = "On {date} at {time}, {name} wrote:";
}

impl Default for Style {
    fn default() -> Self {
        Self {
            signature: Signature::default(),
            reply: ReplyStyle::default(),
            attribution: Self::ATTRIBUTION.into(),
        }
    }
}

/// What stands below a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Signature {
    /// Nothing.
    #[default]
    None,
    /// This.
    Text(String),
    /// What is in this file.
    File(PathBuf),
    /// What this shell command prints.
    Command(String),
}

/// Where the answer to a mail goes, and what is quoted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReplyStyle {
    /// Below the quote, which is all of the mail but its signature.
    #[default]
    Bottom,
    /// Below the quote, from which what was quoted there itself is left out.
    Trimmed,
    /// Above the quote.
    Top,
    /// Nothing is quoted.
    None,
}

impl ReplyStyle {
    /// What each is called in the configuration.
    pub const NAMES: [(&'static str, Self); 4] =
        [("bottom", Self::Bottom), ("trimmed", Self::Trimmed), ("top", Self::Top), ("none", Self::None)];
}

impl Identity {
    /// Whether this is one of its addresses.
    #[must_use]
    pub fn is(&self, addr: &str) -> bool {
        let in_domain = |alias: &String| {
            alias.strip_prefix('*').is_some_and(|domain| {
                addr.len() > domain.len()
                    && addr
                        .get(addr.len() - domain.len()..)
                        .is_some_and(|end| end.eq_ignore_ascii_case(domain))
            })
        };
        self.names(addr) || self.aliases.iter().any(in_domain)
    }

    /// The same without whole domains.
    fn names(&self, addr: &str) -> bool {
        self.email.eq_ignore_ascii_case(addr) || self.aliases.iter().any(|a| a.eq_ignore_ascii_case(addr))
    }
}

/// A way out for mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlet {
    /// A server: of this account only what says how it is reached counts. With a password of
    /// its own it is called `NAME.smtp`.
    Smtp(Box<Account>),
    /// A shell command that is called as sendmail is.
    Command(String),
}

impl Account {
    /// Whose mail it is, whatever the account is called and whatever port leads there: `user@host`.
    #[must_use]
    pub fn remote_key(&self) -> String {
        format!("{}@{}", self.user, self.host.to_ascii_lowercase())
    }

    /// Whether a copy of what was sent goes to Sent from here. Gmail files its own, and so does Microsoft.
    #[must_use]
    pub fn copies_sent(&self) -> bool {
        let files_its_own = |server: &Self| {
            let host = server.host.to_ascii_lowercase();
            ["smtp.gmail.com", "smtp.googlemail.com", "smtp.office365.com", "smtp-mail.outlook.com"]
                .contains(&host.as_str())
        };
        self.sending.copy_sent.unwrap_or_else(|| {
            let is_filed = match &self.sending.way {
                Some(Outlet::Smtp(server)) => files_its_own(server),
                _ => false,
            };
            // Where the mail lives here, nobody else files it.
            !is_filed || self.protocol != Protocol::Imap
        })
    }

    /// Whether mail to this address is mail to this account.
    #[must_use]
    pub fn is_own(&self, addr: &str) -> bool {
        self.identities().iter().any(|one| one.is(addr))
    }

    /// As whom it writes: its own address first.
    #[must_use]
    pub fn identities(&self) -> Vec<Identity> {
        let own = Identity {
            email: self.email.clone(),
            name: self.display_name.clone(),
            aliases: self.sending.aliases.clone(),
            style: self.sending.style.clone(),
        };
        std::iter::once(own).chain(self.sending.identities.iter().cloned()).collect()
    }

    /// Who of them has this address: the one that names it rather than one that has its whole domain.
    #[must_use]
    pub fn identity_of(&self, addr: &str) -> Option<Identity> {
        let all = self.identities();
        let named = all.iter().position(|one| one.names(addr));
        let at = named.or_else(|| all.iter().position(|one| one.is(addr)))?;
        all.into_iter().nth(at)
    }

    /// Whether mail comes from anywhere by itself: not to an account that is nothing but a place for mail.
    #[must_use]
    pub fn is_fed(&self) -> bool {
        self.protocol != Protocol::Local || self.spool.is_some()
    }
}

/// A mail spool of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spool {
    /// The file.
    pub path: PathBuf,
    /// A directory of ours, where what stays is put aside while the file is rewritten.
    pub aside: PathBuf,
}

/// The bodies of which mails are kept here; the others are fetched when they are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct KeepBodies {
    /// Of those that arrived within so many days; `None`: of any age.
    pub days: Option<u32>,
    /// Of those of at most so many bytes; `None`: of any size.
    pub size: Option<u64>,
}

impl std::fmt::Display for KeepBodies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.days, self.size) {
            (None, None) => f.write_str("all"),
            (Some(days), None) => write!(f, "{days}d"),
            (None, Some(size)) => write!(f, "{size}B"),
            (Some(days), Some(size)) => write!(f, "{days}d {size}B"),
        }
    }
}

/// How a server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 9051 and RFC 3501.
    Imap,
    /// RFC 1939.
    Pop3,
    /// No server at all: the mail lives here and nowhere else.
    Local,
}

impl Protocol {
    /// Its name in the configuration and in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Local => "local",
        }
    }

    /// Who holds the truth of folders and flags.
    #[must_use]
    pub fn owner(self) -> Owner {
        match self {
            Self::Imap => Owner::Server,
            Self::Pop3 | Self::Local => Owner::Here,
        }
    }
}

/// How a connection is made secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tls {
    /// From the first byte.
    Implicit,
    /// STARTTLS or STLS before anything secret; required, not tried.
    Starttls,
    /// Not at all: refused beyond loopback unless `allow_plaintext`.
    None,
}

/// IMAP: whether a connection is compressed where the server offers it (RFC 4978).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compress {
    /// Unless the server is this machine.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How to sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Auth {
    /// By the strongest way for passwords that the server offers.
    #[default]
    Auto,
    /// SASL PLAIN.
    Plain,
    /// SASL LOGIN, or the protocol's own command.
    Login,
    /// SASL CRAM-MD5.
    CramMd5,
    /// SASL SCRAM-SHA-256.
    ScramSha256,
    /// SASL XOAUTH2: the secret is an access token.
    XOAuth2,
    /// SASL OAUTHBEARER: the secret is an access token.
    OAuthBearer,
    /// POP3's APOP.
    Apop,
    /// The protocol's own command: USER and PASS, or LOGIN.
    User,
}

impl Auth {
    /// What each is called in the configuration.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("auto", Self::Auto),
        ("plain", Self::Plain),
        ("login", Self::Login),
        ("cram-md5", Self::CramMd5),
        ("scram-sha-256", Self::ScramSha256),
        ("xoauth2", Self::XOAuth2),
        ("oauthbearer", Self::OAuthBearer),
        ("apop", Self::Apop),
        ("user", Self::User),
    ];

    /// Whether the secret is an access token, which lives for an hour or so: it is asked for anew for each
    /// sign-in.
    #[must_use]
    pub fn is_bearer(self) -> bool {
        matches!(self, Self::XOAuth2 | Self::OAuthBearer)
    }

    /// What it is called in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.into_iter().find(|(_, auth)| *auth == self).map_or("auto", |(name, _)| name)
    }
}

/// POP3: when mail that is safely here is deleted on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Leave {
    /// Never.
    Forever,
    /// At once.
    DeleteAfterDownload,
    /// This many days after it was first stored here.
    Days(u32),
}

/// POP3: how much of a mail is taken, and how many at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Portion {
    /// Bytes; of a larger mail only the header comes, the rest when the user asks for it. `None`: all of
    /// every mail; 0 (`headers_only`): headers alone.
    pub max_size: Option<u64>,
    /// Mails that one look takes at most; the others come with the next ones.
    pub messages: Option<u64>,
    /// Bytes, as the server lists them, that one look takes at most; the first mail comes whatever it has.
    pub bytes: Option<u64>,
    /// After so many mails a session is ended, which makes its deletions real, and the next begun (P4).
    pub reconnect_every: u64,
}

impl Default for Portion {
    fn default() -> Self {
        Self { max_size: None, messages: None, bytes: None, reconnect_every: 10_000 }
    }
}

/// Where a secret is; explicit for each account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The first line that this shell command prints.
    Command(String),
    /// This environment variable, read once at the start and kept from children.
    Env(String),
    /// The system's keyring, as service `mailtui`, user `NAME`.
    Keyring,
    /// A file of this name in `$CREDENTIALS_DIRECTORY`, as systemd's `LoadCredential=` makes it.
    Credential(String),
    /// Asked for on the terminal.
    Prompt,
    /// In clear in the configuration; only when its file is private.
    Plain(String),
    /// There is none, and none is needed: an account without a server.
    Nothing,
}
