//! pymap on 127.0.0.1: an IMAP server of another make, which keeps mail in memory and no keywords.
//!
//! `tests/run` puts it into `target/servers/pymap` where there is Python 3.11 or newer; `MAILTUI_PYMAP` names
//! another place. Where it is missing the tests are skipped with a line on stderr, or fail if
//! `MAILTUI_REQUIRE_PYMAP=1`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::client::Client;
use super::dovecot::PASSWORD;

/// A server that is not up by then never is.
const PATIENCE: Duration = Duration::from_secs(60);
/// Names of users that can sign in. A test takes one for itself.
const USERS: u32 = 200;

/// A running server. It ends when this is dropped, or the test binary ends in whatever way.
pub struct Pymap {
    pub port: u16,
    keeper: Child,
    leash: Option<ChildStdin>,
    next_user: AtomicU32,
}

/// The instance that tests share; `None`: skip.
pub fn shared() -> Option<&'static Pymap> {
    static SHARED: OnceLock<Option<Pymap>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}

/// Ends the server when the pipe on its standard input closes.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$@" >/dev/null 2>&1 &
server=$!
while read -r _; do :; done
kill "$server" 2>/dev/null
wait "$server"
"#;

/// The server's own program, with users enough: by itself it has one. Their password is not hashed, for speed.
const PROGRAM: &str = r#"
import sys
from pymap.backend.dict import Config, DictBackend, Identity
from pymap.main import main
from pymap.user import UserMetadata
from pysasl.hashing import Cleartext

async def enrol(cls, config, login):
    for n in range(1, int(config.demo_user) + 1):
        user = UserMetadata(config, f"user{n}", password=config.demo_password)
        await Identity(f"user{n}", login, None, frozenset()).set(user)

DictBackend._add_demo_user = classmethod(enrol)
Config._get_hash_context = classmethod(lambda cls, _: Cleartext())
sys.argv[0] = "pymap"
sys.exit(main())
"#;

fn start() -> Option<Pymap> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/pymap");
    let root = std::env::var_os("MAILTUI_PYMAP").map_or(own, PathBuf::from);
    if !root.join("bin/pymap").is_file() {
        let required = std::env::var("MAILTUI_REQUIRE_PYMAP").is_ok_and(|v| v == "1");
        assert!(!required, "pymap is required, but not in {}", root.display());
        eprintln!("SKIPPED: pymap is not in {}: tests/run puts it there", root.display());
        return None;
    }
    // Another program may take the port before pymap does.
    (0..5).find_map(|_| Pymap::try_start(&root)).or_else(|| panic!("pymap does not start"))
}

impl Pymap {
    fn try_start(root: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(root.join("bin/python"))
            .args(["-c", PROGRAM, "--no-service", "admin", "--host", "127.0.0.1"])
            .args(["--port", &port.to_string(), "--no-tls", "dict", "--demo-user", &USERS.to_string()])
            .args(["--demo-password", PASSWORD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { port, leash: keeper.stdin.take(), keeper, next_user: AtomicU32::new(1) };
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Some(server);
            }
            // It says nowhere when it listens.
            std::thread::park_timeout(Duration::from_millis(20));
        }
        None
    }

    /// The name of a user that no other test has, with the usual folders.
    pub fn user(&self) -> String {
        let number = self.next_user.fetch_add(1, Ordering::Relaxed);
        assert!(number <= USERS, "more users are needed");
        let name = format!("user{number}");
        let mut client = Client::sign_in(self.port, &name);
        for folder in ["Drafts", "Sent", "Trash", "Archive", "Junk"] {
            client.ask(&format!("CREATE {folder}"));
            client.ask(&format!("SUBSCRIBE {folder}"));
        }
        name
    }
}

impl Drop for Pymap {
    fn drop(&mut self) {
        drop(self.leash.take());
        let _ = self.keeper.wait();
    }
}
