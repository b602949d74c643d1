-- The level of each shelf that people were last told of, kept with its counters, so that each alert is raised exactly once.

ALTER TABLE stock ADD COLUMN level text CHECK (level IN ('normal', 'low', 'critical'));
COMMENT ON COLUMN stock.level IS 'as last told; null: never full enough, and nothing was ever taken from it, so nobody was told anything';
