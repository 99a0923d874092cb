//! IMAP (RFC 9051, RFC 3501) as a `MailProtocol`.
