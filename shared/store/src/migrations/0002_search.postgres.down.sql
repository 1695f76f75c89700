DROP TRIGGER post_search_update ON posts;
DROP TRIGGER post_search_insert ON posts;
DROP FUNCTION post_search_keep;
DROP TABLE post_search;
DROP FUNCTION post_search_query;
DROP FUNCTION post_search_words;
