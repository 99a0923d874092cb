-- Servers in full: accounts that the configuration does not name any more, folders that a server names for good.

ALTER TABLE accounts ADD COLUMN parked INTEGER NOT NULL DEFAULT 0;      -- the configuration does not name it: not synced, not among
                                                                        -- the mail of all accounts; 2: the user said to leave it so
ALTER TABLE folders ADD COLUMN object_id TEXT NOT NULL DEFAULT '';      -- MAILBOXID (RFC 8474), which outlives a rename

CREATE TABLE maildrops (                       -- POP3: what was on the server when it was listed last (promise P14)
  account_id INTEGER PRIMARY KEY REFERENCES accounts(id) ON DELETE CASCADE,
  at INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
  then_at INTEGER NOT NULL, then_bytes INTEGER NOT NULL,   -- the same about a week before, for the growth
  login_delay INTEGER NOT NULL DEFAULT 0,      -- seconds between two sign-ins that the server asks for
  stays INTEGER,                               -- days that the account leaves mail there; NULL: for ever
  expires INTEGER                              -- days after which it deletes mail; NULL: it does not, or does not say
) STRICT;

CREATE TABLE pop_renamed (                     -- P7: mail that is here, listed under a new name: waits for the user's word
  account_id INTEGER NOT NULL REFERENCES accounts(id) ON DELETE CASCADE,
  uidl TEXT NOT NULL,                          -- the new name
  was TEXT NOT NULL, dup INTEGER NOT NULL,     -- its row in pop_seen
  PRIMARY KEY (account_id, uidl)
) STRICT, WITHOUT ROWID;
