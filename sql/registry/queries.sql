-- The registry of caches (lib/coherence.h): the table `cache` of the database whose lists are cached. Places in the log are counted in
-- bytes.

-- name: cache_enter
-- A row in place of the one that its name left. None: there are too many already, of which a writer has to wait for each.
WITH gone AS (DELETE FROM cache WHERE incarnation = $2::bigint AND name = $1::text)
INSERT INTO cache (name) SELECT $1::text WHERE (SELECT count(*) FROM cache) < 200
RETURNING incarnation;

-- name: cache_begin
-- After the row was committed: the place from which on everyone sees it, and the timeline that the places are of. The commit of this
-- statement lifts the flushed log above that place, which an idle database would not do.
UPDATE cache SET generation = pg_current_wal_insert_lsn() - '0/0'::pg_lsn WHERE incarnation = $1::bigint AND NOT is_fenced
RETURNING generation, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);

-- name: cache_renew
SELECT 1::bigint FROM cache WHERE incarnation = $1::bigint AND name = $2::text AND NOT is_fenced;

-- name: cache_give_up
DELETE FROM cache WHERE incarnation = $1::bigint AND name = $2::text;

-- name: cache_fence
UPDATE cache SET is_fenced = true WHERE incarnation = ANY ($1::bigint[]);

-- name: cache_remove
DELETE FROM cache WHERE incarnation = ANY ($1::bigint[]);

-- A writer's statements, in its transaction, behind its locks.

-- name: cache_place
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;

-- name: cache_registry
-- One more than a writer waits for.
SELECT incarnation, name, is_fenced FROM cache ORDER BY incarnation LIMIT 257;
