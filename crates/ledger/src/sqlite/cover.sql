-- Classes come in pairs: `open` is the variant for records that refer to what is not certain to be visible together with
-- them. An open variant has none itself.
ALTER TABLE class ADD COLUMN open INTEGER REFERENCES class(no);
CREATE UNIQUE INDEX class_open ON class(open) WHERE open IS NOT NULL;
-- 1: some record of the leaf may refer to others. Of leaves written before nothing is known. The index finds them without
-- reading past the blobs.
ALTER TABLE leaf ADD COLUMN refers INTEGER NOT NULL DEFAULT 1;
CREATE INDEX leaf_refers ON leaf(collection, first_seq) WHERE refers = 1;
