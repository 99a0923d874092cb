-- What a store of version 4 held when it was left: an account whose folders are labels, a draft, and a mail that a later version would send.
INSERT INTO accounts (id, name, protocol, owner, remote_key, parked, labels, server) VALUES
  (1, 'work', 'imap', 'server', 'ada@imap.example.org', 0, 1, 'Gimap');
INSERT INTO folders (id, account_id, remote, path, role) VALUES (1, 1, 'INBOX', 'Inbox', 'inbox');
INSERT INTO threads (id, account_id) VALUES (1, 1);
INSERT INTO messages (id, docid, account_id, thread_id, date, received, body_state) VALUES (1, 16, 1, 1, 60, 60, 2);
INSERT INTO outbox (id, account_id, message_id, identity, mail_from, send_at) VALUES (3, 1, 1, '', 'ada@example.org', 70);
INSERT INTO outbox_rcpts (outbox_id, addr) VALUES (3, 'bob@example.org');
INSERT INTO drafts (id, account_id, msgid, state, raw, updated_at) VALUES (2, 1, 'd@example.org', '{}', x'00', 50);
