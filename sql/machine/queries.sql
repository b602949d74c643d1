-- The machine's own statements, the same in every worker's database.

-- name: inbox_insert
-- The place in the given list of each message that was not seen before.
WITH given AS (
	SELECT * FROM unnest($2::uuid[], $3::bytea[]) WITH ORDINALITY AS g (message_id, body_sha256, place)
), fresh AS (
	INSERT INTO inbox (consumer, message_id, body_sha256)
	SELECT $1::text, message_id, body_sha256 FROM given ORDER BY message_id
	ON CONFLICT DO NOTHING
	RETURNING message_id
)
SELECT place FROM fresh JOIN given USING (message_id);

-- name: inbox_seen
SELECT message_id, body_sha256 FROM inbox WHERE consumer = $1::text AND message_id = ANY ($2::uuid[]);

-- name: inbox_delete
DELETE FROM inbox WHERE consumer = $1::text AND message_id = ANY ($2::uuid[]);

-- name: inbox_prune
-- At most 1000 rows a run; tells how many.
WITH gone AS (
	DELETE FROM inbox
	WHERE (message_id, consumer) IN (
		SELECT message_id, consumer FROM inbox WHERE received_at < now() - interval '30 days' LIMIT 1000)
	RETURNING 1
)
SELECT count(*) FROM gone;

-- name: attempt_start
-- No row: the message is in the inbox already.
INSERT INTO attempt (consumer, message_id, attempts)
SELECT $1::text, $2::uuid, 1
WHERE NOT EXISTS (SELECT FROM inbox WHERE message_id = $2::uuid AND consumer = $1::text)
ON CONFLICT (message_id, consumer) DO UPDATE SET attempts = attempt.attempts + 1, started_at = now()
RETURNING attempts;

-- name: attempt_delete
DELETE FROM attempt WHERE consumer = $1::text AND message_id = $2::uuid;

-- name: attempt_prune
WITH gone AS (
	DELETE FROM attempt
	WHERE (message_id, consumer) IN (
		SELECT message_id, consumer FROM attempt WHERE started_at < now() - interval '30 days' LIMIT 1000)
	RETURNING 1
)
SELECT count(*) FROM gone;

-- name: outbox_insert
INSERT INTO outbox (cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id, traceparent,
	schema_version, version, body, created_at)
SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[],
	$10::bigint[], $11::bigint[], $12::text[], $13::timestamptz[])
ON CONFLICT (cause_id, ordinal) DO NOTHING;

-- name: outbox_stored
SELECT cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id, traceparent, schema_version,
	version, body, created_at
FROM outbox WHERE cause_id = ANY ($1::uuid[]) AND exchange IS NOT NULL ORDER BY cause_id, ordinal;

-- name: outbox_mark_sent
-- Without a condition on sent_at: it would lead the planner to the partial index, whose dead entries pile up.
UPDATE outbox SET sent_at = now()
FROM unnest($1::uuid[], $2::bigint[]) AS m (cause_id, ordinal)
WHERE outbox.cause_id = m.cause_id AND outbox.ordinal = m.ordinal;

-- name: outbox_claim_events
-- What stayed unsent for $1 milliseconds. The next try doubles its distance, up to ten minutes.
WITH due AS (
	SELECT cause_id, ordinal FROM outbox
	WHERE sent_at IS NULL AND exchange IS NOT NULL AND created_at < now() - $1::bigint * interval '1 millisecond'
		AND (next_try_at IS NULL OR next_try_at <= now())
	ORDER BY created_at LIMIT 128 FOR UPDATE SKIP LOCKED
)
UPDATE outbox
SET attempts = attempts + 1,
	next_try_at = now() + least($1::bigint * interval '1 millisecond' * 2 ^ least(attempts, 16), interval '10 minutes')
FROM due WHERE outbox.cause_id = due.cause_id AND outbox.ordinal = due.ordinal
RETURNING outbox.cause_id, outbox.ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id, traceparent,
	schema_version, version, body, created_at;

-- name: outbox_claim_views
-- The same for views, few at a time: each is read again. Apart from the events, which must not wait behind what Redis missed.
WITH due AS (
	SELECT cause_id, ordinal FROM outbox
	WHERE sent_at IS NULL AND exchange IS NULL AND created_at < now() - $1::bigint * interval '1 millisecond'
		AND (next_try_at IS NULL OR next_try_at <= now())
	ORDER BY created_at LIMIT 32 FOR UPDATE SKIP LOCKED
)
UPDATE outbox
SET attempts = attempts + 1,
	next_try_at = now() + least($1::bigint * interval '1 millisecond' * 2 ^ least(attempts, 16), interval '10 minutes')
FROM due WHERE outbox.cause_id = due.cause_id AND outbox.ordinal = due.ordinal
RETURNING outbox.cause_id, outbox.ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id, traceparent,
	schema_version, version, body, created_at;

-- name: outbox_prune
WITH gone AS (
	DELETE FROM outbox
	WHERE (cause_id, ordinal) IN (
		SELECT cause_id, ordinal FROM outbox
		WHERE sent_at IS NOT NULL AND created_at < now() - interval '30 days' LIMIT 1000)
	RETURNING 1
)
SELECT count(*) FROM gone;

-- name: question_snapshot
-- An answer is of one moment, however many statements it takes.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: timer_lock
SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 0));

-- name: start_check
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'),
	coalesce((SELECT max(number) FROM schema_migration WHERE "set" = 'machine'), 0)::bigint,
	coalesce((SELECT max(number) FROM schema_migration WHERE "set" = $1::text), 0)::bigint;
