//! Secrets: where they come from, which source answered, and how they are kept out of sight.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::config::{Account, SecretSource};
use crate::error::{Error, Kind, Result};
use crate::text::Clean;

/// A secret: cleared from memory when dropped, never printed.
#[derive(Clone)]
pub struct Secret(zeroize::Zeroizing<String>);

impl Secret {
    /// Takes a secret in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(zeroize::Zeroizing::new(text.into()))
    }

    /// The secret itself: for the wire only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .map_err(|e| Error::new(Kind::Bug, "the system has no random numbers").because(e))?;
    Ok(bytes)
}

/// Rounds of hashing behind a [`Fingerprint`]: some tenths of a second, so that a stolen store does not tell
/// the secret in a guessing game.
const ROUNDS: u32 = 200_000;

/// What is kept of a secret to know it again: a salt and a slow hash, never the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint([u8; 48]);

impl Fingerprint {
    /// Takes the fingerprint of a secret, under a salt of its own.
    pub fn of(secret: &Secret) -> Result<Self> {
        Ok(Self::salted(secret, random()?))
    }

    fn salted(secret: &Secret, salt: [u8; 16]) -> Self {
        let mut hash = Sha256::new().chain_update(salt).chain_update(secret.expose()).finalize();
        for _ in 1..ROUNDS {
            hash =
                Sha256::new().chain_update(salt).chain_update(hash).chain_update(secret.expose()).finalize();
        }
        let mut whole = [0; 48];
        whole[..16].copy_from_slice(&salt);
        whole[16..].copy_from_slice(&hash);
        Self(whole)
    }

    /// The one with these bytes; `None`: they are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, to be kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether it is this secret's. Takes as long as making one.
    #[must_use]
    pub fn is_of(&self, secret: &Secret) -> bool {
        let mut salt = [0; 16];
        salt.copy_from_slice(&self.0[..16]);
        Self::salted(secret, salt) == *self
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A secret and who knew it.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked for.
    pub secret: Secret,
    /// The source that answered, in words: `the command of [accounts.work]`.
    pub from: String,
}

/// How long a password command may take: a person may have to unlock a key with it.
const PATIENCE: Duration = Duration::from_secs(120);
/// No secret is longer: a command that prints more is not one for passwords.
const LONGEST: u64 = 64 * 1024;

/// The secrets of the environment, by the name of their variable.
static TAKEN: Mutex<BTreeMap<String, Secret>> = Mutex::new(BTreeMap::new());

/// Reads these environment variables once. From then on [`keep_from`] keeps them from children.
pub fn take_environment<'a>(names: impl IntoIterator<Item = &'a str>) {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    for name in names {
        if let Ok(value) = std::env::var(name) {
            taken.insert(name.to_owned(), Secret::new(value));
        }
    }
}

/// Starts a child without the secrets of our environment. Every child of this program passes here.
pub fn keep_from(command: &mut Command) -> &mut Command {
    for name in TAKEN.lock().unwrap_or_else(PoisonError::into_inner).keys() {
        command.env_remove(name);
    }
    command
}

/// Asks the one source that the configuration names for the account's secret.
///
/// Errors are of [`Kind::Secret`]. May wait for a person: never call it on the screen's thread.
pub fn resolve(account: &Account) -> Result<Answer> {
    let place = format!("[accounts.{}]", account.name);
    let (secret, from) = match &account.password {
        SecretSource::Command(line) => (command(line, &place, PATIENCE)?, format!("the command of {place}")),
        SecretSource::Env(name) => (environment(name, &place)?, format!("the environment variable {name}")),
        SecretSource::Keyring => (keyring(&account.name)?, "the keyring".to_owned()),
        SecretSource::Credential(name) => (credential(name, &place)?, format!("the credential {name}")),
        SecretSource::Prompt => (prompt(account)?, "you".to_owned()),
        SecretSource::Nothing => return Err(Error::new(Kind::Secret, format!("{place} has no password"))),
        SecretSource::Plain(text) => (Secret::new(text.as_str()), format!("{place} itself")),
    };
    if secret.expose().is_empty() {
        return Err(Error::new(Kind::Secret, format!("{from} answered with an empty password")));
    }
    Ok(Answer { secret, from })
}

fn environment(name: &str, place: &str) -> Result<Secret> {
    take_environment([name]);
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned().ok_or_else(|| {
        Error::new(Kind::Secret, format!("{place} takes its password from {name}, which is not set"))
            .hint(format!("start mailtui with {name} in its environment"))
    })
}

fn credential(name: &str, place: &str) -> Result<Secret> {
    let missing = |why: &str| {
        Error::new(Kind::Secret, format!("{place} takes its password from the credential {name:?}: {why}"))
            .hint("start mailtui from a systemd unit with LoadCredential= or LoadCredentialEncrypted=")
    };
    let directory =
        std::env::var_os("CREDENTIALS_DIRECTORY").ok_or_else(|| missing("there are none here"))?;
    if name.contains('/') || name.starts_with('.') {
        return Err(missing("that is no name of one"));
    }
    let text = std::fs::read_to_string(std::path::Path::new(&directory).join(name))
        .map_err(|e| missing("it could not be read").because(e))?;
    Ok(Secret::new(first_line(&text)))
}

fn keyring(account: &str) -> Result<Secret> {
    let failed = |what: &str, why: String| Error::new(Kind::Secret, what.to_owned()).because(why);
    // Asked first: without a desktop session there is none, and that should be said as such.
    if let Err(e) = keyring::Entry::store_status() {
        return Err(failed("there is no keyring in this session", e.to_string())
            .hint("on a machine without a desktop use password = { command = … } or { env = … }"));
    }
    let entry = keyring::Entry::new("mailtui", account)
        .map_err(|e| failed("could not ask the keyring", e.to_string()))?;
    match entry.get_password() {
        Ok(password) => Ok(Secret::new(password)),
        Err(keyring::Error::NoEntry) => Err(Error::new(
            Kind::Secret,
            format!("the keyring has no password for service mailtui, user {account}"),
        )
        .hint(format!("secret-tool store --label='mailtui {account}' service mailtui username {account}"))),
        Err(e) => Err(failed("the keyring did not answer", e.to_string())),
    }
}

fn prompt(account: &Account) -> Result<Secret> {
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(Kind::Secret, "there is no terminal to ask for the password on")
            .hint("use password = { command = … } or { env = … } for what runs by itself"));
    }
    let (user, host) = (Clean::line(&account.user), Clean::line(&account.host));
    rpassword::prompt_password(format!("Password of {user} at {host}: "))
        .map(Secret::new)
        .map_err(|e| Error::new(Kind::Secret, "could not read the password").because(e))
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or("").trim_end_matches('\r')
}

/// The first line that a shell command prints.
fn command(line: &str, place: &str, patience: Duration) -> Result<Secret> {
    let failed = |why: String| Error::new(Kind::Secret, format!("the password command of {place} {why}"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child =
        keep_from(&mut shell).spawn().map_err(|e| failed("could not be started".into()).because(e))?;
    let (out, err) = (listen(child.stdout.take()), listen(child.stderr.take()));
    let until = Instant::now() + patience;
    let left = || until.saturating_duration_since(Instant::now());
    let (Ok(said), Ok(status)) = (out.recv_timeout(left()), end(&mut child, until)) else {
        let _ = child.kill();
        let _ = child.wait();
        let hint = "try it in a shell; a program that asks on the terminal does not work here";
        return Err(failed(format!("did not end in {} s", patience.as_secs())).hint(hint));
    };
    // What it complained about, but not for long: something in the background may hold its stderr open.
    let complaint = err.recv_timeout(left().min(Duration::from_secs(2))).unwrap_or_default();
    let complaint = String::from_utf8_lossy(&complaint);
    let complaint = complaint.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("");
    if !status.success() {
        let how = status.code().map_or("was killed".to_owned(), |code| format!("failed with code {code}"));
        let error = failed(how);
        let complaint = Clean::line(complaint);
        return Err(if complaint.as_str().is_empty() { error } else { error.because(complaint.to_string()) });
    }
    let said = zeroize::Zeroizing::new(said);
    let text = std::str::from_utf8(&said).map_err(|_| failed("printed something that is not text".into()))?;
    match first_line(text) {
        "" => Err(failed("printed nothing".into())),
        secret => Ok(Secret::new(secret)),
    }
}

/// Reads a pipe to its end in a thread of its own.
fn listen(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            let _ = pipe.take(LONGEST).read_to_end(&mut bytes);
        }
        let _ = tell.send(bytes);
    });
    told
}

/// Waits for the end of a child that has closed its output: a moment, as a rule.
fn end(child: &mut Child, until: Instant) -> Result<ExitStatus> {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(pause),
            Ok(None) => return Err(Error::new(Kind::Timeout, "it did not end")),
            Err(e) => return Err(Error::new(Kind::Secret, "could not wait for it").because(e)),
        }
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(line: &str) -> Result<Secret> {
        command(line, "[accounts.work]", Duration::from_secs(20))
    }

    #[test]
    fn a7_a_fingerprint_knows_its_secret_and_does_not_tell_it() {
        let print = Fingerprint::of(&Secret::new("hunter2")).unwrap();
        assert!(print.is_of(&Secret::new("hunter2")) && !print.is_of(&Secret::new("hunter3")));
        assert_eq!(Fingerprint::from_bytes(print.bytes()), Some(print.clone()));
        assert_eq!(Fingerprint::from_bytes(b""), None);
        assert!(!print.bytes().windows(7).any(|w| w == b"hunter2"));
        assert_ne!(Fingerprint::of(&Secret::new("hunter2")).unwrap(), print, "each has a salt of its own");
    }

    #[test]
    fn the_first_line_of_a_command_is_the_secret() {
        assert_eq!(run("printf 'hunter2\\r\\nlogin: ada\\n'").unwrap().expose(), "hunter2");
        assert_eq!(run("printf ' spaces count '").unwrap().expose(), " spaces count ");
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let error = run("echo first >&2; printf 'no\\033[31m key\\n' >&2; exit 3").unwrap_err();
        assert_eq!(error.kind(), Kind::Secret);
        let said = error.to_string();
        assert!(said.starts_with("the password command of [accounts.work] failed with code 3: no"), "{said}");
        assert!(!said.contains('\x1b'), "{said:?}");
        assert!(run("true").unwrap_err().to_string().ends_with("printed nothing"));
        assert!(run("printf '\\377\\376'").unwrap_err().to_string().contains("not text"));
        assert!(!run("echo hunter2; exit 1").unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn a_command_that_hangs_is_ended() {
        let error = command("exec sleep 600", "[accounts.work]", Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("did not end"), "{error}");
    }

    #[test]
    fn x9_a_secret_is_not_printed_by_debug() {
        let answer = Answer { secret: Secret::new("hunter2"), from: "you".into() };
        assert!(!format!("{answer:?}").contains("hunter2"));
    }

    #[test]
    fn x9_children_do_not_get_the_secrets_of_the_environment() {
        // A variable that every test process has stands for the secret.
        take_environment(["CARGO_MANIFEST_DIR"]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg("printf '%s' \"${CARGO_MANIFEST_DIR-unset}\"");
        let out = keep_from(&mut shell).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "unset");
    }
}
