-- The statements of the bare loop.

-- name: bare_lock
SELECT 1::bigint
FROM shelf
WHERE component = 'red_cells' AND bank_id = ANY ($1::text[])
ORDER BY bank_id
FOR UPDATE;

-- name: bare_inbox
WITH given AS (
	SELECT * FROM unnest($1::uuid[], $2::bytea[]) WITH ORDINALITY g (message_id, body_sha256, place)
), fresh AS (
	INSERT INTO inbox (consumer, message_id, body_sha256)
	SELECT 'bloodbank', message_id, body_sha256 FROM given ORDER BY message_id
	ON CONFLICT DO NOTHING
	RETURNING message_id
)
SELECT place FROM fresh JOIN given USING (message_id);

-- name: bare_bins
SELECT a.place, s.available::bigint, s.reserved::bigint, s.version, b.available::bigint,
	s.expiring + (
		SELECT count(*)
		FROM unit u
		WHERE u.status = 'available' AND u.bank_id = a.bank_id AND u.component = 'red_cells'
			AND u.blood_group = a.blood_group AND u.expires_at > s.expiring_until AND u.expires_at <= $3::timestamptz)
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY a (bank_id, blood_group, place)
JOIN stock s ON s.bank_id = a.bank_id AND s.component = 'red_cells' AND s.blood_group = a.blood_group
JOIN bin b ON b.bank_id = a.bank_id AND b.component = 'red_cells' AND b.blood_group = a.blood_group AND b.profile = 0;

-- name: bare_units
SELECT a.place, u.unit_id, u.expires_at
FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY a (bank_id, blood_group, asked, place)
CROSS JOIN LATERAL (
	SELECT unit_id, expires_at
	FROM unit u
	WHERE u.status = 'available' AND u.designated_for IS NULL AND u.bank_id = a.bank_id AND u.component = 'red_cells'
		AND u.blood_group = a.blood_group AND u.profile = 0
	ORDER BY u.expires_at, u.unit_id
	LIMIT a.asked) u;

-- name: bare_requests
INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, quantity_allocated, status,
	allocation_no, version, received_at, correlation_id, body)
SELECT request_id, hospital_id, 'red_cells', blood_group, 'routine', quantity, quantity, 'settled', 1, 1, $1::timestamptz,
	correlation_id, body
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[])
	r (request_id, hospital_id, blood_group, quantity, correlation_id, body);

-- name: bare_decisions
INSERT INTO decision (request_id, version, event, body)
SELECT request_id, 1, 'bloodbank.blood.approved', body
FROM unnest($1::uuid[], $2::text[]) d (request_id, body);

-- name: bare_reserve
UPDATE unit u
SET status = 'reserved', request_id = c.request_id, reserved_until = c.reserved_until, version = u.version + 1
FROM unnest($1::text[], $2::uuid[], $3::timestamptz[]) c (unit_id, request_id, reserved_until)
WHERE u.unit_id = c.unit_id AND u.status = 'available';

-- name: bare_stock
UPDATE stock s
SET available = c.available, reserved = c.reserved, expiring = c.expiring, expiring_until = $6::timestamptz,
	level = 'normal', version = s.version + 1
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
	c (bank_id, blood_group, available, reserved, expiring)
WHERE s.bank_id = c.bank_id AND s.component = 'red_cells' AND s.blood_group = c.blood_group;

-- name: bare_counts
UPDATE bin b
SET available = c.available
FROM unnest($1::text[], $2::text[], $3::bigint[]) c (bank_id, blood_group, available)
WHERE b.bank_id = c.bank_id AND b.component = 'red_cells' AND b.blood_group = c.blood_group AND b.profile = 0;

-- name: bare_outbox
INSERT INTO outbox (cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, causation_id,
	schema_version, version, body, created_at)
SELECT cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, cause_id, 1, version, body,
	$1::timestamptz
FROM unnest($2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
	$10::text[])
	o (cause_id, ordinal, message_id, exchange, routing_key, type, correlation_id, version, body);

-- name: bare_marks
UPDATE outbox
SET sent_at = now()
FROM unnest($1::uuid[], $2::bigint[]) m (cause_id, ordinal)
WHERE outbox.cause_id = m.cause_id AND outbox.ordinal = m.ordinal;
