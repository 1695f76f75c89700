-- How often a try of the build ended without a word: its process died, or its thread never came back.
ALTER TABLE builds ADD COLUMN crashes BIGINT NOT NULL DEFAULT 0;
