-- When each client's allowance of a kind will be full again. Counted anew after a crash: unlogged, so that counting costs
-- no write to the disk.
CREATE UNLOGGED TABLE rate_limits (
    kind    TEXT NOT NULL,
    client  TEXT NOT NULL,
    full_at BIGINT NOT NULL,
    PRIMARY KEY (kind, client)
);
