-- What a store of version 3 held when it was left: an account that the configuration does not name any more, a folder with a lasting name, mail under new names.
INSERT INTO accounts (id, name, protocol, owner, remote_key, parked) VALUES
  (1, 'work', 'imap', 'server', 'ada@imap.example.org:993', 0), (2, 'old', 'pop3', 'here', 'ada@pop.example.net:995', 2);
INSERT INTO folders (id, account_id, remote, path, role, object_id) VALUES
  (1, 1, 'INBOX', 'Inbox', 'inbox', 'F1'), (2, 2, 'INBOX', 'Inbox', 'inbox', '');
INSERT INTO threads (id, account_id) VALUES (1, 2);
INSERT INTO messages (id, docid, account_id, thread_id, date, received, body_state) VALUES (1, 16, 2, 1, 60, 60, 2);
INSERT INTO placements (id, folder_id, message_id, thread_id, sort_at) VALUES (1, 2, 1, 1, 60);
INSERT INTO pop_seen (account_id, uidl, message_id, seen_at) VALUES (2, 'old', 1, 30);
INSERT INTO pop_renamed (account_id, uidl, was, dup) VALUES (2, 'new', 'old', 0);
INSERT INTO maildrops (account_id, at, messages, bytes, then_at, then_bytes) VALUES (2, 70, 1, 900, 10, 800);
INSERT INTO ops (id, account_id, kind, target_id, detail, at) VALUES (6, 1, 'rename', 1, '{"name":"Box"}', 55);
