-- Labels: accounts whose server has one mail in many folders, and what else this version keeps of servers.

ALTER TABLE accounts ADD COLUMN labels INTEGER NOT NULL DEFAULT 0;      -- its folders are labels (X-GM-EXT-1), as told at the last sign-in
