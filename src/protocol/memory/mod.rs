//! A mail server in memory, of POP3 or of IMAP kind: for the demo, for tests, and as the reference.
