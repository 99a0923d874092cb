//! COMPRESS=DEFLATE (RFC 4978): what passes is less, and what arrives is the same.

use mailtui::config::{Account, Compress, Protocol, Tls};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::imap::{Session, connect_with};
use mailtui::protocol::{MailProtocol, Wake};

use crate::support::dovecot::{self, User};
use crate::support::imap::inbox;
use crate::support::world::{Bodies, Held};

fn session(user: &User<'_>, compress: Compress) -> Session {
    let account = Account { compress, ..user.account(Protocol::Imap, Tls::Implicit) };
    let options = DialOptions::from(&account, &Interrupt::new().unwrap());
    connect_with(&options, &user.name, &user.secret()).unwrap()
}

/// The bytes that came while a mailbox was taken whole, and its mails.
fn take(user: &User<'_>, compress: Compress) -> (u64, Vec<Vec<u8>>) {
    let mut session = session(user, compress);
    let (mut held, mut bodies) = (Held::default(), Bodies::default());
    held.pull(&mut session, "INBOX");
    let ids: Vec<_> = held.mails.keys().cloned().collect();
    session.fetch(&inbox(), &ids, &mut bodies).unwrap();
    let shown = session.wire().transcript().to_string();
    assert_eq!(shown.contains("compressed from here on"), compress == Compress::On, "{shown}");
    let came = session.wire().counters().bytes_in;
    Box::new(session).finish().unwrap();
    (came, bodies.whole.into_values().collect())
}

#[test]
fn i10_compressed_mail_is_the_same_mail_in_fewer_bytes() {
    let Some(server) = dovecot::shared() else { return };
    let user = server.user();
    for n in 0..40 {
        let text = format!("line {n} of a letter that goes on and on\r\n").repeat(100 + n);
        user.deliver("INBOX", format!("Subject: {n}\r\nMessage-ID: <{n}@x>\r\n\r\n{text}").as_bytes());
    }
    let (plain, mails) = take(&user, Compress::Off);
    let (folded, same) = take(&user, Compress::On);
    assert_eq!(mails.len(), 40);
    assert!(mails == same);
    assert!(folded * 5 < plain, "{folded} of {plain} bytes");
    // On this machine it is not worth the time.
    assert_eq!(take(&user, Compress::Auto).0.abs_diff(plain) / 1000, 0);
}

#[test]
fn i10_a_folder_in_step_is_looked_at_without_a_word_about_it() {
    let Some(server) = dovecot::shared() else { return };
    let user = server.user();
    user.deliver("INBOX", b"Subject: one\r\n\r\n1\r\n");
    let mut held = Held::default();
    held.pull(&mut session(&user, Compress::On), "INBOX");
    let mut again = session(&user, Compress::On);
    again.folders().unwrap();
    held.pull(&mut again, "INBOX");
    assert!(!again.wire().transcript().to_string().contains("COMPRESS DEFLATE"));
}

#[test]
fn i9_news_are_heard_through_the_compression() {
    let Some(server) = dovecot::shared() else { return };
    let user = server.user();
    user.deliver("INBOX", b"Subject: one\r\n\r\n1\r\n");
    let mut session = session(&user, Compress::On);
    let mut held = Held::default();
    held.pull(&mut session, "INBOX");
    for n in 0..3 {
        user.deliver("INBOX", format!("Subject: more {n}\r\n\r\n1\r\n").as_bytes());
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        assert_eq!(session.wait(&inbox(), until).unwrap(), Wake::Changed);
        held.pull(&mut session, "INBOX");
        assert_eq!(held.mails.len(), 2 + n);
    }
    Box::new(session).finish().unwrap();
}
