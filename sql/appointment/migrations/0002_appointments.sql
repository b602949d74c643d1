-- Slots and who has them. Whatever the code does: no provider, no patient and no room is in two places at once. The constraints are
-- looked at when the transaction ends, because within it one appointment may take the place that another one leaves.

CREATE TABLE slot (
	slot_id             text        COLLATE "C" PRIMARY KEY CHECK (slot_id ~ '^[a-z0-9-]{1,64}\.[0-9]{8}\.[0-9]{4}$'),
	version             bigint      NOT NULL CHECK (version > 0),
	provider_id         facility_id NOT NULL,
	clinic_id           facility_id NOT NULL,
	room_id             facility_id,
	appointment_type    text        CHECK (appointment_type <> ''),
	date                date        NOT NULL,
	starts_at           timestamptz NOT NULL,
	ends_at             timestamptz NOT NULL,
	is_blocked          boolean     NOT NULL,
	appointment_id      uuid,
	held_until          timestamptz,
	held_for            reference,
	hold_token          text        CHECK (length(hold_token) BETWEEN 1 AND 64),
	hold_correlation_id text,
	waitlist_id         uuid,
	FOREIGN KEY (provider_id, clinic_id) REFERENCES schedule,
	CHECK (starts_at < ends_at),
	CHECK ((held_until IS NULL) = (held_for IS NULL)),
	CHECK (held_until IS NULL OR appointment_id IS NULL),
	CHECK (waitlist_id IS NULL OR held_until IS NOT NULL),
	CONSTRAINT slot_provider_once EXCLUDE USING gist (provider_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
		DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 80);
CREATE INDEX slot_of_day ON slot (provider_id, date, starts_at);
CREATE INDEX slot_of_appointment ON slot (appointment_id) WHERE appointment_id IS NOT NULL;
CREATE INDEX slot_held ON slot (held_until) WHERE held_until IS NOT NULL;
COMMENT ON COLUMN slot.date IS 'the day of the start in the wall time of the clinic';
COMMENT ON COLUMN slot.held_until IS 'null: not held; that the time has come does not end a hold, the worker does';
COMMENT ON COLUMN slot.hold_token IS 'of the hold, or of the last one when there is none any more; null: an offer, proven by the patient';
COMMENT ON COLUMN slot.waitlist_id IS 'the hold is an offer to this entry';

CREATE TABLE day (
	provider_id facility_id NOT NULL,
	date        date        NOT NULL,
	version     bigint      NOT NULL CHECK (version > 0),
	PRIMARY KEY (provider_id, date)
) WITH (fillfactor = 80);
COMMENT ON TABLE day IS 'raised by each change of the list of a provider''s slots of one day';

CREATE TABLE appointment (
	appointment_id   uuid        PRIMARY KEY,
	version          bigint      NOT NULL CHECK (version > 0),
	status           text        NOT NULL CHECK (status IN ('booked', 'arrived', 'completed', 'no_show', 'cancelled')),
	slot_id          text        COLLATE "C" NOT NULL CHECK (slot_id <> ''),
	provider_id      facility_id NOT NULL,
	clinic_id        facility_id NOT NULL REFERENCES clinic,
	room_id          facility_id,
	zone             text        NOT NULL CHECK (zone <> ''),
	appointment_type text        CHECK (appointment_type <> ''),
	date             date        NOT NULL,
	starts_at        timestamptz NOT NULL,
	ends_at          timestamptz NOT NULL,
	patient_ref      reference   NOT NULL,
	content          text        NOT NULL CHECK (content <> ''),
	is_flagged       boolean     NOT NULL,
	booked_at        timestamptz NOT NULL,
	arrived_at       timestamptz,
	ended_at         timestamptz,
	ended_by         reference,
	reason           text        CHECK (reason <> ''),
	correlation_id   text        NOT NULL CHECK (correlation_id <> ''),
	traceparent      text,
	CHECK (starts_at < ends_at),
	CHECK ((ended_at IS NULL) = (status IN ('booked', 'arrived'))),
	CHECK (status NOT IN ('arrived', 'completed') OR arrived_at IS NOT NULL),
	CONSTRAINT appointment_provider_once EXCLUDE USING gist (provider_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
		WHERE (status IN ('booked', 'arrived', 'completed')) DEFERRABLE INITIALLY DEFERRED,
	CONSTRAINT appointment_patient_once EXCLUDE USING gist (patient_ref WITH =, tstzrange(starts_at, ends_at) WITH &&)
		WHERE (status IN ('booked', 'arrived', 'completed')) DEFERRABLE INITIALLY DEFERRED,
	CONSTRAINT appointment_room_once EXCLUDE USING gist (clinic_id WITH =, room_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
		WHERE (room_id IS NOT NULL AND status IN ('booked', 'arrived', 'completed')) DEFERRABLE INITIALLY DEFERRED
) WITH (fillfactor = 80);
CREATE INDEX appointment_of_patient ON appointment (patient_ref, starts_at, appointment_id);
CREATE INDEX appointment_of_clinic ON appointment (clinic_id, date, starts_at, appointment_id);
CREATE INDEX appointment_due ON appointment (ends_at) WHERE status = 'booked';
COMMENT ON COLUMN appointment.content IS 'the accepted booking as canonical JSON, without the hold''s token';
COMMENT ON COLUMN appointment.reason IS 'of a cancellation';
COMMENT ON COLUMN appointment.zone IS 'of the clinic, when it was booked';
COMMENT ON COLUMN appointment.is_flagged IS 'the provider is away at that time: someone has to call the patient';

GRANT SELECT, INSERT, UPDATE, DELETE ON slot TO appointment;
GRANT SELECT, INSERT, UPDATE ON day, appointment TO appointment;
