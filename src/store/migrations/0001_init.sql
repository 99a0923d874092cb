-- The first store: content (messages) apart from place (placements), what is queued, and what undo needs.
-- Before the first table of a new file: PRAGMA auto_vacuum = INCREMENTAL.

CREATE TABLE accounts (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  name       TEXT NOT NULL UNIQUE,             -- [accounts.NAME] in config.toml
  protocol   TEXT NOT NULL,                    -- imap, pop3, local, memory: for people and for P15
  owner      TEXT NOT NULL CHECK (owner IN ('here', 'server')),  -- who holds the truth about folders and flags
  remote_key TEXT NOT NULL DEFAULT ''          -- user@host:port; a change means another mailbox
) STRICT;

CREATE TABLE folders (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id    INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  remote        TEXT,                          -- name exactly as on the wire; POP3: 'INBOX'; NULL: to be made on the server
  path          TEXT NOT NULL,                 -- decoded, '/'-joined, for display
  role          TEXT NOT NULL DEFAULT '',      -- inbox sent drafts trash junk archive all
  selectable    INTEGER NOT NULL DEFAULT 1,
  subscribed    INTEGER NOT NULL DEFAULT 1,
  uidvalidity   INTEGER NOT NULL DEFAULT 0,
  uidnext       INTEGER NOT NULL DEFAULT 0,
  highestmodseq INTEGER NOT NULL DEFAULT 0,
  backfill_uid  INTEGER NOT NULL DEFAULT 0,    -- everything >= it has been asked for (held UIDs may be lower); 1 = complete
  synced_at     INTEGER NOT NULL DEFAULT 0,
  total         INTEGER NOT NULL DEFAULT 0,    -- kept by the triggers on placements; recounted by fsck
  unseen        INTEGER NOT NULL DEFAULT 0,
  parked        TEXT NOT NULL DEFAULT '',      -- why the mass-vanish guard holds changes back
  UNIQUE (account_id, remote)
) STRICT;
CREATE UNIQUE INDEX folders_role ON folders(account_id, role) WHERE role <> '';
CREATE INDEX folders_of_role ON folders(role) WHERE role <> '';

CREATE TABLE threads (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE
) STRICT;

CREATE TABLE refs (                            -- every Message-ID that a thread goes by -> that thread
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  msgid      TEXT NOT NULL,
  thread_id  INTEGER NOT NULL REFERENCES threads(id) ON DELETE CASCADE,
  PRIMARY KEY (account_id, msgid)
) STRICT, WITHOUT ROWID;
CREATE INDEX refs_thread ON refs(thread_id);

-- messages: lookups that the planner can use, proof of sameness, search key, columns that the query language needs
--   messages_msgid is NOT partial: "msgid = ?" does not imply "msgid <> ''" for the planner (SCAN per insert, measured)
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  docid INTEGER NOT NULL UNIQUE,               -- rowid in `search`: received/64*16 + a free slot, so that newest first = ORDER BY rowid DESC
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  thread_id INTEGER NOT NULL REFERENCES threads(id),
  msgid TEXT NOT NULL DEFAULT '', parent TEXT NOT NULL DEFAULT '',
  remote_id TEXT,                              -- EMAILID or X-GM-MSGID: proof that two placements are one message
  head_hash BLOB NOT NULL DEFAULT x'',         -- SHA-256 of the raw header block
  date INTEGER NOT NULL, received INTEGER NOT NULL,
  from_name TEXT NOT NULL DEFAULT '', from_addr TEXT NOT NULL DEFAULT '', to_line TEXT NOT NULL DEFAULT '', cc_line TEXT NOT NULL DEFAULT '',
  list_id TEXT NOT NULL DEFAULT '', subject TEXT NOT NULL DEFAULT '', snippet TEXT NOT NULL DEFAULT '',
  size INTEGER NOT NULL DEFAULT 0,             -- as the server told it (part of the proof); without a server: of the raw bytes
  raw_size INTEGER NOT NULL DEFAULT 0,         -- of the raw bytes held; 0 while they are not
  sha256 BLOB NOT NULL DEFAULT x'', attachments INTEGER NOT NULL DEFAULT 0,
  body_state INTEGER NOT NULL DEFAULT 0,       -- 0 none, 1 head of it (POP3 TOP), 2 whole, 3 whole but evicted, 4 staged: no row of a list yet
  indexed INTEGER NOT NULL DEFAULT 0, used_day INTEGER NOT NULL DEFAULT 0  -- eviction order; written at most once a day
) STRICT;
CREATE INDEX messages_msgid ON messages(account_id, msgid, size);
CREATE UNIQUE INDEX messages_remote ON messages(account_id, remote_id) WHERE remote_id IS NOT NULL;
CREATE INDEX messages_thread ON messages(thread_id, date);
CREATE INDEX messages_from ON messages(from_addr COLLATE NOCASE, received);
CREATE INDEX messages_list ON messages(list_id, received) WHERE list_id <> '';  -- always query with "AND list_id <> ''"
CREATE INDEX messages_todo ON messages(docid) WHERE indexed < CASE body_state WHEN 2 THEN 2 ELSE 1 END;
CREATE INDEX messages_bodiless ON messages(account_id, received) WHERE body_state = 0;

CREATE TABLE bodies (                          -- raw RFC 5322 in chunks of 1 MiB of raw bytes: streamed in, streamed out
  message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
  seq INTEGER NOT NULL, packed INTEGER NOT NULL,
  raw BLOB NOT NULL,                           -- last: a column behind a blob costs its whole overflow chain
  PRIMARY KEY (message_id, seq)
) STRICT;                                      -- a rowid table on purpose

CREATE TABLE unfinished (                      -- messages whose chunks are still coming; what stays here over a start is dropped
  message_id INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE,
  account_id INTEGER NOT NULL
) STRICT;
CREATE INDEX unfinished_account ON unfinished(account_id);

CREATE TABLE placements (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE,
  message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE CASCADE,
  uid INTEGER,                                 -- NULL: only here (POP3, local folder) or not on the server yet
  thread_id INTEGER NOT NULL,
  sort_at INTEGER NOT NULL,                    -- messages.received, or the time when a snooze ended
  flags INTEGER NOT NULL DEFAULT 0, base INTEGER NOT NULL DEFAULT 0,
  hidden INTEGER NOT NULL DEFAULT 0,           -- bits: 1 leaving (an op takes it away), 2 snoozed, 4 parked by the mass-vanish guard
  stale INTEGER NOT NULL DEFAULT 0             -- complete looks at the folder, without a sign of it, until it is taken for gone; 0: not in doubt
) STRICT;
CREATE UNIQUE INDEX placements_uid ON placements(folder_id, uid) WHERE uid IS NOT NULL;
CREATE INDEX placements_list    ON placements(folder_id, hidden, sort_at, id, message_id, thread_id);
CREATE INDEX placements_thread  ON placements(thread_id, folder_id, hidden, sort_at);
CREATE INDEX placements_unseen  ON placements(folder_id, hidden, sort_at) WHERE (flags & 1) = 0;
CREATE INDEX placements_flagged ON placements(hidden, sort_at) WHERE (flags & 4) <> 0;
CREATE INDEX placements_message ON placements(message_id);
CREATE INDEX placements_stale   ON placements(folder_id, stale) WHERE stale <> 0;

CREATE TRIGGER placements_come AFTER INSERT ON placements WHEN new.hidden = 0 BEGIN
  UPDATE folders SET total = total + 1, unseen = unseen + ((new.flags & 1) = 0) WHERE id = new.folder_id;
END;
CREATE TRIGGER placements_go AFTER DELETE ON placements WHEN old.hidden = 0 BEGIN
  UPDATE folders SET total = total - 1, unseen = unseen - ((old.flags & 1) = 0) WHERE id = old.folder_id;
END;
CREATE TRIGGER placements_turn AFTER UPDATE OF folder_id, flags, hidden ON placements
WHEN old.folder_id <> new.folder_id OR (old.flags & 1) <> (new.flags & 1) OR (old.hidden = 0) <> (new.hidden = 0) BEGIN
  UPDATE folders SET total = total - (old.hidden = 0), unseen = unseen - (old.hidden = 0 AND (old.flags & 1) = 0)
   WHERE id = old.folder_id;
  UPDATE folders SET total = total + (new.hidden = 0), unseen = unseen + (new.hidden = 0 AND (new.flags & 1) = 0)
   WHERE id = new.folder_id;
END;

CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;  -- the IMAP keyword as spelled, or a local tag
CREATE TABLE placement_tags (                  -- keywords obey the same two-sets rule as flags
  tag_id INTEGER NOT NULL REFERENCES tags(id), placement_id INTEGER NOT NULL REFERENCES placements(id) ON DELETE CASCADE,
  here INTEGER NOT NULL, there INTEGER NOT NULL,
  PRIMARY KEY (tag_id, placement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_tags_p ON placement_tags(placement_id);

CREATE TABLE pop_seen (
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  uidl TEXT NOT NULL, dup INTEGER NOT NULL DEFAULT 0,   -- P7: the n-th mail with this UIDL, told apart by size and head_hash
  message_id INTEGER REFERENCES messages(id) ON DELETE SET NULL,  -- NULL: deleted here
  size INTEGER NOT NULL DEFAULT 0, head_hash BLOB NOT NULL DEFAULT x'',
  seen_at INTEGER NOT NULL,                             -- when it was first stored here: the clock of "14d"
  missing INTEGER NOT NULL DEFAULT 0,                   -- complete listings in a row without it (P2)
  missing_since INTEGER NOT NULL DEFAULT 0,             -- the first of them
  want TEXT NOT NULL DEFAULT 'keep' CHECK (want IN ('keep','delete','told')),  -- told: DELE sent, QUIT not yet proven
  PRIMARY KEY (account_id, uidl, dup)
) STRICT, WITHOUT ROWID;
CREATE INDEX pop_seen_message ON pop_seen(message_id);

CREATE TABLE ops (                             -- what the user did that the server has not heard yet
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- order of execution within an account
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('flags', 'move', 'copy', 'delete', 'append', 'mkdir', 'rmdir', 'rename')),
  folder_id  INTEGER REFERENCES folders(id) ON DELETE CASCADE,
  target_id  INTEGER REFERENCES folders(id) ON DELETE CASCADE,
  detail     TEXT NOT NULL DEFAULT '{}',       -- JSON: {"add":1,"del":0}, {"name":"Work"}
  state      TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'stuck', 'conflict')),
  tries      INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  error      TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX ops_next ON ops(account_id, state, id);
CREATE INDEX ops_folder ON ops(folder_id);
CREATE INDEX ops_target ON ops(target_id);

CREATE TABLE op_items (
  op_id INTEGER NOT NULL REFERENCES ops(id) ON DELETE CASCADE,
  placement_id INTEGER NOT NULL REFERENCES placements(id) ON DELETE RESTRICT,
  result_id INTEGER REFERENCES placements(id) ON DELETE RESTRICT,  -- the pending placement that this item will give a UID
  PRIMARY KEY (op_id, placement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX op_items_placement ON op_items(placement_id);
CREATE INDEX op_items_result ON op_items(result_id) WHERE result_id IS NOT NULL;

CREATE TABLE undo (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, label TEXT NOT NULL,
  forward TEXT NOT NULL, inverse TEXT NOT NULL,          -- both by messages.id and folders.id, never placement ids
  undone INTEGER NOT NULL DEFAULT 0) STRICT;             -- 0: `u` can take it back; else the order in which they were undone
CREATE INDEX undo_at ON undo(at);
CREATE INDEX undo_undone ON undo(undone, id);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  message_id INTEGER NOT NULL REFERENCES messages(id) ON DELETE RESTRICT,  -- the frozen bytes are its body; also the Sent copy
  identity TEXT NOT NULL, mail_from TEXT NOT NULL, answers INTEGER REFERENCES messages(id) ON DELETE SET NULL,
  send_at INTEGER NOT NULL, not_before INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued','sending','sent','deferred','failed','unsure')),
  tries INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '') STRICT;
CREATE INDEX outbox_message ON outbox(message_id);
CREATE INDEX outbox_answers ON outbox(answers) WHERE answers IS NOT NULL;
CREATE TABLE outbox_rcpts (outbox_id INTEGER NOT NULL REFERENCES outbox(id) ON DELETE CASCADE, addr TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'todo' CHECK (state IN ('todo','accepted','refused')), reply TEXT NOT NULL DEFAULT '', PRIMARY KEY (outbox_id, addr)) STRICT, WITHOUT ROWID;

CREATE TABLE drafts (id INTEGER PRIMARY KEY AUTOINCREMENT, account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  msgid TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, pushed INTEGER NOT NULL DEFAULT 0,  -- version last seen on the server
  placement_id INTEGER REFERENCES placements(id) ON DELETE SET NULL,                            -- its copy in Drafts
  editor TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, raw BLOB NOT NULL, updated_at INTEGER NOT NULL) STRICT;  -- editor: host:pid:start; state: JSON of the composer
CREATE INDEX drafts_placement ON drafts(placement_id) WHERE placement_id IS NOT NULL;
CREATE TABLE snoozes (message_id INTEGER PRIMARY KEY REFERENCES messages(id) ON DELETE CASCADE, wake_at INTEGER NOT NULL, folder_id INTEGER NOT NULL REFERENCES folders(id) ON DELETE CASCADE) STRICT;
CREATE INDEX snoozes_wake ON snoozes(wake_at);
CREATE INDEX snoozes_folder ON snoozes(folder_id);
CREATE TABLE thread_edits (account_id INTEGER NOT NULL, msgid TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('split','join','mute')), target TEXT NOT NULL DEFAULT '', PRIMARY KEY (account_id, msgid, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE addresses (                       -- completion
  addr TEXT PRIMARY KEY COLLATE NOCASE,
  name TEXT NOT NULL DEFAULT '',
  sent INTEGER NOT NULL DEFAULT 0,
  last INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE kv (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID; -- remembered UI state

CREATE VIRTUAL TABLE search USING fts5(subject, sender, recipients, body, files, content='', contentless_delete=1,
  tokenize='unicode61 remove_diacritics 2');  -- rowid = messages.docid; rebuildable; CJK spaced into single characters before insert and query
