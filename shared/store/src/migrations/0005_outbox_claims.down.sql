DROP INDEX outbox_by_due;
ALTER TABLE outbox DROP COLUMN due_at;
