-- Hospitals take back what they asked for: a request that was heard is cancelled, one that was not heard yet has a tombstone.

ALTER TABLE request DROP CONSTRAINT request_status_check;
ALTER TABLE request ADD CONSTRAINT request_status_check
	CHECK (status IN ('scheduled', 'waiting', 'settled', 'rejected', 'cancelled'));
COMMENT ON COLUMN request.status IS
	'settled: nothing is wanted any more; waiting: something is back-ordered; cancelled: what was held is given back';

CREATE TABLE tombstone (
	request_id uuid        PRIMARY KEY,
	heard_at   timestamptz NOT NULL
);
COMMENT ON TABLE tombstone IS 'requests whose cancellation was heard before them: they are rejected when they come';
COMMENT ON COLUMN tombstone.heard_at IS 'the bank''s own clock';

GRANT SELECT, INSERT ON tombstone TO :"role";
