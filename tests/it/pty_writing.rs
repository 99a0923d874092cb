//! Writing with the real program on a real terminal: the editor has it, the mail arrives once.

use std::fs;
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use super::pty::Terminal;
use super::support::mta::Mta;

const DEADLINE: Duration = Duration::from_secs(60);

/// A place with one account that sends by this server, and this editor.
fn place(mta: &Mta, editor: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let config = format!(
        "[compose]\nundo_send = \"2s\"\neditor = \"sh {}\"\n[accounts.box]\nemail = \"ada@example.org\"\n\
         name = \"Ada Lovelace\"\nprotocol = \"local\"\n[accounts.box.smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
         tls = \"none\"\nuser = \"ada\"\npassword = {{ command = \"echo hunter2\" }}\n",
        place.path().join("editor").display(),
        mta.port
    );
    fs::write(place.path().join("config.toml"), config).unwrap();
    fs::write(place.path().join("editor"), editor).unwrap();
    place
}

fn open(place: &tempfile::TempDir) -> Terminal {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_mailtui"));
    command.env("MAILTUI_CONFIG", place.path().join("config.toml"));
    command.env("MAILTUI_DATA", place.path().join("data"));
    Terminal::start(command)
}

/// Waits until the server has so many mails.
#[track_caller]
fn arrived(mta: &Mta, count: usize) {
    let until = Instant::now() + DEADLINE;
    while mta.taken().len() < count {
        assert!(Instant::now() < until, "{:?}", mta.taken().len());
        std::thread::yield_now();
    }
}

/// Asks for a line on the terminal, whatever interrupts that, and writes it below a mail to Bob.
const ASKS: &str = "trap 'echo Interrupted' INT\nprintf 'Write: '\nuntil read line; do :; done\n\
    sed -i 's/^To:.*/To: bob@example.org/; s/^Subject:.*/Subject: Lunch/' \"$1\"\necho \"$line\" >> \"$1\"\n";

#[test]
fn o1_a_mail_goes_from_the_keys_through_the_editor_to_the_server_once() {
    let mta = Mta::open();
    let place = place(&mta, ASKS);
    let mut terminal = open(&place);
    terminal.until("box").type_keys("c").until("Write:");
    // What the hand does in the editor is for the editor alone.
    terminal.type_keys("\u{3}").until("Interrupted").type_keys("At noon?\r");
    terminal.until("Subject   Lunch").until("At noon?").pace("y").until("Sending in");
    arrived(&mta, 1);
    terminal.when("the countdown is over", |t| !t.shows("Sending in")).pace("Z").type_keys("Z");
    assert!(terminal.given_back().success());
    let taken = mta.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["bob@example.org"]);
    let text = String::from_utf8_lossy(&taken[0].bytes).into_owned();
    assert!(text.contains("\r\nSubject: Lunch\r\n") && text.contains("\r\nAt noon?\r\n"), "{text}");
}

#[test]
fn o5_an_editor_that_stops_itself_goes_on_and_the_terminal_is_given_back_after_it() {
    let mta = Mta::open();
    let place = place(&mta, &ASKS.replacen("printf", "kill -TSTP $$; printf", 1));
    let mut terminal = open(&place);
    terminal
        .until("box")
        .type_keys("c")
        .until("Write:")
        .type_keys("Here\r")
        .until("Subject   Lunch")
        .until("Here");
    terminal.pace("q").until("Kept as a draft").pace("Z").type_keys("Z");
    assert!(terminal.given_back().success());
}
