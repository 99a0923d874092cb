-- What a store of version 2 held when it was left: two accounts, half of a move between them, a folder whose changes are held back.
INSERT INTO accounts (id, name, protocol, owner, remote_key, state, in_step_at, worked) VALUES
  (1, 'work', 'imap', 'server', 'ada@imap.example.org:993', 'in step', 50, 1), (2, 'home', 'pop3', 'here', 'ada@pop.example.net:995', '', 0, 0);
INSERT INTO folders (id, account_id, remote, path, role, parked, parked_at) VALUES
  (1, 1, 'INBOX', 'Inbox', 'inbox', '', 0), (2, 1, 'Notes', 'Notes', '', 'more vanished than is believed', 40), (3, 2, 'INBOX', 'Inbox', 'inbox', '', 0);
INSERT INTO threads (id, account_id) VALUES (1, 1), (2, 2);
INSERT INTO messages (id, docid, account_id, thread_id, date, received, body_state) VALUES (1, 16, 1, 1, 60, 60, 2), (2, 32, 2, 2, 61, 61, 2);
INSERT INTO messages (id, docid, account_id, thread_id, date, received, body_state, former_id, former_account) VALUES (3, 48, 1, 1, 61, 61, 2, 2, 2);
INSERT INTO placements (id, folder_id, message_id, uid, thread_id, sort_at, stale) VALUES (1, 2, 1, 7, 1, 60, 3);
INSERT INTO placements (id, folder_id, message_id, thread_id, sort_at, hidden) VALUES (2, 3, 2, 2, 61, 1);
INSERT INTO placements (id, folder_id, message_id, thread_id, sort_at) VALUES (3, 1, 3, 1, 61);
INSERT INTO undo (id, at, label, forward, inverse) VALUES (1, 55, 'moved 1 to work: Inbox', '[]', '[]');
INSERT INTO ops (id, account_id, kind, target_id, detail, tries, at, undo_id) VALUES (4, 1, 'append', 1, '{"mark":{"validity":7,"uidnext":9}}', 1, 55, 1);
INSERT INTO ops (id, account_id, kind, folder_id, target_id, at, after_id, undo_id) VALUES (5, 2, 'delete', 3, 3, 55, 4, 1);
INSERT INTO op_items VALUES (4, 3, NULL), (5, 2, NULL);
INSERT INTO pop_seen (account_id, uidl, message_id, seen_at) VALUES (2, 'u1', 2, 30);
INSERT INTO kv VALUES ('screen.place', 'folder 2 1 -');
