-- Composing, and conversations that are joined and split by hand.

ALTER TABLE messages ADD COLUMN kin BLOB;                          -- References in short, 8 bytes each, the first and the last eleven; NULL: stored before this
ALTER TABLE threads ADD COLUMN edited INTEGER NOT NULL DEFAULT 0;  -- 1: which mails are in it is told by all of them and thread_edits together
CREATE INDEX thread_edits_hand ON thread_edits(account_id) WHERE kind <> 'mute';
