//! What `mailtui` says to someone who has no account yet.

use crate::config::Paths;

/// One friendly screen of plain text: 80x24 shows all of it above the next prompt.
pub(super) fn text(paths: &Paths) -> String {
    let file = paths.config.display();
    format!(
        "\
Welcome to mailtui. There is no account yet.

  mailtui demo             looks around in a made-up mailbox first

To add an account, put it into {file}

  [accounts.work]
  email    = \"you@example.org\"
  protocol = \"imap\"                # or \"pop3\"
  host     = \"imap.example.org\"
  password = {{ prompt = true }}     # or {{ command = \"pass show mail\" }},
                                   # {{ env = \"NAME\" }}, {{ keyring = true }}

IMAP: the mail lives on the server, a complete copy is here. Choose it with
several devices, or when in doubt. POP3: the server is a letter box, the mail
lives here alone. Choose it with one device or little room on the server, and
keep a backup. Nothing is deleted there unless you ask for it.

  mailtui config check     tells every mistake with its line
  mailtui sync             gets the mail
  mailtui                  opens the screen
"
    )
}
