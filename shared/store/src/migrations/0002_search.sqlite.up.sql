-- Full-text search. The index needs whole numbers as keys, and a table's implicit ones may change when the file is
-- compacted: hence the table of keys.
CREATE TABLE post_search_keys (
    number  INTEGER PRIMARY KEY,
    post_id TEXT NOT NULL UNIQUE REFERENCES posts (id) ON DELETE CASCADE
);
-- The words only; the text itself is in posts.
CREATE VIRTUAL TABLE post_search USING fts5 (
    title, markdown,
    content = '', contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
CREATE TRIGGER post_search_insert AFTER INSERT ON posts BEGIN
    INSERT INTO post_search_keys (post_id) VALUES (new.id);
    INSERT INTO post_search (rowid, title, markdown)
        SELECT number, new.title, new.markdown FROM post_search_keys WHERE post_id = new.id;
END;
CREATE TRIGGER post_search_update AFTER UPDATE OF title, markdown ON posts
WHEN old.title IS NOT new.title OR old.markdown IS NOT new.markdown BEGIN
    INSERT OR REPLACE INTO post_search (rowid, title, markdown)
        SELECT number, new.title, new.markdown FROM post_search_keys WHERE post_id = new.id;
END;
CREATE TRIGGER post_search_delete BEFORE DELETE ON posts BEGIN
    DELETE FROM post_search WHERE rowid = (SELECT number FROM post_search_keys WHERE post_id = old.id);
END;
INSERT INTO post_search_keys (post_id) SELECT id FROM posts ORDER BY id;
INSERT INTO post_search (rowid, title, markdown)
    SELECT k.number, p.title, p.markdown FROM post_search_keys k JOIN posts p ON p.id = k.post_id;
