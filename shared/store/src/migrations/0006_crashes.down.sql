ALTER TABLE builds DROP COLUMN crashes;
