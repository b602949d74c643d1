-- Reading. Whoever allocates holds the shelves' locks first; what is read behind them in the same transaction is true until its end.

-- Of requests that do not exist yet, too: a request and its cancel may come in two lanes at once. Taken before the shelves' locks,
-- in the order of the keys.
-- name: request_lock
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(id::text, 0) AS key FROM unnest($1::uuid[]) AS id ORDER BY key) AS keys;

-- name: shelf_lock
SELECT s.bank_id::text, s.component::text
FROM shelf s
WHERE (s.bank_id, s.component) IN (SELECT bank_id, component FROM reach($1::text[], $2::text[], $3::text[], $4::text[]))
ORDER BY s.bank_id, s.component
FOR UPDATE OF s;

-- The counter of units that expire soon holds up to a moment of the past: those that came into sight since are added.
-- name: stock_find
SELECT s.bank_id::text, s.component::text, s.blood_group::text, s.available, s.reserved, s.version, s.demand_28_days,
	s.expiring_until, s.expiring + (
		SELECT count(*)
		FROM unit u
		WHERE u.status = 'available' AND u.bank_id = s.bank_id AND u.component = s.component
			AND u.blood_group = s.blood_group AND u.expires_at > s.expiring_until AND u.expires_at <= $5::timestamptz),
	s.level
FROM reach($1::text[], $2::text[], $3::text[], $4::text[]) r
JOIN stock s USING (bank_id, component)
ORDER BY s.bank_id, s.component, s.blood_group;

-- name: bin_find
SELECT b.bank_id::text, b.component::text, b.blood_group::text, b.profile, b.available
FROM reach($1::text[], $2::text[], $3::text[], $4::text[]) r
JOIN bin b USING (bank_id, component);

-- The hospitals that are asked for, and those that the banks with arrivals serve.
-- name: service_find
SELECT h.hospital_id::text, b.bank_id::text, b.distance_km
FROM hospital h
LEFT JOIN bank_of_hospital b USING (hospital_id)
WHERE h.hospital_id IN (
	SELECT unnest($1::text[])
	UNION SELECT served.hospital_id FROM bank_of_hospital served WHERE served.bank_id = ANY ($2::text[]))
ORDER BY h.hospital_id, b.distance_km, b.bank_id;

-- name: bank_find
SELECT bank_id::text, extract(epoch FROM ($2::timestamptz AT TIME ZONE zone) - ($2::timestamptz AT TIME ZONE 'UTC'))::bigint
FROM bank
WHERE bank_id = ANY ($1::text[]);

-- name: request_find
SELECT r.request_id, r.status, r.quantity_allocated, r.quantity_lapsed, r.blind_o_negative, r.allocation_no, r.version,
	r.received_at, r.allocate_at, r.correlation_id, r.traceparent, r.body, d.version, d.event, d.body
FROM request r
LEFT JOIN decision d USING (request_id)
WHERE r.request_id = ANY ($1::uuid[])
ORDER BY r.request_id, d.version;

-- name: tombstone_find
SELECT request_id FROM tombstone WHERE request_id = ANY ($1::uuid[]);

-- Of each urgency those that wait longest, for hospitals that are served from the banks with arrivals.
-- name: request_waiting
SELECT w.request_id, w.status, w.quantity_allocated, w.quantity_lapsed, w.blind_o_negative, w.allocation_no, w.version,
	w.received_at, w.allocate_at, w.correlation_id, w.traceparent, w.body
FROM (SELECT DISTINCT component FROM unnest($1::text[], $2::text[]) came (bank_id, component)) c
CROSS JOIN (VALUES ('emergency'), ('urgent'), ('routine'), ('replenishment')) u (urgency)
CROSS JOIN LATERAL (
	SELECT *
	FROM request r
	WHERE r.status = 'waiting' AND r.component = c.component AND r.urgency = u.urgency AND r.blood_group = ANY ($3::text[])
		AND r.hospital_id IN (
			SELECT b.hospital_id
			FROM unnest($1::text[], $2::text[]) came (bank_id, component)
			JOIN bank_of_hospital b ON b.bank_id = came.bank_id
			WHERE came.component = c.component)
	ORDER BY r.received_at, r.request_id
	LIMIT $4) w;

-- O- units that these patients got while their group was unknown.
-- name: blind_count
SELECT patient_ref, sum(blind_o_negative)::bigint
FROM request
WHERE patient_ref = ANY ($1::text[]) AND blind_o_negative > 0
GROUP BY patient_ref;

-- The oldest units of each bin, as many as the demand is.
-- name: unit_oldest
SELECT b.place, u.unit_id, u.collected_at, u.expires_at, u.attributes, u.antigens
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
	WITH ORDINALITY b (bank_id, component, blood_group, profile, asked, place)
CROSS JOIN LATERAL (
	SELECT *
	FROM unit u
	WHERE u.status = 'available' AND u.designated_for IS NULL AND u.bank_id = b.bank_id AND u.component = b.component
		AND u.blood_group = b.blood_group AND u.profile = b.profile
	ORDER BY u.expires_at, u.unit_id
	LIMIT b.asked) u;

-- name: unit_freshest
SELECT b.place, u.unit_id, u.collected_at, u.expires_at, u.attributes, u.antigens
FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
	WITH ORDINALITY b (bank_id, component, blood_group, profile, asked, place)
CROSS JOIN LATERAL (
	SELECT *
	FROM unit u
	WHERE u.status = 'available' AND u.designated_for IS NULL AND u.bank_id = b.bank_id AND u.component = b.component
		AND u.blood_group = b.blood_group AND u.profile = b.profile
	ORDER BY u.collected_at DESC, u.unit_id
	LIMIT b.asked) u;

-- name: unit_designated
SELECT u.bank_id::text, u.component::text, u.blood_group::text, u.profile, u.designated_for, u.unit_id, u.collected_at,
	u.expires_at, u.attributes, u.antigens
FROM unit u
WHERE u.status = 'available' AND u.designated_for = ANY ($1::text[]);

-- All that is kept of these units.
-- name: unit_find
SELECT unit_id, bank_id::text, component::text, blood_group::text, profile, status, request_id, reserved_until, collected_at,
	expires_at, version, din, product_code, division, volume_ml, initial_status, attributes, antigens, parents,
	designated_for, anticoagulant, additive, batch, donor_ref
FROM unit
WHERE unit_id = ANY ($1::text[]);

-- What is due. Read without locks: it says which locks to take, and the rows are read again behind them.

-- name: request_due
SELECT request_id, hospital_id::text, component::text
FROM request
WHERE status = 'scheduled' AND allocate_at <= $1::timestamptz
ORDER BY allocate_at, request_id
LIMIT $2;

-- name: unit_due
SELECT unit_id, bank_id::text, component::text, blood_group::text, request_id
FROM unit
WHERE status IN ('available', 'reserved') AND LEAST(reserved_until, expires_at) <= $1::timestamptz
ORDER BY LEAST(reserved_until, expires_at), unit_id
LIMIT $2;

-- Writing. Each statement touches as many rows as it is given, or the batch stops.

-- name: request_insert
WITH touched AS (
	INSERT INTO request (request_id, hospital_id, component, blood_group, urgency, quantity, quantity_allocated,
		blind_o_negative, patient_ref, status, allocation_no, version, received_at, allocate_at, correlation_id, traceparent,
		body)
	SELECT request_id, hospital_id, component, blood_group, urgency, quantity, quantity_allocated, blind_o_negative, patient_ref,
		status, allocation_no, version, received_at, allocate_at, correlation_id, traceparent, body
	FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[],
		$10::text[], $11::bigint[], $12::bigint[], $13::timestamptz[], $14::timestamptz[], $15::text[], $16::text[], $17::text[])
		r (request_id, hospital_id, component, blood_group, urgency, quantity, quantity_allocated, blind_o_negative, patient_ref,
		status, allocation_no, version, received_at, allocate_at, correlation_id, traceparent, body)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: request_update
WITH touched AS (
	UPDATE request r
	SET status = c.status, quantity_allocated = c.quantity_allocated, quantity_lapsed = c.quantity_lapsed,
		blind_o_negative = c.blind_o_negative, allocation_no = c.allocation_no, version = c.version
	FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
		c (request_id, status, quantity_allocated, quantity_lapsed, blind_o_negative, allocation_no, version)
	WHERE r.request_id = c.request_id AND r.version < c.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: decision_insert
WITH touched AS (
	INSERT INTO decision (request_id, version, event, body)
	SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: tombstone_insert
WITH touched AS (
	INSERT INTO tombstone (request_id, heard_at)
	SELECT * FROM unnest($1::uuid[], $2::timestamptz[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- Lists come as the text form of an array.
-- name: unit_insert
WITH touched AS (
	INSERT INTO unit (unit_id, din, product_code, division, bank_id, component, blood_group, profile, status, request_id,
		reserved_until, collected_at, expires_at, volume_ml, initial_status, attributes, antigens, parents, designated_for,
		anticoagulant, additive, batch, donor_ref)
	SELECT unit_id, din, product_code, division, bank_id, component, blood_group, profile, status, request_id, reserved_until,
		collected_at, expires_at, volume_ml, initial_status, attributes::text[], antigens::text[], parents::text[], designated_for,
		anticoagulant, additive, batch, donor_ref
	FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
		$10::uuid[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[], $14::bigint[], $15::text[], $16::text[],
		$17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[])
		u (unit_id, din, product_code, division, bank_id, component, blood_group, profile, status, request_id, reserved_until,
		collected_at, expires_at, volume_ml, initial_status, attributes, antigens, parents, designated_for, anticoagulant,
		additive, batch, donor_ref)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: unit_update
WITH touched AS (
	UPDATE unit u
	SET status = c.status, request_id = c.request_id, reserved_until = c.reserved_until, version = u.version + 1
	FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[], $5::timestamptz[])
		c (unit_id, before, status, request_id, reserved_until)
	WHERE u.unit_id = c.unit_id AND u.status = c.before
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: stock_update
WITH touched AS (
	UPDATE stock s
	SET available = c.available, reserved = c.reserved, expiring = c.expiring, expiring_until = c.expiring_until,
		level = c.level, version = s.version + 1
	FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::bigint[],
		$9::text[])
		c (bank_id, component, blood_group, available, reserved, expiring, expiring_until, version, level)
	WHERE s.bank_id = c.bank_id AND s.component = c.component AND s.blood_group = c.blood_group AND s.version = c.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: bin_insert
WITH touched AS (
	INSERT INTO bin (bank_id, component, blood_group, profile, available)
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: bin_update
WITH touched AS (
	UPDATE bin b
	SET available = c.available
	FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
		c (bank_id, component, blood_group, profile, available)
	WHERE b.bank_id = c.bank_id AND b.component = c.component AND b.blood_group = c.blood_group AND b.profile = c.profile
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- Questions.

-- name: stock_answer
SELECT s.bank_id::text, s.component::text, s.blood_group::text, s.available, s.reserved, s.version, s.demand_28_days,
	(SELECT count(*) FROM unit u WHERE u.status = 'available' AND u.bank_id = s.bank_id AND u.component = s.component
		AND u.blood_group = s.blood_group AND u.expires_at <= $4::timestamptz),
	coalesce((SELECT sum(b.available) FROM bin b WHERE b.bank_id = s.bank_id AND b.component = s.component
		AND b.blood_group = s.blood_group), 0)::bigint,
	s.level
FROM stock s
WHERE s.bank_id = $1 AND ($2::text IS NULL OR s.component = $2) AND ($3::text IS NULL OR s.blood_group = $3)
ORDER BY s.component, s.blood_group;

-- One line of stock, by its key bank/component/group: as it was last told.
-- name: stock_view
SELECT s.bank_id::text, s.component::text, s.blood_group::text, s.available, s.reserved, s.version, s.demand_28_days,
	s.expiring,
	coalesce((SELECT sum(b.available) FROM bin b WHERE b.bank_id = s.bank_id AND b.component = s.component
		AND b.blood_group = s.blood_group), 0)::bigint,
	s.level
FROM stock s
WHERE s.bank_id = split_part($1::text, '/', 1) AND s.component = split_part($1, '/', 2)
	AND s.blood_group = split_part($1, '/', 3);

-- Pages of units, by id: those behind the last one of the page before.

-- name: unit_page
SELECT unit_id FROM unit WHERE unit_id > $1::text ORDER BY unit_id LIMIT $2::bigint;

-- Each bank, component, group and status that is wanted is a stretch of the index. Only those that begin first can reach the page:
-- of the others one row is read each.
-- name: unit_page_of
WITH stretch AS MATERIALIZED (
	SELECT b.bank_id, c.component, g.blood_group, s.status, begins.unit_id
	FROM bank b
	CROSS JOIN unnest($3::text[]) AS c (component)
	CROSS JOIN unnest($4::text[]) AS g (blood_group)
	CROSS JOIN unnest($5::text[]) AS s (status)
	CROSS JOIN LATERAL (
		SELECT u.unit_id
		FROM unit u
		WHERE u.bank_id = b.bank_id AND u.component = c.component AND u.blood_group = g.blood_group AND u.status = s.status
			AND u.unit_id > $1::text
		ORDER BY u.unit_id
		LIMIT 1) AS begins
	WHERE $6::text IS NULL OR b.bank_id = $6::text
	ORDER BY begins.unit_id
	LIMIT $2::bigint
)
SELECT found.unit_id
FROM stretch
CROSS JOIN LATERAL (
	SELECT more.unit_id
	FROM unit more
	WHERE more.bank_id = stretch.bank_id AND more.component = stretch.component
		AND more.blood_group = stretch.blood_group AND more.status = stretch.status AND more.unit_id >= stretch.unit_id
	ORDER BY more.unit_id
	LIMIT $2::bigint) AS found
ORDER BY found.unit_id
LIMIT $2::bigint;
