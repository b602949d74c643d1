-- What hospitals asked for, and every decision that was made on it.

CREATE TABLE request (
	request_id         uuid        PRIMARY KEY,
	hospital_id        facility_id NOT NULL, -- as asked: an unknown one is rejected, and that decision is kept too
	component          component   NOT NULL,
	blood_group        blood_group NOT NULL,
	urgency            text        NOT NULL CHECK (urgency IN ('emergency', 'urgent', 'routine', 'replenishment')),
	quantity           smallint    NOT NULL CHECK (quantity BETWEEN 1 AND 100),
	quantity_allocated smallint    NOT NULL DEFAULT 0 CHECK (quantity_allocated >= 0),
	quantity_lapsed    smallint    NOT NULL DEFAULT 0 CHECK (quantity_lapsed >= 0),
	blind_o_negative   smallint    NOT NULL DEFAULT 0 CHECK (blind_o_negative >= 0),
	patient_ref        text,
	status             text        NOT NULL CHECK (status IN ('scheduled', 'waiting', 'settled', 'rejected')),
	allocation_no      integer     NOT NULL DEFAULT 0 CHECK (allocation_no >= 0),
	version            bigint      NOT NULL CHECK (version >= 1),
	received_at        timestamptz NOT NULL,
	allocate_at        timestamptz,
	correlation_id     text        NOT NULL,
	traceparent        text,
	body               text        NOT NULL,
	CHECK (quantity_allocated + quantity_lapsed <= quantity),
	CHECK (status <> 'settled' OR quantity_allocated + quantity_lapsed = quantity),
	CHECK (status <> 'waiting' OR quantity_allocated + quantity_lapsed < quantity),
	CHECK (status NOT IN ('scheduled', 'rejected') OR quantity_allocated = 0),
	CHECK (status <> 'scheduled' OR allocate_at IS NOT NULL)
) WITH (fillfactor = 90);
COMMENT ON COLUMN request.status IS 'settled: nothing is wanted any more; waiting: something is back-ordered';
COMMENT ON COLUMN request.quantity_lapsed IS 'units whose reservation ended unused: not asked for again';
COMMENT ON COLUMN request.blind_o_negative IS 'O- units given while the patient''s group was unknown';
COMMENT ON COLUMN request.received_at IS 'the bank''s own clock: the time that counts for priority';
COMMENT ON COLUMN request.allocate_at IS 'of a scheduled request: when its units are chosen';
COMMENT ON COLUMN request.body IS 'the accepted request in canonical JSON, without version and time of the sender';

CREATE INDEX request_waiting ON request (component, urgency, received_at, request_id) WHERE status = 'waiting';
CREATE INDEX request_blind ON request (patient_ref) WHERE blind_o_negative > 0;
CREATE INDEX request_scheduled ON request (allocate_at, request_id) WHERE status = 'scheduled';

CREATE TABLE decision (
	request_id uuid   NOT NULL, -- no foreign key: written in the request's own transaction, see unit.request_id
	version    bigint NOT NULL CHECK (version >= 1),
	event      text   NOT NULL CHECK (event IN ('bloodbank.blood.approved', 'bloodbank.blood.rejected')),
	body       text   NOT NULL,
	PRIMARY KEY (request_id, version)
);
COMMENT ON TABLE decision IS 'the answers as they were sent; a request that comes again hears them again';

GRANT SELECT, INSERT, UPDATE ON request TO :"role";
GRANT SELECT, INSERT ON decision TO :"role";
