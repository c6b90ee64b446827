-- Whoever came to a group that gives newcomers nothing of what was there before sees by it what has this number or a later
-- one; NULL: everything.
ALTER TABLE circle_member ADD COLUMN since INTEGER;
