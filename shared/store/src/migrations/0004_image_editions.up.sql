-- The edition of the maker that tried a picture last: a newer one tries again what was set aside.
ALTER TABLE image_work ADD COLUMN edition BIGINT NOT NULL DEFAULT 0;
