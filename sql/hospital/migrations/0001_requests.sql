-- Requests for blood and what was decided about them. Decisions are facts, kept as they came, in any order; which units
-- a request holds follows from them.

-- Reference data: a deployment loads its own hospitals.
CREATE TABLE hospital (
	hospital_id text PRIMARY KEY CHECK (hospital_id ~ '^[a-z0-9-]{1,64}$'),
	name        text NOT NULL CHECK (name <> '')
);

-- No foreign key to hospital: a request that an upstream system gave straight to the banks is recorded even where its
-- hospital is unknown (the banks reject it), and a decision may be heard before its request.
CREATE TABLE request (
	request_id     uuid        PRIMARY KEY,
	version        bigint      NOT NULL CHECK (version > 0),
	status         text        NOT NULL CHECK (status IN ('scheduled', 'pending', 'approved', 'partially_approved', 'rejected',
		'issued', 'fulfilled', 'cancelled', 'expired')),
	content        text,
	order_id       text,
	hospital_id    text        CHECK (hospital_id ~ '^[a-z0-9-]{1,64}$'),
	component      text        CHECK (component IN ('red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets')),
	blood_group    text        CHECK (blood_group IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+', 'unknown')),
	urgency        text        CHECK (urgency IN ('emergency', 'urgent', 'routine', 'replenishment')),
	quantity       integer     CHECK (quantity BETWEEN 1 AND 100),
	needed_at      timestamptz,
	requested_at   timestamptz,
	is_scheduled   boolean     NOT NULL,
	reason         text        CHECK (reason <> ''),
	detail         text,
	rejected_at    timestamptz,
	correlation_id text        NOT NULL CHECK (correlation_id <> ''),
	traceparent    text,
	CHECK (content IS NULL OR (hospital_id IS NOT NULL AND component IS NOT NULL AND blood_group IS NOT NULL
		AND urgency IS NOT NULL AND quantity IS NOT NULL AND requested_at IS NOT NULL)),
	CHECK ((reason IS NULL) = (rejected_at IS NULL)),
	CHECK (status <> 'rejected' OR rejected_at IS NOT NULL),
	CHECK (status <> 'scheduled' OR is_scheduled)
) WITH (fillfactor = 80);
COMMENT ON COLUMN request.content IS 'the accepted request as canonical JSON; null: so far known by its decision alone';
COMMENT ON COLUMN request.version IS 'raised by each change; orders the updates that others see';

CREATE TABLE allocation (
	request_id         uuid        NOT NULL REFERENCES request,
	allocation_no      integer     NOT NULL CHECK (allocation_no > 0),
	decision           text        NOT NULL CHECK (decision IN ('full', 'partial')),
	quantity_requested integer     NOT NULL CHECK (quantity_requested BETWEEN 0 AND 100),
	backordered        integer     NOT NULL CHECK (backordered BETWEEN 0 AND 100),
	rules_version      text        NOT NULL,
	decided_at         timestamptz NOT NULL,
	PRIMARY KEY (request_id, allocation_no)
);
COMMENT ON TABLE allocation IS 'approvals, one row each: the first decision, then back-orders filled and lost units replaced';

CREATE TABLE request_unit (
	request_id     uuid        NOT NULL,
	allocation_no  integer     NOT NULL,
	ordinal        integer     NOT NULL CHECK (ordinal >= 0),
	unit_id        text        NOT NULL CHECK (unit_id <> ''),
	bank_id        text        NOT NULL CHECK (bank_id ~ '^[a-z0-9-]{1,64}$'),
	component      text        NOT NULL CHECK (component IN ('red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets')),
	blood_group    text        NOT NULL CHECK (blood_group IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+')),
	expires_at     timestamptz NOT NULL,
	reserved_until timestamptz,
	match_status   text        CHECK (match_status <> ''),
	PRIMARY KEY (request_id, allocation_no, ordinal),
	FOREIGN KEY (request_id, allocation_no) REFERENCES allocation
);
COMMENT ON TABLE request_unit IS 'the units of an approval, in its order; held unless released later than it was decided';

CREATE TABLE request_warning (
	request_id    uuid    NOT NULL,
	allocation_no integer NOT NULL,
	ordinal       integer NOT NULL CHECK (ordinal >= 0),
	code          text    NOT NULL CHECK (code <> ''),
	detail        text,
	PRIMARY KEY (request_id, allocation_no, ordinal),
	FOREIGN KEY (request_id, allocation_no) REFERENCES allocation
);

CREATE TABLE unit_release (
	request_id  uuid        NOT NULL REFERENCES request,
	unit_id     text        NOT NULL CHECK (unit_id <> ''),
	released_at timestamptz NOT NULL,
	reason      text        NOT NULL CHECK (reason IN ('cancelled', 'expired', 'recalled', 'quarantined', 'not_needed')),
	backordered integer     CHECK (backordered BETWEEN 0 AND 100),
	PRIMARY KEY (request_id, unit_id, released_at)
);
COMMENT ON COLUMN unit_release.backordered IS 'units for which the request goes on waiting; null: the bank did not say';

GRANT SELECT ON hospital TO hospital;
GRANT SELECT, INSERT, UPDATE ON request TO hospital;
GRANT SELECT, INSERT ON allocation, request_unit, request_warning, unit_release TO hospital;
