DROP TRIGGER post_search_delete;
DROP TRIGGER post_search_update;
DROP TRIGGER post_search_insert;
DROP TABLE post_search;
DROP TABLE post_search_keys;
