//! A Dovecot of our own on 127.0.0.1: IMAP and POP3, over TLS, STARTTLS/STLS and in clear.
//!
//! [`shared`] is one instance for the whole test binary, [`start`] one with further settings; each test
//! takes a user of its own from it. Any user signs in with the password [`PASSWORD`]. Where Dovecot is
//! not installed the test is skipped with a line on stderr, or fails if `MAILTUI_REQUIRE_DOVECOT=1`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::secret::Secret;

use super::certs;

/// Everybody's password.
pub const PASSWORD: &str = "pass";

/// Who owns the mail when the tests run as root.
const OWNER: u32 = 4242;
/// A server that is not up by then never is.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server. It ends when this is dropped, or the test binary ends in whatever way.
pub struct Dovecot {
    dir: PathBuf,
    imap: u16,
    imaps: u16,
    pop3: u16,
    pop3s: u16,
    log: Arc<Mutex<Vec<String>>>,
    /// Waits for the end of our side of this pipe, then ends the server.
    keeper: Child,
    leash: Option<ChildStdin>,
    next_user: AtomicU32,
}

/// The instance that tests share; `None`: skip.
pub fn shared() -> Option<&'static Dovecot> {
    static SHARED: OnceLock<Option<Dovecot>> = OnceLock::new();
    SHARED.get_or_init(|| start("")).as_ref()
}

/// An instance whose configuration ends with these lines; `None`: skip.
pub fn start(extra: &str) -> Option<Dovecot> {
    start_with(PASSWORD, extra)
}

/// The same, with another password for everybody.
pub fn start_with(password: &str, extra: &str) -> Option<Dovecot> {
    let Some(program) = find("dovecot") else {
        let required = std::env::var("MAILTUI_REQUIRE_DOVECOT").is_ok_and(|v| v == "1");
        assert!(!required, "Dovecot is required, but not installed");
        eprintln!("SKIPPED: Dovecot is not installed");
        return None;
    };
    // Another program may take a port before Dovecot does.
    let mut last = String::new();
    for _ in 0..5 {
        match Dovecot::try_start(&program, password, extra) {
            Ok(server) => return Some(server),
            Err(log) => last = log,
        }
    }
    panic!("Dovecot does not start:\n{last}");
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/usr/local/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(system).map(|dir| dir.join(program)).find(|file| file.is_file())
}

pub fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// Ports that are free now, held until all are known so that they differ.
fn free_ports() -> [u16; 4] {
    let held = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// Ends the server when the pipe on its standard input closes, and takes its files away.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1" -F -c "$2/dovecot.conf" &
server=$!
while read -r _; do :; done
kill "$server" 2>/dev/null
wait "$server"
rm -rf "$2"
"#;

impl Dovecot {
    fn try_start(program: &Path, password: &str, extra: &str) -> Result<Self, String> {
        let dir = tempfile::Builder::new().prefix("mailtui-dovecot-").tempdir().unwrap().keep();
        let [imap, imaps, pop3, pop3s] = free_ports();
        let home = dir.join("home");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        give_away(&home);
        let identity = certs::good();
        let chain = [identity.cert.to_pem().unwrap(), certs::authority().cert.to_pem().unwrap()].concat();
        fs::write(dir.join("cert.pem"), chain).unwrap();
        fs::write(dir.join("key.pem"), identity.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let config = configuration(&dir, [imap, imaps, pop3, pop3s], password, extra);
        fs::write(dir.join("dovecot.conf"), config).unwrap();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .arg(&dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let leash = keeper.stdin.take();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (up, is_up) = mpsc::channel();
        let (lines, kept) = (BufReader::new(keeper.stderr.take().unwrap()), log.clone());
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                // Dovecot says so once it listens on every port.
                if line.contains("starting up") {
                    let _ = up.send(true);
                }
                if line.contains("Fatal:") {
                    let _ = up.send(false);
                }
                kept.lock().unwrap().push(line);
            }
        });
        let started = is_up.recv_timeout(PATIENCE).unwrap_or(false);
        let server = Self { dir, imap, imaps, pop3, pop3s, log, keeper, leash, next_user: AtomicU32::new(1) };
        if started { Ok(server) } else { Err(server.log()) }
    }

    /// A user that no other test has, with an empty mailbox.
    pub fn user(&self) -> User<'_> {
        let name = format!("user{}", self.next_user.fetch_add(1, Ordering::Relaxed));
        let user = User { server: self, name };
        for part in ["cur", "new", "tmp"] {
            user.make_dir(&user.maildir("INBOX").join(part));
        }
        user
    }

    /// A mail in a folder that is everybody's, who have these rights to it: in `~/../public` as configured by the test.
    pub fn public(&self, folder: &str, rights: &str, raw: &[u8]) {
        let root = self.dir.join("home").join("public");
        let dir = root.join(format!(".{folder}"));
        let parts = ["cur", "new", "tmp"].map(|part| dir.join(part));
        parts.iter().for_each(|part| fs::create_dir_all(part).unwrap());
        let files = [(dir.join("dovecot-acl"), rights.as_bytes()), (dir.join("new/1700000000.1.test"), raw)];
        files.iter().for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
        let made = [root, dir].into_iter().chain(parts).chain(files.map(|(file, _)| file));
        made.for_each(|path| give_away(&path));
    }

    /// The port of a protocol, secured in this way.
    pub fn port(&self, protocol: Protocol, tls: Tls) -> u16 {
        match (protocol, tls) {
            (Protocol::Imap, Tls::Implicit) => self.imaps,
            (Protocol::Imap, _) => self.imap,
            (Protocol::Pop3, Tls::Implicit) => self.pop3s,
            (Protocol::Pop3, _) => self.pop3,
            (Protocol::Local, _) => 0,
        }
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }

    /// Runs doveadm: another client, and a look into the server. What it prints.
    pub fn doveadm(&self, args: &[&str]) -> String {
        let program = find("doveadm").expect("doveadm comes with Dovecot");
        let run =
            Command::new(program).arg("-c").arg(self.dir.join("dovecot.conf")).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "doveadm {args:?}: {said}");
        String::from_utf8(run.stdout).unwrap()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}

/// An account on a server of the tests.
pub fn account(user: &str, port: u16, protocol: Protocol, tls: Tls) -> Account {
    Account {
        name: "test".into(),
        email: format!("{user}@example.org"),
        display_name: String::new(),
        protocol,
        host: "localhost".into(),
        port,
        tls,
        allow_plaintext: false,
        user: user.to_owned(),
        password: SecretSource::Plain(PASSWORD.into()),
        auth: Default::default(),
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: Some(certs::ca_file()),
        pin: None,
        leave_on_server: Leave::Forever,
        delete_on_server_when_deleted_here: true,
        keep_bodies: mailtui::config::KeepBodies::default(),
        portion: mailtui::config::Portion::default(),
        check_every: Duration::from_secs(300),
        spool: None,
        sending: Default::default(),
    }
}

/// A user of the server.
pub struct User<'a> {
    server: &'a Dovecot,
    pub name: String,
}

impl User<'_> {
    /// An account for this user.
    pub fn account(&self, protocol: Protocol, tls: Tls) -> Account {
        account(&self.name, self.server.port(protocol, tls), protocol, tls)
    }

    /// The password.
    pub fn secret(&self) -> Secret {
        Secret::new(PASSWORD)
    }

    /// Where a folder (its levels joined by `/`) lies.
    pub fn maildir(&self, folder: &str) -> PathBuf {
        let root = self.server.dir.join("home").join(&self.name).join("Maildir");
        if folder == "INBOX" { root } else { root.join(format!(".{}", folder.replace('/', "."))) }
    }

    /// Delivers a mail as a delivery agent does; the server finds it by itself.
    pub fn deliver(&self, folder: &str, raw: &[u8]) {
        static SERIAL: AtomicU32 = AtomicU32::new(1);
        let dir = self.maildir(folder);
        for part in ["cur", "new", "tmp"] {
            self.make_dir(&dir.join(part));
        }
        // The server numbers mails that come together by their names.
        let name = format!("1700000000.{:08}.test", SERIAL.fetch_add(1, Ordering::Relaxed));
        let draft = dir.join("tmp").join(&name);
        fs::write(&draft, raw).unwrap();
        give_away(&draft);
        fs::rename(draft, dir.join("new").join(name)).unwrap();
    }

    /// What the server holds in a folder, in order of arrival: Maildir flags and bytes.
    pub fn mails(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        // The server may rename a file between the listing and the look into it: then both are done anew.
        let mut found = loop {
            if let Some(found) = self.list(folder) {
                break found;
            }
        };
        found.sort();
        found.into_iter().map(|(_, flags, raw)| (flags, raw)).collect()
    }

    /// The keywords behind the small letters of Maildir flags, from `a` on.
    pub fn keywords(&self, folder: &str) -> Vec<String> {
        let text = fs::read_to_string(self.maildir(folder).join("dovecot-keywords")).unwrap_or_default();
        let mut words: Vec<(usize, String)> = text
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(at, word)| (at.parse().unwrap(), word.to_owned()))
            .collect();
        words.sort();
        assert!(words.iter().enumerate().all(|(at, (n, _))| at == *n), "{words:?}");
        words.into_iter().map(|(_, word)| word).collect()
    }

    /// Name, flags and bytes of each file; `None` when one was renamed meanwhile.
    fn list(&self, folder: &str) -> Option<Vec<(String, String, Vec<u8>)>> {
        let mut found = Vec::new();
        for part in ["cur", "new"] {
            let Ok(entries) = fs::read_dir(self.maildir(folder).join(part)) else { continue };
            for entry in entries {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let flags = name.split_once(":2,").map_or("", |(_, flags)| flags).to_owned();
                match fs::read(&path) {
                    Ok(raw) => found.push((name, flags, raw)),
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => return None,
                    Err(e) => panic!("{}: {e}", path.display()),
                }
            }
        }
        Some(found)
    }

    /// Another client does something to this user's mail: `doveadm FIRST SECOND… -u USER REST…`.
    pub fn doveadm(&self, verb: &[&str], rest: &[&str]) -> String {
        self.server.doveadm(&[verb, &["-u", &self.name], rest].concat())
    }

    fn make_dir(&self, dir: &Path) {
        let top = self.server.dir.join("home");
        fs::create_dir_all(dir).unwrap();
        dir.ancestors().take_while(|d| *d != top).for_each(give_away);
    }
}

/// Under root the mail belongs to a user of its own.
fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(OWNER), Some(OWNER)).unwrap();
    }
}

fn configuration(dir: &Path, ports: [u16; 4], password: &str, extra: &str) -> String {
    let dir = dir.display();
    let [imap, imaps, pop3, pop3s] = ports;
    let (owner, chroot, internal) = if is_root() {
        (format!("uid={OWNER} gid={OWNER}"), "", String::new())
    } else {
        let me = fs::metadata("/proc/self").unwrap();
        let name = |flag| {
            let run = Command::new("id").arg(flag).output().unwrap();
            String::from_utf8(run.stdout).unwrap().trim().to_owned()
        };
        let (user, group) = (name("-un"), name("-gn"));
        let internal = format!(
            "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n"
        );
        (format!("uid={} gid={}", me.uid(), me.gid()), "chroot =", internal)
    };
    let standard: String = ["Drafts", "Junk", "Trash", "Sent", "Archive"]
        .map(|name| format!("  mailbox {name} {{\n    special_use = \\{name}\n    auto = subscribe\n  }}\n"))
        .concat();
    format!(
        "\
protocols = imap pop3
base_dir = {dir}/run
state_dir = {dir}/state
log_path = /dev/stderr
listen = 127.0.0.1
instance_name = {dir}
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = {owner} home={dir}/home/%n
}}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:~/Maildir
mail_fsync = never
mail_save_crlf = yes
mail_max_userip_connections = 100
maildir_stat_dirs = yes
namespace inbox {{
  inbox = yes
  separator = /
{standard}}}
protocol imap {{
  mail_plugins = imap_zlib
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
  service_count = 0
  {chroot}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
  service_count = 0
  {chroot}
}}
service anvil {{
  {chroot}
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  {chroot}
}}
default_vsz_limit = 2G
{internal}{extra}
"
    )
}
