-- A claim moves available_at ahead; since when a message waits must not be forgotten by that.
ALTER TABLE outbox ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;
UPDATE outbox SET due_at = available_at;
-- Whoever probes asks for the oldest.
CREATE INDEX outbox_by_due ON outbox (due_at);
