-- Grows with whatever changes what a salon offers, when and by whom: what a node keeps in memory of it
-- is good only at this version.
ALTER TABLE companies ADD COLUMN catalogue_version BIGINT NOT NULL DEFAULT 0;
