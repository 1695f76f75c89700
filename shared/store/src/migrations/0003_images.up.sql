-- Pictures by the hash of their bytes, as far as variants of them were made.
CREATE TABLE image_work (
    hash       TEXT PRIMARY KEY NOT NULL,
    -- waiting, done, set_aside
    state      TEXT NOT NULL,
    attempts   BIGINT NOT NULL,
    -- When it may be tried: a claim moves this to the end of its lease.
    run_after  BIGINT NOT NULL,
    claimed_by TEXT,
    -- Why it was set aside.
    reason     TEXT
);
CREATE INDEX image_work_waiting ON image_work (run_after) WHERE state = 'waiting';

CREATE TABLE image_variants (
    original TEXT NOT NULL REFERENCES image_work (hash) ON DELETE CASCADE,
    width    BIGINT NOT NULL,
    height   BIGINT NOT NULL,
    hash     TEXT NOT NULL,
    size     BIGINT NOT NULL,
    PRIMARY KEY (original, width)
);

INSERT INTO image_work (hash, state, attempts, run_after)
    SELECT DISTINCT hash, 'waiting', 0, 0 FROM media
    WHERE deleted_at IS NULL AND content_type IN ('image/jpeg', 'image/png', 'image/webp');
