-- What a store of version 1 held when it was left: one account with a queued move and a conflict.
INSERT INTO accounts (id, name, protocol, owner) VALUES (1, 'work', 'imap', 'server');
INSERT INTO folders (id, account_id, remote, path, role) VALUES (1, 1, 'INBOX', 'Inbox', 'inbox'), (2, 1, 'Trash', 'Trash', 'trash');
INSERT INTO threads (id, account_id) VALUES (1, 1);
INSERT INTO messages (id, docid, account_id, thread_id, date, received) VALUES (1, 16, 1, 1, 60, 60), (2, 32, 1, 1, 61, 61);
INSERT INTO placements (id, folder_id, message_id, uid, thread_id, sort_at, hidden) VALUES (1, 1, 1, 7, 1, 60, 1), (2, 1, 2, 8, 1, 61, 0);
INSERT INTO placements (id, folder_id, message_id, thread_id, sort_at) VALUES (3, 2, 1, 1, 60);
INSERT INTO ops (id, account_id, kind, folder_id, target_id, tries, not_before) VALUES (4, 1, 'move', 1, 2, 3, 99);
INSERT INTO op_items VALUES (4, 1, 3);
INSERT INTO ops (id, account_id, kind, folder_id, detail, state, error) VALUES (5, 1, 'flags', 1, '{"add":1,"del":0}', 'conflict', 'no');
INSERT INTO op_items VALUES (5, 2, NULL);
