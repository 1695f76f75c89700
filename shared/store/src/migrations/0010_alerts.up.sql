-- Alerts as Alertmanager tells of them: a row for each time that one fired.
CREATE TABLE alerts (
    id          TEXT PRIMARY KEY NOT NULL,
    fingerprint TEXT NOT NULL,
    starts_at   BIGINT NOT NULL,
    -- Missing while it fires.
    ends_at     BIGINT,
    heard_at    BIGINT NOT NULL,
    name        TEXT NOT NULL,
    severity    TEXT NOT NULL,
    labels      TEXT NOT NULL,
    annotations TEXT NOT NULL,
    CONSTRAINT alerts_key UNIQUE (fingerprint, starts_at)
);
CREATE INDEX alerts_by_start ON alerts (starts_at, id);
CREATE INDEX alerts_firing ON alerts (severity, name) WHERE ends_at IS NULL;
CREATE INDEX alerts_by_name ON alerts (name, heard_at);
