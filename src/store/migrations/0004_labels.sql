-- Labels: accounts whose server has one mail in many folders, and what else this version keeps of servers.

ALTER TABLE accounts ADD COLUMN labels INTEGER NOT NULL DEFAULT 0;      -- its folders are labels (X-GM-EXT-1), as told at the last sign-in
ALTER TABLE pop_seen ADD COLUMN cleanup INTEGER NOT NULL DEFAULT 0;     -- 1: the user wants it to go from the server and stay here (P14)
CREATE INDEX pop_seen_cleanup ON pop_seen(account_id, want) WHERE cleanup = 1;
ALTER TABLE accounts ADD COLUMN server TEXT NOT NULL DEFAULT '';        -- what the server says it is (ID, RFC 2971)
ALTER TABLE accounts ADD COLUMN quota_used INTEGER;                     -- bytes in use there (QUOTA, RFC 9208); NULL: it does not say
ALTER TABLE accounts ADD COLUMN quota_limit INTEGER;                    -- bytes there are
