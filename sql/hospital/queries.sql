-- The hospital worker's statements. Integers come as bigint; lists as one array per column, in the same order.

-- name: request_lock
-- Of requests that do not exist yet, too: whoever hears of one second, waits. In the order of the keys.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key FROM unnest($1::uuid[]) AS id ORDER BY key) AS keys;

-- name: hospital_known
SELECT hospital_id FROM hospital WHERE hospital_id = ANY ($1::text[]) ORDER BY hospital_id;

-- name: request_load
SELECT request_id, version, status, content, order_id, hospital_id, component, blood_group, urgency, quantity, needed_at,
	requested_at, is_scheduled, reason, detail, rejected_at, correlation_id, traceparent
FROM request WHERE request_id = ANY ($1::uuid[]);

-- name: allocation_load
SELECT request_id, allocation_no, decision, quantity_requested, backordered, rules_version, decided_at
FROM allocation WHERE request_id = ANY ($1::uuid[]) ORDER BY request_id, allocation_no;

-- name: unit_load
SELECT request_id, allocation_no, unit_id, bank_id, component, blood_group, expires_at, reserved_until, match_status
FROM request_unit WHERE request_id = ANY ($1::uuid[]) ORDER BY request_id, allocation_no, ordinal;

-- name: warning_load
SELECT request_id, allocation_no, code, detail
FROM request_warning WHERE request_id = ANY ($1::uuid[]) ORDER BY request_id, allocation_no, ordinal;

-- name: release_load
SELECT request_id, unit_id, released_at, reason, backordered
FROM unit_release WHERE request_id = ANY ($1::uuid[]) ORDER BY request_id, released_at, unit_id;

-- name: cancellation_load
SELECT request_id, version, reason, cancelled_by, cancelled_at, hospital_id, urgency
FROM cancellation WHERE request_id = ANY ($1::uuid[]);

-- name: request_add
WITH touched AS (
	INSERT INTO request (request_id, version, status, content, order_id, hospital_id, component, blood_group, urgency, quantity,
		needed_at, requested_at, is_scheduled, reason, detail, rejected_at, correlation_id, traceparent, listed_at)
	SELECT new.*, coalesce(new.requested_at, now())
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
		$9::text[], $10::bigint[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[],
		$16::timestamptz[], $17::text[], $18::text[])
		AS new (request_id, version, status, content, order_id, hospital_id, component, blood_group, urgency, quantity, needed_at,
			requested_at, is_scheduled, reason, detail, rejected_at, correlation_id, traceparent)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: request_change
-- Touches a row for each element, or somebody else changed a request that was locked.
WITH touched AS (
	UPDATE request AS old SET version = new.version, status = new.status, content = new.content, order_id = new.order_id,
		hospital_id = new.hospital_id, component = new.component, blood_group = new.blood_group, urgency = new.urgency,
		quantity = new.quantity, needed_at = new.needed_at, requested_at = new.requested_at, is_scheduled = new.is_scheduled,
		reason = new.reason, detail = new.detail, rejected_at = new.rejected_at
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::bigint[], $11::timestamptz[], $12::timestamptz[], $13::boolean[], $14::text[], $15::text[], $16::timestamptz[])
		AS new (request_id, version, status, content, order_id, hospital_id, component, blood_group, urgency, quantity, needed_at,
			requested_at, is_scheduled, reason, detail, rejected_at)
	WHERE old.request_id = new.request_id AND old.version < new.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: allocation_add
WITH touched AS (
	INSERT INTO allocation (request_id, allocation_no, decision, quantity_requested, backordered, rules_version, decided_at)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: unit_add
WITH touched AS (
	INSERT INTO request_unit (request_id, allocation_no, ordinal, unit_id, bank_id, component, blood_group, expires_at,
		reserved_until, match_status)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
		$8::timestamptz[], $9::timestamptz[], $10::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: warning_add
WITH touched AS (
	INSERT INTO request_warning (request_id, allocation_no, ordinal, code, detail)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: release_add
WITH touched AS (
	INSERT INTO unit_release (request_id, unit_id, released_at, reason, backordered)
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::bigint[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: cancellation_add
WITH touched AS (
	INSERT INTO cancellation (request_id, version, reason, cancelled_by, cancelled_at, hospital_id, urgency)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- Questions. Pages of requests, newest first, behind a cursor of time and id: of each status the newest, and of these the newest.

-- name: request_page
SELECT found.request_id, found.listed_at
FROM unnest($1::text[]) AS wanted (status)
CROSS JOIN LATERAL (
	SELECT r.request_id, r.listed_at
	FROM request r
	WHERE r.status = wanted.status AND (r.listed_at, r.request_id) < ($2::timestamptz, $3::uuid)
	ORDER BY r.listed_at DESC, r.request_id DESC
	LIMIT $4::bigint) AS found
ORDER BY found.listed_at DESC, found.request_id DESC
LIMIT $4::bigint;

-- name: request_page_of_hospital
SELECT found.request_id, found.listed_at
FROM unnest($1::text[]) AS wanted (status)
CROSS JOIN LATERAL (
	SELECT r.request_id, r.listed_at
	FROM request r
	WHERE r.hospital_id = $5::text AND r.status = wanted.status
		AND (r.listed_at, r.request_id) < ($2::timestamptz, $3::uuid)
	ORDER BY r.listed_at DESC, r.request_id DESC
	LIMIT $4::bigint) AS found
ORDER BY found.listed_at DESC, found.request_id DESC
LIMIT $4::bigint;

-- name: stock_answer
SELECT hospital_id, component, blood_group, on_hand, version
FROM hospital_stock WHERE hospital_id = $1::text ORDER BY component, blood_group;
