-- Full-text search that finds what the one of SQLite finds: words are runs of letters and digits of any script, in lower
-- case and without the marks on Latin, Greek and Cyrillic letters; nothing is left out and nothing is stemmed. They are
-- split here and not by a text search configuration, whose parser knows addresses, numbers and hyphens, and depends on
-- the locale of the database.
DO $make$
BEGIN
    -- A collation that knows the letters of all scripts, if the server has one: a database may be made with none.
    EXECUTE format($function$
        CREATE FUNCTION post_search_words(given text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
            SELECT COALESCE(array_agg(word), '{}') FROM (
                -- More than a megabyte of different words does not fit into an index entry.
                SELECT word, SUM(octet_length(word) + 1) OVER (ORDER BY word COLLATE "C") AS bytes FROM (
                    SELECT DISTINCT left(word, 100) AS word FROM regexp_split_to_table(
                        normalize(regexp_replace(
                            normalize(lower(given COLLATE %1$s), NFD), '[\u0300-\u036f]+', '', 'g'
                        ), NFC),
                        '[^[:alnum:]]+'
                    ) AS word WHERE word <> ''
                ) AS words
            ) AS counted WHERE bytes < 1000000
        $body$
    $function$, COALESCE(
        (SELECT quote_ident(collname) FROM pg_collation WHERE collname IN ('und-x-icu', 'pg_c_utf8')
         ORDER BY collname DESC LIMIT 1),
        '"default"'
    ));
END $make$;

-- All words must occur, and may go on.
CREATE FUNCTION post_search_query(typed text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
    SELECT string_agg(quote_literal(word) || ':*', ' & ')::tsquery FROM unnest(post_search_words(typed)) AS word
$body$;

CREATE TABLE post_search (
    post_id TEXT PRIMARY KEY NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    words   tsvector NOT NULL
);
CREATE INDEX post_search_by_word ON post_search USING gin (words);

CREATE FUNCTION post_search_keep() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO post_search (post_id, words)
    VALUES (new.id, array_to_tsvector(post_search_words(concat_ws(' ', new.title, new.markdown))))
    ON CONFLICT (post_id) DO UPDATE SET words = excluded.words;
    RETURN NULL;
END $body$;
CREATE TRIGGER post_search_insert AFTER INSERT ON posts
    FOR EACH ROW EXECUTE FUNCTION post_search_keep();
CREATE TRIGGER post_search_update AFTER UPDATE OF title, markdown ON posts
    FOR EACH ROW WHEN (old.title IS DISTINCT FROM new.title OR old.markdown IS DISTINCT FROM new.markdown)
    EXECUTE FUNCTION post_search_keep();

INSERT INTO post_search (post_id, words)
    SELECT id, array_to_tsvector(post_search_words(concat_ws(' ', title, markdown))) FROM posts;
