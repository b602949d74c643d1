-- The notification worker's statements. Integers come as bigint; lists as one array per column, in the same order.

-- name: bank_lock
-- In the order of the keys. Of banks that nothing is known of, too: whoever hears of one second, waits.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended('bank ' || id, 0) AS key FROM unnest($1::text[]) AS id ORDER BY key) AS keys;

-- name: notification_load
SELECT notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at, delivered_at,
	acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref
FROM notification WHERE notification_id = ANY ($1::uuid[]) ORDER BY notification_id FOR UPDATE;

-- name: notification_add
-- The places behind the last one, in the order given. The row of the list stays locked until the commit.
WITH taken AS (
	UPDATE list SET last_position = last_position + cardinality($1::uuid[]) WHERE is_only
	RETURNING last_position - cardinality($1::uuid[]) AS last_before
), touched AS (
	INSERT INTO notification (position, notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at,
		delivered_at, acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref)
	SELECT last_before + place, notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at,
		delivered_at, acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref
	FROM taken, unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[], $7::text[], $8::text[],
		$9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::text[], $13::timestamptz[], $14::text[], $15::text[],
		$16::text[])
		WITH ORDINALITY AS new (notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at,
			delivered_at, acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref, place)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: notification_change
WITH touched AS (
	UPDATE notification AS old SET delivered_at = new.delivered_at, acknowledged_at = new.acknowledged_at,
		acknowledged_by = new.acknowledged_by, escalate_at = new.escalate_at
	FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::text[], $5::timestamptz[])
		AS new (notification_id, delivered_at, acknowledged_at, acknowledged_by, escalate_at)
	WHERE old.notification_id = new.notification_id
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: notification_page
SELECT notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at, delivered_at,
	acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref, position
FROM notification WHERE facility_id = $4::text AND position > $1::bigint AND ($3::text IS NULL OR role = $3)
ORDER BY facility_id, position LIMIT $2::bigint;

-- name: notification_page_of_all
SELECT notification_id, facility_id, role, kind, is_emergency, entity, transition, text, created_at, delivered_at,
	acknowledged_at, acknowledged_by, escalate_at, correlation_id, traceparent, recipient_ref, position
FROM notification WHERE position > $1::bigint AND ($3::text IS NULL OR role = $3)
ORDER BY position LIMIT $2::bigint;

-- name: escalation_due
SELECT notification_id, facility_id FROM notification
WHERE escalate_at IS NOT NULL AND escalate_at <= $1::timestamptz
ORDER BY escalate_at, notification_id LIMIT $2::bigint;

-- name: notification_prune
-- Of the 1000 oldest, those that are too old; tells how many. What is pending stays: its creation is still on its way.
WITH gone AS (
	DELETE FROM notification
	WHERE notification_id IN (
		SELECT notification_id
		FROM (SELECT notification_id, created_at, delivered_at FROM notification ORDER BY position LIMIT 1000) AS oldest
		WHERE created_at < $1::timestamptz AND delivered_at IS NOT NULL)
	RETURNING 1
)
SELECT count(*) FROM gone;

-- name: shelf_load
SELECT bank_id, component, blood_group, available, version, is_waiting
FROM shelf JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (bank_id, component, blood_group)
	USING (bank_id, component, blood_group);

-- name: shelf_waiting
SELECT bank_id, component, blood_group, available, version
FROM shelf WHERE bank_id = ANY ($1::text[]) AND is_waiting;

-- name: shelf_put
WITH touched AS (
	INSERT INTO shelf (bank_id, component, blood_group, available, version, is_waiting)
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::boolean[])
	ON CONFLICT (bank_id, component, blood_group)
	DO UPDATE SET available = EXCLUDED.available, version = EXCLUDED.version, is_waiting = EXCLUDED.is_waiting
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: window_load
SELECT bank_id, opened_at FROM digest_window WHERE bank_id = ANY ($1::text[]);

-- name: window_due
SELECT bank_id FROM digest_window WHERE opened_at <= $1::timestamptz ORDER BY opened_at, bank_id LIMIT $2::bigint;

-- name: window_open
WITH touched AS (
	INSERT INTO digest_window (bank_id, opened_at) SELECT * FROM unnest($1::text[], $2::timestamptz[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: window_close
WITH touched AS (
	DELETE FROM digest_window WHERE bank_id = ANY ($1::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;
