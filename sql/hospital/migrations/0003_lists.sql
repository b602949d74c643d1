-- Lists of requests, newest first: a hospital's or all, of one status or of any.

ALTER TABLE request ADD COLUMN listed_at timestamptz;
UPDATE request SET listed_at = coalesce(requested_at, rejected_at,
	(SELECT min(decided_at) FROM allocation WHERE allocation.request_id = request.request_id), now());
ALTER TABLE request ALTER COLUMN listed_at SET NOT NULL;
COMMENT ON COLUMN request.listed_at IS
	'its place in lists: when it was asked for, or first heard of by a decision; never changes, so that whoever turns pages misses none';

-- Those of any status are merged from nine stretches of the same index: it costs less than two more indexes on every change.
CREATE INDEX request_of_hospital ON request (hospital_id, status, listed_at, request_id);
CREATE INDEX request_of_all ON request (status, listed_at, request_id);
