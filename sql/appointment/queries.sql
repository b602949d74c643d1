-- The appointment worker's statements. Integers come as bigint, dates as text; lists as one array per column, in the same order.

-- The first look, without locks: it says what the locks are to be.

-- name: appointment_look
SELECT appointment_id, provider_id, slot_id, patient_ref FROM appointment WHERE appointment_id = ANY ($1::uuid[]);

-- name: entry_look
SELECT waitlist_id, provider_id, slot_id FROM waitlist WHERE waitlist_id = ANY ($1::uuid[]);

-- name: key_lock
-- In the order of the keys, whatever they stand for: providers, days, patients, also such as there are none of yet.
SELECT pg_advisory_xact_lock(key)
FROM (SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key) AS keys;

-- Behind the locks.

-- name: slot_load
SELECT s.slot_id, s.version, s.provider_id, s.clinic_id, s.room_id, s.appointment_type, to_char(s.date, 'YYYY-MM-DD'), s.starts_at,
	s.ends_at, s.is_blocked, s.appointment_id, s.held_until, s.held_for, s.hold_token, s.hold_correlation_id, s.waitlist_id, c.zone
FROM slot s JOIN clinic c ON c.clinic_id = s.clinic_id
WHERE s.slot_id = ANY ($1::text[]);

-- name: slot_load_between
SELECT s.slot_id, s.version, s.provider_id, s.clinic_id, s.room_id, s.appointment_type, to_char(s.date, 'YYYY-MM-DD'), s.starts_at,
	s.ends_at, s.is_blocked, s.appointment_id, s.held_until, s.held_for, s.hold_token, s.hold_correlation_id, s.waitlist_id, c.zone
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS wanted (provider_id, from_at, to_at)
JOIN slot s ON s.provider_id = wanted.provider_id AND tstzrange(s.starts_at, s.ends_at) && tstzrange(wanted.from_at, wanted.to_at)
JOIN clinic c ON c.clinic_id = s.clinic_id
ORDER BY s.starts_at;

-- name: appointment_load
SELECT appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, appointment_type,
	to_char(date, 'YYYY-MM-DD'), starts_at, ends_at, patient_ref, content, is_flagged, booked_at, arrived_at, ended_at, ended_by,
	reason, correlation_id, traceparent
FROM appointment WHERE appointment_id = ANY ($1::uuid[]);

-- name: appointment_of_patients
-- Where these patients are while these slots are.
SELECT a.appointment_id, a.version, a.status, a.slot_id, a.provider_id, a.clinic_id, a.room_id, a.zone, a.appointment_type,
	to_char(a.date, 'YYYY-MM-DD'), a.starts_at, a.ends_at, a.patient_ref, a.content, a.is_flagged, a.booked_at, a.arrived_at,
	a.ended_at, a.ended_by, a.reason, a.correlation_id, a.traceparent
FROM unnest($1::text[], $2::text[]) AS wanted (slot_id, patient_ref)
JOIN slot s ON s.slot_id = wanted.slot_id
JOIN appointment a ON a.patient_ref = wanted.patient_ref AND tstzrange(a.starts_at, a.ends_at) && tstzrange(s.starts_at, s.ends_at)
	AND a.status IN ('booked', 'arrived', 'completed');

-- name: appointment_in_rooms
-- Who is in the rooms of these slots.
SELECT a.appointment_id, a.version, a.status, a.slot_id, a.provider_id, a.clinic_id, a.room_id, a.zone, a.appointment_type,
	to_char(a.date, 'YYYY-MM-DD'), a.starts_at, a.ends_at, a.patient_ref, a.content, a.is_flagged, a.booked_at, a.arrived_at,
	a.ended_at, a.ended_by, a.reason, a.correlation_id, a.traceparent
FROM unnest($1::text[]) AS wanted (slot_id)
JOIN slot s ON s.slot_id = wanted.slot_id
JOIN appointment a ON a.clinic_id = s.clinic_id AND a.room_id = s.room_id
	AND tstzrange(a.starts_at, a.ends_at) && tstzrange(s.starts_at, s.ends_at) AND a.room_id IS NOT NULL
	AND a.status IN ('booked', 'arrived', 'completed');

-- name: appointment_between
SELECT a.appointment_id, a.version, a.status, a.slot_id, a.provider_id, a.clinic_id, a.room_id, a.zone, a.appointment_type,
	to_char(a.date, 'YYYY-MM-DD'), a.starts_at, a.ends_at, a.patient_ref, a.content, a.is_flagged, a.booked_at, a.arrived_at,
	a.ended_at, a.ended_by, a.reason, a.correlation_id, a.traceparent
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS wanted (provider_id, from_at, to_at)
JOIN appointment a ON a.provider_id = wanted.provider_id
	AND tstzrange(a.starts_at, a.ends_at) && tstzrange(wanted.from_at, wanted.to_at)
	AND a.status IN ('booked', 'arrived', 'completed');

-- name: terms_load
SELECT s.provider_id, s.clinic_id, s.version, s.horizon_days, s.notice_minutes, s.cutoff_minutes
FROM schedule s WHERE s.provider_id = ANY ($1::text[]);

-- name: clinic_load
SELECT clinic_id, zone FROM clinic WHERE clinic_id = ANY ($1::text[]);

-- name: span_load
-- How far the wall time of these clinics is from UTC, in seconds, and from when on. Looked at once a day; where two days differ, at
-- each minute between.
WITH sample AS (
	SELECT c.clinic_id, c.zone, at, (at AT TIME ZONE c.zone) - (at AT TIME ZONE 'UTC') AS shift
	FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS wanted (clinic_id, from_at, to_at)
	JOIN clinic c ON c.clinic_id = wanted.clinic_id
	CROSS JOIN LATERAL generate_series(wanted.from_at, wanted.to_at, interval '24 hours') AS at
), pair AS (
	SELECT clinic_id, zone, at, shift, lag(at) OVER day AS earlier_at, lag(shift) OVER day AS earlier_shift
	FROM sample WINDOW day AS (PARTITION BY clinic_id ORDER BY at)
)
SELECT clinic_id, at AS from_at, extract(epoch FROM shift)::bigint AS shift_s FROM pair WHERE earlier_at IS NULL
UNION ALL
SELECT clinic_id, min(minute), extract(epoch FROM shift)::bigint
FROM pair CROSS JOIN LATERAL generate_series(earlier_at, at, interval '1 minute') AS minute
WHERE earlier_shift <> shift AND (minute AT TIME ZONE zone) - (minute AT TIME ZONE 'UTC') = shift
GROUP BY clinic_id, at, shift
ORDER BY clinic_id, from_at;

-- name: floor_load
SELECT d.provider_id, to_char(d.date, 'YYYY-MM-DD'), d.slot_floor
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS wanted (provider_id, from_at, to_at)
JOIN day d ON d.provider_id = wanted.provider_id AND d.date >= (wanted.from_at AT TIME ZONE 'UTC')::date
	AND d.date <= (wanted.to_at AT TIME ZONE 'UTC')::date
WHERE d.slot_floor > 0;

-- name: block_load
SELECT b.provider_id, b.from_at, b.to_at
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS wanted (provider_id, from_at, to_at)
JOIN block b ON b.provider_id = wanted.provider_id AND tstzrange(b.from_at, b.to_at) && tstzrange(wanted.from_at, wanted.to_at);

-- name: entry_load
SELECT waitlist_id, version, status, provider_id, patient_ref, from_text, to_text, priority, joined_at, slot_id, correlation_id,
	traceparent
FROM waitlist WHERE waitlist_id = ANY ($1::uuid[]);

-- name: entry_of_slots
SELECT w.waitlist_id, w.version, w.status, w.provider_id, w.patient_ref, w.from_text, w.to_text, w.priority, w.joined_at, w.slot_id,
	w.correlation_id, w.traceparent
FROM slot s JOIN waitlist w ON w.waitlist_id = s.waitlist_id
WHERE s.slot_id = ANY ($1::text[]);

-- name: entry_candidates
-- Of each slot the first who would take it and were not offered it yet. Those who are asked about another slot are none, but where that
-- slot is one of these: they may have answered by then.
SELECT found.*, s.slot_id
FROM unnest($1::text[]) AS wanted (slot_id)
JOIN slot s ON s.slot_id = wanted.slot_id
CROSS JOIN LATERAL (
	SELECT w.waitlist_id, w.version, w.status, w.provider_id, w.patient_ref, w.from_text, w.to_text, w.priority, w.joined_at,
		w.slot_id AS offered, w.correlation_id, w.traceparent
	FROM waitlist w
	WHERE w.provider_id = s.provider_id AND w.status IN ('waiting', 'offered') AND (w.status = 'waiting' OR w.slot_id = ANY ($1::text[]))
		AND (w.from_date IS NULL OR w.from_date <= s.date) AND (w.from_at IS NULL OR w.from_at <= s.starts_at)
		AND (w.to_date IS NULL OR w.to_date >= s.date) AND (w.to_at IS NULL OR w.to_at >= s.starts_at)
		AND NOT EXISTS (SELECT FROM offer o WHERE o.waitlist_id = w.waitlist_id AND o.slot_id = s.slot_id)
	ORDER BY w.priority DESC, w.joined_at, w.waitlist_id
	LIMIT $2::bigint) AS found
ORDER BY s.slot_id, found.priority DESC, found.joined_at, found.waitlist_id;

-- name: command_load
SELECT message_id FROM command WHERE message_id = ANY ($1::uuid[]);

-- What is due.

-- name: slot_due
SELECT slot_id FROM slot WHERE held_until <= $1::timestamptz ORDER BY held_until, slot_id LIMIT $2::bigint;

-- name: appointment_due
SELECT appointment_id FROM appointment WHERE status = 'booked' AND ends_at <= $1::timestamptz
ORDER BY ends_at, appointment_id LIMIT $2::bigint;

-- Changes. Each touches a row for each element, or somebody else changed what was locked.

-- name: schedule_put
WITH touched AS (
	INSERT INTO schedule AS old (provider_id, clinic_id, version, horizon_days, notice_minutes, cutoff_minutes)
	SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
	ON CONFLICT (provider_id, clinic_id) DO UPDATE SET version = EXCLUDED.version, horizon_days = EXCLUDED.horizon_days,
		notice_minutes = EXCLUDED.notice_minutes, cutoff_minutes = EXCLUDED.cutoff_minutes
	WHERE old.version < EXCLUDED.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: block_add
WITH touched AS (
	INSERT INTO block (block_id, provider_id, from_at, to_at, reason)
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: slot_remove
WITH touched AS (
	DELETE FROM slot WHERE slot_id = ANY ($1::text[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: slot_change
WITH touched AS (
	UPDATE slot AS old SET version = new.version, clinic_id = new.clinic_id, room_id = new.room_id,
		appointment_type = new.appointment_type, starts_at = new.starts_at, ends_at = new.ends_at, is_blocked = new.is_blocked,
		appointment_id = new.appointment_id, held_until = new.held_until, held_for = new.held_for, hold_token = new.hold_token,
		hold_correlation_id = new.hold_correlation_id, waitlist_id = new.waitlist_id
	FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
		$9::timestamptz[], $10::boolean[], $11::uuid[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::uuid[])
		AS new (slot_id, version, provider_id, clinic_id, room_id, appointment_type, date, starts_at, ends_at, is_blocked,
			appointment_id, held_until, held_for, hold_token, hold_correlation_id, waitlist_id)
	WHERE old.slot_id = new.slot_id AND old.version < new.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: slot_add
WITH touched AS (
	INSERT INTO slot (slot_id, version, provider_id, clinic_id, room_id, appointment_type, date, starts_at, ends_at, is_blocked,
		appointment_id, held_until, held_for, hold_token, hold_correlation_id, waitlist_id)
	SELECT slot_id, version, provider_id, clinic_id, room_id, appointment_type, date::date, starts_at, ends_at, is_blocked,
		appointment_id, held_until, held_for, hold_token, hold_correlation_id, waitlist_id
	FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
		$9::timestamptz[], $10::boolean[], $11::uuid[], $12::timestamptz[], $13::text[], $14::text[], $15::text[], $16::uuid[])
		AS new (slot_id, version, provider_id, clinic_id, room_id, appointment_type, date, starts_at, ends_at, is_blocked,
			appointment_id, held_until, held_for, hold_token, hold_correlation_id, waitlist_id)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: floor_raise
INSERT INTO day AS old (provider_id, date, version, slot_floor)
SELECT provider_id, date::date, 1, max(version)
FROM unnest($1::text[], $2::text[], $3::bigint[]) AS new (provider_id, date, version) GROUP BY provider_id, date
ON CONFLICT (provider_id, date) DO UPDATE SET slot_floor = greatest(old.slot_floor, EXCLUDED.slot_floor);

-- name: day_raise
WITH touched AS (
	INSERT INTO day AS old (provider_id, date, version)
	SELECT provider_id, date::date, 1 FROM unnest($1::text[], $2::text[]) AS new (provider_id, date)
	ON CONFLICT (provider_id, date) DO UPDATE SET version = old.version + 1
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::text[])) FROM touched;

-- name: appointment_change
WITH touched AS (
	UPDATE appointment AS old SET version = new.version, status = new.status, slot_id = new.slot_id, provider_id = new.provider_id,
		clinic_id = new.clinic_id, room_id = new.room_id, zone = new.zone, appointment_type = new.appointment_type,
		date = new.date::date, starts_at = new.starts_at, ends_at = new.ends_at, is_flagged = new.is_flagged,
		arrived_at = new.arrived_at, ended_at = new.ended_at, ended_by = new.ended_by, reason = new.reason
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::boolean[], $16::timestamptz[],
		$17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[])
		AS new (appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, appointment_type, date, starts_at,
			ends_at, patient_ref, content, is_flagged, booked_at, arrived_at, ended_at, ended_by, reason)
	WHERE old.appointment_id = new.appointment_id AND old.version < new.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: appointment_add
WITH touched AS (
	INSERT INTO appointment (appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, appointment_type, date,
		starts_at, ends_at, patient_ref, content, is_flagged, booked_at, arrived_at, ended_at, ended_by, reason, correlation_id,
		traceparent)
	SELECT appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, appointment_type, date::date, starts_at,
		ends_at, patient_ref, content, is_flagged, booked_at, arrived_at, ended_at, ended_by, reason, correlation_id, traceparent
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
		$10::text[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::text[], $15::boolean[], $16::timestamptz[],
		$17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::text[])
		AS new (appointment_id, version, status, slot_id, provider_id, clinic_id, room_id, zone, appointment_type, date, starts_at,
			ends_at, patient_ref, content, is_flagged, booked_at, arrived_at, ended_at, ended_by, reason, correlation_id, traceparent)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: entry_add
WITH touched AS (
	INSERT INTO waitlist (waitlist_id, version, status, provider_id, patient_ref, from_text, to_text, priority, joined_at, slot_id,
		correlation_id, traceparent, from_date, from_at, to_date, to_at)
	SELECT waitlist_id, version, status, provider_id, patient_ref, from_text, to_text, priority, joined_at, slot_id, correlation_id,
		traceparent, from_date::date, from_at, to_date::date, to_at
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::timestamptz[],
		$10::text[], $11::text[], $12::text[], $13::text[], $14::timestamptz[], $15::text[], $16::timestamptz[])
		AS new (waitlist_id, version, status, provider_id, patient_ref, from_text, to_text, priority, joined_at, slot_id, correlation_id,
			traceparent, from_date, from_at, to_date, to_at)
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: entry_change
WITH touched AS (
	UPDATE waitlist AS old SET version = new.version, status = new.status, slot_id = new.slot_id
	FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) AS new (waitlist_id, version, status, slot_id)
	WHERE old.waitlist_id = new.waitlist_id AND old.version < new.version
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: offer_add
WITH touched AS (
	INSERT INTO offer (waitlist_id, slot_id, offered_at)
	SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[])
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: command_add
WITH touched AS (
	INSERT INTO command (message_id, decided_at) SELECT message_id, $2::timestamptz FROM unnest($1::uuid[]) AS message_id
	RETURNING 1
)
SELECT must_touch(count(*), cardinality($1::uuid[])) FROM touched;

-- name: command_prune
-- Some of those decided before a moment, and whether these were as many as one run takes.
WITH old AS (SELECT message_id FROM command WHERE decided_at < $1::timestamptz LIMIT 1000),
	gone AS (DELETE FROM command WHERE message_id IN (SELECT message_id FROM old) RETURNING 1)
SELECT (count(*) = 1000)::int FROM gone;

-- Questions.

-- name: day_list
-- By itself, outside of a transaction: migration 0005 says why.
SELECT certificate, horizon_days, version, slot_id, clinic_id, room_id, appointment_type, starts_at, ends_at, state
FROM slot_list($1::text, $2::text::date);

-- name: appointment_page_of_patient
-- At one clinic, or at all.
SELECT appointment_id, starts_at FROM appointment
WHERE patient_ref = $4::text AND ($5::text IS NULL OR clinic_id = $5::text)
	AND (starts_at, appointment_id) < ($1::timestamptz, $2::uuid)
ORDER BY starts_at DESC, appointment_id DESC LIMIT $3::bigint;

-- name: appointment_page_of_clinic
SELECT appointment_id, starts_at FROM appointment
WHERE clinic_id = $4::text AND date = $5::text::date AND (starts_at, appointment_id) < ($1::timestamptz, $2::uuid)
ORDER BY starts_at DESC, appointment_id DESC LIMIT $3::bigint;
