-- What a store of version 5 held when it was left: a mail in a conversation, one that was muted, and a mail half sent.
INSERT INTO accounts (id, name, protocol, owner, remote_key, parked, labels, server) VALUES
  (1, 'work', 'imap', 'server', 'ada@imap.example.org', 0, 0, 'Dovecot');
INSERT INTO folders (id, account_id, remote, path, role) VALUES (1, 1, 'INBOX', 'Inbox', 'inbox');
INSERT INTO threads (id, account_id) VALUES (1, 1);
INSERT INTO refs (account_id, msgid, thread_id) VALUES (1, 'a@example.org', 1);
INSERT INTO messages (id, docid, account_id, thread_id, msgid, date, received, body_state) VALUES (1, 16, 1, 1, 'a@example.org', 60, 60, 2);
INSERT INTO thread_edits (account_id, msgid, kind) VALUES (1, 'a@example.org', 'mute');
INSERT INTO drafts (id, account_id, msgid, state, raw, updated_at) VALUES (2, 1, 'd@example.org', '{}', x'00', 50);
INSERT INTO outbox (id, account_id, message_id, identity, mail_from, send_at, files, eight_bit, draft_id) VALUES (3, 1, 1, '', 'ada@example.org', 70, 0, 1, 2);
INSERT INTO outbox_rcpts (outbox_id, addr, at_dot) VALUES (3, 'bob@example.org', 1);
