ALTER TABLE image_work DROP COLUMN edition;
