DROP TABLE image_variants;
DROP TABLE image_work;
