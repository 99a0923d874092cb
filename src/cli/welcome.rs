//! What `mailtui` says to someone who has no account yet.

use crate::config::Paths;

/// One friendly screen of plain text.
pub(super) fn text(paths: &Paths) -> String {
    let file = paths.config.display();
    format!(
        "\
Welcome to mailtui. There is no account yet.

To look around first, in a made-up mailbox that leaves nothing behind:

    mailtui demo

To add an account, put one of these into
{file}

    IMAP: the mail lives on the server and a complete copy lives here. Choose it when
    you read your mail on several devices, or whenever you are not sure.

        [accounts.work]
        email    = \"you@example.org\"
        protocol = \"imap\"
        host     = \"imap.example.org\"
        password = {{ command = \"pass show mail\" }}

    POP3: the server is a letter box and the mail lives here, on this machine alone.
    Choose it when this is your one device, the server has little room, or only POP3
    is offered. Keep a backup.

        [accounts.home]
        email    = \"you@example.net\"
        protocol = \"pop3\"
        host     = \"pop.example.net\"
        password = {{ keyring = true }}
        leave_on_server = \"forever\"

    password may also be {{ env = \"NAME\" }} or {{ prompt = true }}.

Then:

    mailtui config check     tells every mistake with its line
    mailtui sync             gets the mail
    mailtui                  opens the screen
"
    )
}
