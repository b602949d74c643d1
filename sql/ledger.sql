-- The ledger of applied migrations, the first thing in every database. A worker compares it with what it was built for.
CREATE TABLE IF NOT EXISTS schema_migration (
	set text NOT NULL,
	number int NOT NULL,
	name text NOT NULL,
	checksum text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (set, number)
);
GRANT USAGE ON SCHEMA public TO :"role";
GRANT SELECT ON schema_migration TO :"role";
