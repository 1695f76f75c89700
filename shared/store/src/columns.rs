//! The columns of each table, as rows are read.
//!
//! They are named, rather than asked for as `*`: a newer program that serves the same site adds columns to a schema that
//! this one has in use, and PostgreSQL refuses a prepared statement whose answer got another form.

/// The columns of a table, with commas between them.
macro_rules! columns_of {
    (alerts) => {
        "id, fingerprint, starts_at, ends_at, heard_at, name, severity, labels, annotations"
    };
    (audit) => {
        "id, at, user_id, action, subject, ip, request_id, detail"
    };
    (build_events) => {
        "id, build_id, at, step"
    };
    (builds) => {
        "id, state, mode, requested_at, requested_by, request_id, traceparent, run_after, attempt, lease_number, \
         lease_until, worker, cancel_requested, started_at, finished_at, release_id, error, pages_rendered, \
         pages_reused, pages_total, crashes"
    };
    (error_groups) => {
        "id, code, place, message, occurrences, first_seen_at, last_seen_at, request_id, acknowledged_at, \
         acknowledged_by"
    };
    (idempotency_keys) => {
        "request_hash, status, headers, body"
    };
    (image_variants) => {
        "original, width, height, hash, size"
    };
    (media) => {
        "id, hash, name, content_type, size, width, height, uploaded_by, created_at, deleted_at, change_seq"
    };
    (outbox) => {
        "id, build_id, request_id, traceparent, created_at, due_at, available_at, attempts"
    };
    (posts) => {
        "id, status, published_at, updated_at, created_at, version, change_seq, owner_id, kind, slug, title, tags, \
         permalink, image, description, authors, aliases, set_aside_reason, extra, markdown"
    };
    (releases) => {
        "id, build_id, activated_at, pages, rolled_back_to"
    };
    (revisions) => {
        "post_id, number, saved_at, saved_by, is_conflict, content"
    };
    (settings) => {
        "settings, version, updated_at, change_seq"
    };
    (tokens) => {
        "id, user_id, name, scopes, created_at, last_used_at, expires_at, revoked_at"
    };
    (users) => {
        "id, name, password_hash, role, created_at, disabled"
    };
}
