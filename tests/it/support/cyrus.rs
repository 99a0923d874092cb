//! A Cyrus of our own on 127.0.0.1: IMAP and POP3 over TLS and in clear.
//!
//! Its packages cannot be installed beside Dovecot's, so `tests/run` unpacks them into `target/servers/cyrus`;
//! `MAILTUI_CYRUS` names another place. Where it is missing the tests are skipped with a line on stderr, or fail
//! if `MAILTUI_REQUIRE_CYRUS=1`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use mailtui::config::{Account, Protocol, Tls};

use super::certs;
use super::dovecot::{PASSWORD, account, is_root};

/// Who runs it when the tests run as root: it does not want to be root.
const OWNER: (&str, u32, u32) = ("nobody", 65534, 65534);
/// A server that is not up by then never is.
const PATIENCE: Duration = Duration::from_secs(30);
/// Names of users that can sign in. A test takes one for itself.
const USERS: u32 = 120;

/// A running server. It ends when this is dropped, or the test binary ends in whatever way.
pub struct Cyrus {
    pub imap: u16,
    pub imaps: u16,
    pub pop3: u16,
    pub pop3s: u16,
    keeper: Child,
    leash: Option<ChildStdin>,
    next_user: AtomicU32,
}

/// The instance that tests share; `None`: skip.
pub fn shared() -> Option<&'static Cyrus> {
    static SHARED: OnceLock<Option<Cyrus>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}

/// Where it was unpacked.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/cyrus");
    std::env::var_os("MAILTUI_CYRUS").map_or(own, PathBuf::from)
}

fn start() -> Option<Cyrus> {
    let root = root();
    if !root.join("usr/lib/cyrus/bin/master").is_file() {
        let required = std::env::var("MAILTUI_REQUIRE_CYRUS").is_ok_and(|v| v == "1");
        assert!(!required, "Cyrus is required, but not in {}", root.display());
        eprintln!("SKIPPED: Cyrus is not in {}: tests/run unpacks it there", root.display());
        return None;
    }
    // Another program may take a port before Cyrus does.
    (0..5).find_map(|_| Cyrus::try_start(&root)).or_else(|| panic!("Cyrus does not start"))
}

/// Ends the server when the pipe on its standard input closes, and takes its files away.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1/usr/lib/cyrus/bin/master" -C "$2/imapd.conf" -M "$2/cyrus.conf" -p "$2/master.pid" -L "$2/log" >/dev/null 2>&1 &
server=$!
while read -r _; do :; done
kill "$server" 2>/dev/null
wait "$server"
rm -rf "$2"
"#;

/// Where its libraries are: packages that are older than the merger of `/lib` and `/usr/lib` bring the former.
fn libraries(root: &Path) -> OsString {
    let above = ["usr/lib", "lib"].map(|path| root.join(path));
    let within = above.iter().filter_map(|path| fs::read_dir(path).ok()).flatten().flatten();
    let within =
        within.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with("-linux-gnu"));
    std::env::join_paths(within.collect::<Vec<_>>().iter().chain(&above)).unwrap()
}

impl Cyrus {
    fn try_start(root: &Path) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("mailtui-cyrus-").tempdir().unwrap().keep();
        let held = [(); 4].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = held.map(|listener| listener.local_addr().unwrap().port());
        for part in ["conf", "conf/socket", "spool", "lock", "proc", "socket"] {
            fs::create_dir(dir.join(part)).unwrap();
        }
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
        let identity = certs::good();
        let chain = [identity.cert.to_pem().unwrap(), certs::authority().cert.to_pem().unwrap()].concat();
        fs::write(dir.join("cert.pem"), chain).unwrap();
        fs::write(dir.join("key.pem"), identity.key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let owner = match is_root() {
            true => OWNER.0.to_owned(),
            false => {
                let run = Command::new("id").arg("-un").output().unwrap();
                String::from_utf8(run.stdout).unwrap().trim().to_owned()
            }
        };
        fs::write(dir.join("imapd.conf"), settings(&dir, &owner)).unwrap();
        fs::write(dir.join("cyrus.conf"), services(root, &dir, ports)).unwrap();
        let libraries = libraries(root);
        enrol(root, &dir, &libraries);
        if is_root() {
            give_away(&dir);
        }
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(root)
            .arg(&dir)
            .env("LD_LIBRARY_PATH", &libraries)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let leash = keeper.stdin.take();
        let [imap, imaps, pop3, pop3s] = ports;
        let server = Self { imap, imaps, pop3, pop3s, keeper, leash, next_user: AtomicU32::new(1) };
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
                return Some(server);
            }
            // It says nowhere when it listens.
            std::thread::park_timeout(Duration::from_millis(20));
        }
        None
    }

    /// A user that no other test has; the mailbox is made at the first sign-in.
    pub fn user(&'static self) -> User {
        let number = self.next_user.fetch_add(1, Ordering::Relaxed);
        assert!(number <= USERS, "more users are needed");
        User { server: self, name: format!("user{number}") }
    }
}

/// A user of the server.
pub struct User {
    server: &'static Cyrus,
    pub name: String,
}

impl User {
    /// An account for this user.
    pub fn account(&self, protocol: Protocol, tls: Tls) -> Account {
        let server = self.server;
        let port = match (protocol, tls) {
            (Protocol::Imap, Tls::Implicit) => server.imaps,
            (Protocol::Imap, _) => server.imap,
            (_, Tls::Implicit) => server.pop3s,
            _ => server.pop3,
        };
        account(&self.name, port, protocol, tls)
    }
}

impl Drop for Cyrus {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}

/// Writes the passwords: the digests need them in clear.
fn enrol(root: &Path, dir: &Path, libraries: &OsStr) {
    let script = "i=1; while [ $i -le $3 ]; do printf %s \"$4\" | \"$1\" -p -c -f \"$2\" -u \"$(uname -n)\" user$i || exit 1; i=$((i+1)); done";
    let run = Command::new("sh")
        .args(["-c", script, "enrol"])
        .arg(root.join("usr/sbin/saslpasswd2"))
        .arg(dir.join("sasldb2"))
        .arg(USERS.to_string())
        .arg(PASSWORD)
        .env("LD_LIBRARY_PATH", libraries)
        .output()
        .unwrap();
    std::io::stderr().write_all(&run.stderr).unwrap();
    assert!(run.status.success());
}

fn give_away(path: &Path) {
    chown(path, Some(OWNER.1), Some(OWNER.2)).unwrap();
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| give_away(&entry.unwrap().path()));
    }
}

fn settings(dir: &Path, owner: &str) -> String {
    let dir = dir.display();
    format!(
        "\
configdirectory: {dir}/conf
defaultpartition: default
partition-default: {dir}/spool
proc_path: {dir}/proc
mboxname_lockpath: {dir}/lock
idlesocket: {dir}/socket/idle
lmtpsocket: {dir}/socket/lmtp
notifysocket: {dir}/socket/notify
cyrus_user: {owner}
allowplaintext: yes
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: {dir}/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256
tls_server_cert: {dir}/cert.pem
tls_server_key: {dir}/key.pem
unixhierarchysep: yes
altnamespace: no
virtdomains: off
autocreate_users: anyone
autocreate_quota: 0
autocreate_inbox_folders: Drafts | Sent | Trash | Archive | Junk
xlist-drafts: Drafts
xlist-trash: Trash
imapidlepoll: 600
expunge_mode: immediate
delete_mode: immediate
popminpoll: 0
munge8bit: no
failedloginpause: 0
syslog_prefix: mailtui
"
    )
}

fn services(root: &Path, dir: &Path, [imap, imaps, pop3, pop3s]: [u16; 4]) -> String {
    let (bin, dir) = (root.join("usr/lib/cyrus/bin"), dir.display());
    let bin = bin.display();
    format!(
        "\
START {{
  recover cmd=\"{bin}/ctl_cyrusdb -C {dir}/imapd.conf -r\"
  idled cmd=\"{bin}/idled -C {dir}/imapd.conf\"
}}
SERVICES {{
  imap cmd=\"{bin}/imapd -C {dir}/imapd.conf -U 30\" listen=\"127.0.0.1:{imap}\" prefork=1
  imaps cmd=\"{bin}/imapd -C {dir}/imapd.conf -U 30 -s\" listen=\"127.0.0.1:{imaps}\" prefork=0
  pop3 cmd=\"{bin}/pop3d -C {dir}/imapd.conf -U 30\" listen=\"127.0.0.1:{pop3}\" prefork=0
  pop3s cmd=\"{bin}/pop3d -C {dir}/imapd.conf -U 30 -s\" listen=\"127.0.0.1:{pop3s}\" prefork=0
}}
EVENTS {{
}}
"
    )
}
