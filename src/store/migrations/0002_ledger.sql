-- The ledger: since when an op waits and for which other op, and how each account fares, over processes and restarts.
-- `ops` is made anew, because SQLite cannot change a CHECK in place; `op_items` keeps pointing at it by name.

CREATE TABLE ops_new (                         -- what the user did that the server has not heard yet
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- order of execution within an account
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('flags', 'move', 'copy', 'delete', 'append', 'mkdir', 'rmdir', 'rename', 'subscribe')),
  folder_id  INTEGER REFERENCES folders(id) ON DELETE CASCADE,
  target_id  INTEGER REFERENCES folders(id) ON DELETE CASCADE,
  detail     TEXT NOT NULL DEFAULT '{}',       -- JSON: {"add":1,"del":0,"tag":["x"],"untag":[]}, {"name":"Work"}, {"mark":{"validity":7,"uidnext":9}}
  state      TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'stuck', 'conflict')),
  tries      INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0,
  error      TEXT NOT NULL DEFAULT '',
  at         INTEGER NOT NULL DEFAULT 0,       -- when the user did it, Unix time
  after_id   INTEGER,                          -- the op, of any account, whose success it waits for (promise I13); that
                                               -- success clears it. No foreign key: were that op lost, this one must not run
  undo_id    INTEGER,                          -- the undo row of the same action
  from_id    INTEGER                           -- append: the message, of another account, whose body it waits for
) STRICT;
INSERT INTO ops_new (id, account_id, kind, folder_id, target_id, detail, state, tries, not_before, error)
  SELECT id, account_id, kind, folder_id, target_id, detail, state, tries, not_before, error FROM ops;
DROP TABLE ops;
ALTER TABLE ops_new RENAME TO ops;
CREATE INDEX ops_next ON ops(account_id, state, id);
CREATE INDEX ops_folder ON ops(folder_id);
CREATE INDEX ops_target ON ops(target_id);
CREATE INDEX ops_after ON ops(after_id) WHERE after_id IS NOT NULL;
CREATE INDEX ops_from ON ops(from_id) WHERE from_id IS NOT NULL;
CREATE INDEX pop_seen_gone ON pop_seen(account_id, head_hash) WHERE message_id IS NULL;

ALTER TABLE messages ADD COLUMN former_id INTEGER;                      -- its row in the account that it came from,
ALTER TABLE messages ADD COLUMN former_account INTEGER;                 -- which it gets again when it goes back there
ALTER TABLE messages ADD COLUMN internal INTEGER NOT NULL DEFAULT 0;    -- INTERNALDATE as the server told it; 0: it told none

ALTER TABLE accounts ADD COLUMN state TEXT NOT NULL DEFAULT '';         -- as last told by who syncs it: resting, offline, paused …
ALTER TABLE accounts ADD COLUMN trouble TEXT NOT NULL DEFAULT '';       -- why, in words, with the hint
ALTER TABLE accounts ADD COLUMN told_at INTEGER NOT NULL DEFAULT 0;     -- when that was told
ALTER TABLE accounts ADD COLUMN in_step_at INTEGER NOT NULL DEFAULT 0;  -- when all of it was last in step
ALTER TABLE accounts ADD COLUMN bytes_in INTEGER NOT NULL DEFAULT 0;    -- of mail received, ever
ALTER TABLE accounts ADD COLUMN bytes_out INTEGER NOT NULL DEFAULT 0;   -- of mail put on the server, ever
ALTER TABLE accounts ADD COLUMN worked INTEGER NOT NULL DEFAULT 0;      -- whether a sign-in ever worked (promise A7)
ALTER TABLE accounts ADD COLUMN refused BLOB NOT NULL DEFAULT x'';      -- a salted slow hash of the secret that was refused last
ALTER TABLE folders ADD COLUMN parked_at INTEGER NOT NULL DEFAULT 0;    -- since when its changes are held back

ALTER TABLE folders ADD COLUMN leaving INTEGER NOT NULL DEFAULT 0;      -- an op removes it on the server: not shown
CREATE INDEX ops_shape ON ops(account_id, id) WHERE kind IN ('mkdir', 'rmdir', 'rename', 'subscribe');

CREATE INDEX pop_seen_want ON pop_seen(account_id, want) WHERE want <> 'keep';
CREATE INDEX outbox_account ON outbox(account_id, state, id);

CREATE INDEX tags_name ON tags(name COLLATE NOCASE);                    -- servers do not tell the case of keywords apart
