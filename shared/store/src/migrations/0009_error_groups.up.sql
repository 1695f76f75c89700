-- Errors, each once by what it is and where it happens.
CREATE TABLE error_groups (
    id              TEXT PRIMARY KEY NOT NULL,
    code            TEXT NOT NULL,
    place           TEXT NOT NULL,
    -- What it said when it last happened.
    message         TEXT NOT NULL,
    occurrences     BIGINT NOT NULL,
    first_seen_at   BIGINT NOT NULL,
    last_seen_at    BIGINT NOT NULL,
    request_id      TEXT,
    -- Missing while nobody has taken note of it since it last happened.
    acknowledged_at BIGINT,
    acknowledged_by TEXT REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT error_groups_key UNIQUE (code, place)
);
CREATE INDEX error_groups_by_last ON error_groups (last_seen_at, id);
