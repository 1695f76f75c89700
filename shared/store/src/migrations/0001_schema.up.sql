-- The first schema. Only BIGINT and TEXT, so that SQLite and PostgreSQL read it alike: times are microseconds since 1970
-- in UTC, ids are UUIDs, hashes are hexadecimal, lists and maps are JSON, flags are 0 or 1.

-- Numbers that must become visible in the order in which they were taken: the row stays locked until the commit, which
-- no sequence does.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY NOT NULL,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('change', 0), ('build_event', 0), ('outbox', 0), ('audit', 0);

CREATE TABLE site_state (
    id               BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    pinned_release   BIGINT,
    setup_token_hash TEXT
);
INSERT INTO site_state (id) VALUES (1);

CREATE TABLE users (
    id            TEXT PRIMARY KEY NOT NULL,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL CONSTRAINT users_name_key UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    disabled      BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE sessions (
    token_hash   TEXT PRIMARY KEY NOT NULL,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf_secret  TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE tokens (
    id           TEXT PRIMARY KEY NOT NULL,
    token_hash   TEXT NOT NULL CONSTRAINT tokens_hash_key UNIQUE,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX tokens_of_user ON tokens (user_id);

-- Long texts come last: SQLite reads a row from its front, and lists need only the front.
CREATE TABLE posts (
    id               TEXT PRIMARY KEY NOT NULL,
    status           TEXT NOT NULL,
    published_at     BIGINT,
    updated_at       BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    version          BIGINT NOT NULL,
    -- When readers could last notice a change; missing while they never could.
    change_seq       BIGINT,
    owner_id         TEXT REFERENCES users (id) ON DELETE SET NULL,
    kind             TEXT NOT NULL,
    slug             TEXT NOT NULL,
    title            TEXT,
    tags             TEXT NOT NULL,
    permalink        TEXT,
    image            TEXT,
    description      TEXT,
    authors          TEXT NOT NULL,
    aliases          TEXT NOT NULL,
    set_aside_reason TEXT,
    extra            TEXT NOT NULL,
    markdown         TEXT NOT NULL
);
CREATE INDEX posts_by_update ON posts (updated_at, id);
CREATE INDEX posts_by_publication ON posts (published_at, id);
CREATE INDEX posts_by_status_and_update ON posts (status, updated_at, id);
CREATE INDEX posts_by_status_and_publication ON posts (status, published_at, id);
CREATE INDEX posts_by_status_and_id ON posts (status, id);
CREATE INDEX posts_by_slug ON posts (slug);
CREATE INDEX posts_by_change ON posts (change_seq);

-- Repeats the dates of the post, so that the posts of a tag come out in order without sorting all of them.
CREATE TABLE post_tags (
    tag          TEXT NOT NULL,
    post_id      TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    updated_at   BIGINT NOT NULL,
    published_at BIGINT,
    PRIMARY KEY (tag, post_id)
);
CREATE INDEX post_tags_by_update ON post_tags (tag, updated_at, post_id);
CREATE INDEX post_tags_by_publication ON post_tags (tag, published_at, post_id);
CREATE INDEX post_tags_of_post ON post_tags (post_id);

CREATE TABLE revisions (
    post_id     TEXT NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    number      BIGINT NOT NULL,
    saved_at    BIGINT NOT NULL,
    saved_by    TEXT REFERENCES users (id) ON DELETE SET NULL,
    is_conflict BIGINT NOT NULL DEFAULT 0,
    content     TEXT NOT NULL,
    PRIMARY KEY (post_id, number)
);

CREATE TABLE media (
    id           TEXT PRIMARY KEY NOT NULL,
    hash         TEXT NOT NULL,
    name         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size         BIGINT NOT NULL,
    width        BIGINT,
    height       BIGINT,
    uploaded_by  TEXT REFERENCES users (id) ON DELETE SET NULL,
    created_at   BIGINT NOT NULL,
    deleted_at   BIGINT,
    change_seq   BIGINT NOT NULL
);
CREATE UNIQUE INDEX media_one_of_a_name ON media (hash, name) WHERE deleted_at IS NULL;
CREATE INDEX media_by_change ON media (change_seq);

CREATE TABLE settings (
    id         BIGINT PRIMARY KEY NOT NULL CHECK (id = 1),
    settings   TEXT NOT NULL,
    version    BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    change_seq BIGINT NOT NULL
);

CREATE TABLE builds (
    id               TEXT PRIMARY KEY NOT NULL,
    state            TEXT NOT NULL,
    mode             TEXT NOT NULL,
    requested_at     BIGINT NOT NULL,
    requested_by     TEXT REFERENCES users (id) ON DELETE SET NULL,
    request_id       TEXT,
    traceparent      TEXT,
    run_after        BIGINT NOT NULL,
    attempt          BIGINT NOT NULL DEFAULT 0,
    lease_number     BIGINT NOT NULL DEFAULT 0,
    lease_until      BIGINT,
    worker           TEXT,
    cancel_requested BIGINT NOT NULL DEFAULT 0,
    started_at       BIGINT,
    finished_at      BIGINT,
    release_id       BIGINT,
    error            TEXT,
    pages_rendered   BIGINT NOT NULL DEFAULT 0,
    pages_reused     BIGINT NOT NULL DEFAULT 0,
    pages_total      BIGINT NOT NULL DEFAULT 0
);
-- The whole of coalescing rests on these two.
CREATE UNIQUE INDEX builds_one_waiting ON builds (state) WHERE state = 'waiting';
CREATE UNIQUE INDEX builds_one_running ON builds (state) WHERE state = 'running';
CREATE INDEX builds_by_state ON builds (state, finished_at);

CREATE TABLE build_events (
    id       BIGINT PRIMARY KEY NOT NULL,
    build_id TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    at       BIGINT NOT NULL,
    step     TEXT NOT NULL
);
CREATE INDEX build_events_of_build ON build_events (build_id, id);

CREATE TABLE releases (
    id             BIGINT PRIMARY KEY NOT NULL,
    build_id       TEXT REFERENCES builds (id) ON DELETE SET NULL,
    activated_at   BIGINT NOT NULL,
    pages          BIGINT NOT NULL,
    rolled_back_to BIGINT
);

CREATE TABLE outbox (
    id           BIGINT PRIMARY KEY NOT NULL,
    build_id     TEXT NOT NULL REFERENCES builds (id) ON DELETE CASCADE,
    request_id   TEXT,
    traceparent  TEXT,
    created_at   BIGINT NOT NULL,
    available_at BIGINT NOT NULL,
    attempts     BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX outbox_by_availability ON outbox (available_at, id);

CREATE TABLE audit (
    id         BIGINT PRIMARY KEY NOT NULL,
    at         BIGINT NOT NULL,
    user_id    TEXT REFERENCES users (id) ON DELETE SET NULL,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    ip         TEXT,
    request_id TEXT,
    detail     TEXT NOT NULL
);

CREATE TABLE idempotency_keys (
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    status       BIGINT NOT NULL,
    headers      TEXT NOT NULL,
    body         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (user_id, idempotency_key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
