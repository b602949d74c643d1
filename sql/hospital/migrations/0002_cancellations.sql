-- A hospital takes back what it asked for: one more fact about a request, kept as its event told it, so that whoever cancels again
-- hears the same. It may be heard before the request itself: then the request is known by it alone.

CREATE TABLE cancellation (
	request_id   uuid        PRIMARY KEY REFERENCES request,
	version      bigint      NOT NULL CHECK (version > 0),
	reason       text        NOT NULL CHECK (reason <> ''),
	cancelled_by text        CHECK (cancelled_by <> ''),
	cancelled_at timestamptz NOT NULL,
	hospital_id  text        CHECK (hospital_id ~ '^[a-z0-9-]{1,64}$'),
	urgency      text        CHECK (urgency IN ('emergency', 'urgent', 'routine', 'replenishment'))
);
COMMENT ON COLUMN cancellation.version IS 'of the request, when it was cancelled';
COMMENT ON COLUMN cancellation.hospital_id IS 'as it was known then; null: the request itself was not heard yet';
COMMENT ON COLUMN request.content IS
	'the accepted request as canonical JSON; null: so far known by its decision or its cancellation alone';

GRANT SELECT, INSERT ON cancellation TO hospital;
