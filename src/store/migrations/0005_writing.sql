-- Writing and sending: what is known of a mail on its way out, and of the drafts that it came from.

ALTER TABLE outbox ADD COLUMN eight_bit INTEGER NOT NULL DEFAULT 0;     -- a byte of the mail is beyond ASCII
ALTER TABLE outbox ADD COLUMN files INTEGER NOT NULL DEFAULT 1;         -- a copy goes to Sent; 0: it is there, or the server files its own
ALTER TABLE outbox ADD COLUMN draft_id INTEGER REFERENCES drafts(id) ON DELETE SET NULL;  -- what it is taken back to
ALTER TABLE outbox_rcpts ADD COLUMN at_dot INTEGER NOT NULL DEFAULT 0;  -- 1: named in the try whose end was told, not answered yet
CREATE INDEX outbox_draft ON outbox(draft_id) WHERE draft_id IS NOT NULL;
