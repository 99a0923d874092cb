//! Servers of hoodiecrow-imap on 127.0.0.1, in clear: X-GM-MSGID by a hand that is not ours.
//!
//! `tests/run` installs it into `target/servers/hoodiecrow`; `MAILTUI_HOODIECROW` names another place. Where it or Node
//! is missing the tests are skipped with a line on stderr, or fail if `MAILTUI_REQUIRE_HOODIECROW=1`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use mailtui::config::{Account, Protocol, Tls};

use super::dovecot::account;

/// The only user of each server.
pub const USER: &str = "ada";
/// What a mailbox like any other has.
const PLAIN: &str = r#"{"INBOX":{},"":{"separator":"/","folders":{
    "Archive":{"special-use":"\\Archive"},"Drafts":{"special-use":"\\Drafts"},"Junk":{"special-use":"\\Junk"},
    "Sent":{"special-use":"\\Sent"},"Trash":{"special-use":"\\Trash"}}}}"#;

/// A process that runs any number of servers. It ends with the test binary, in whatever way that ends.
pub struct Hoodiecrow(Mutex<Running>);

struct Running {
    orders: ChildStdin,
    ports: BufReader<ChildStdout>,
    _node: Child,
}

/// The process that tests share; `None`: skip.
pub fn shared() -> Option<&'static Hoodiecrow> {
    static SHARED: OnceLock<Option<Hoodiecrow>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}

fn module() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers/hoodiecrow");
    let root = std::env::var_os("MAILTUI_HOODIECROW").map_or(own, PathBuf::from);
    root.join("node_modules/hoodiecrow-imap")
}

fn start() -> Option<Hoodiecrow> {
    let (module, script) = (module(), concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/hoodiecrow.js"));
    let node = Command::new("node")
        .arg("--no-deprecation")
        .arg(script)
        .arg(&module)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    match node {
        Ok(mut node) if module.is_dir() => {
            let (orders, ports) = (node.stdin.take()?, BufReader::new(node.stdout.take()?));
            Some(Hoodiecrow(Mutex::new(Running { orders, ports, _node: node })))
        }
        _ => {
            let required = std::env::var("MAILTUI_REQUIRE_HOODIECROW").is_ok_and(|v| v == "1");
            assert!(
                !required,
                "hoodiecrow is required, but not in {}, or there is no Node",
                module.display()
            );
            eprintln!("SKIPPED: hoodiecrow is not in {}: tests/run installs it there", module.display());
            None
        }
    }
}

impl Hoodiecrow {
    /// A server with this storage; its port.
    pub fn serve(&self, storage: &str) -> u16 {
        let mut running = self.0.lock().unwrap();
        running.orders.write_all(format!("{}\n", storage.replace('\n', "")).as_bytes()).unwrap();
        let mut line = String::new();
        running.ports.read_line(&mut line).unwrap();
        line.trim().parse().expect("the script of hoodiecrow answers with a port")
    }

    /// A server with nothing in its folders; an account on it.
    pub fn account(&self) -> Account {
        account(USER, self.serve(PLAIN), Protocol::Imap, Tls::None)
    }
}
