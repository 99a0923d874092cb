-- Servers in full: accounts that the configuration does not name any more, folders that a server names for good.

ALTER TABLE accounts ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;      -- the configuration does not name it: not synced, not among
                                                                        -- the mail of all accounts; 2: the user said to leave it so
ALTER TABLE folders ADD COLUMN object_id TEXT NOT NULL DEFAULT '';      -- MAILBOXID (RFC 8474), which outlives a rename
