-- Patients who would take a slot that becomes free, and what they were offered.

CREATE TABLE waitlist (
	waitlist_id    uuid        PRIMARY KEY,
	version        bigint      NOT NULL CHECK (version > 0),
	status         text        NOT NULL CHECK (status IN ('waiting', 'offered', 'booked', 'left')),
	provider_id    facility_id NOT NULL,
	patient_ref    reference   NOT NULL,
	from_text      text        CHECK (from_text <> ''),
	to_text        text        CHECK (to_text <> ''),
	from_date      date,
	from_at        timestamptz,
	to_date        date,
	to_at          timestamptz,
	priority       integer     NOT NULL CHECK (priority BETWEEN 0 AND 9),
	joined_at      timestamptz NOT NULL,
	slot_id        text        COLLATE "C",
	correlation_id text        NOT NULL CHECK (correlation_id <> ''),
	traceparent    text,
	CHECK ((status = 'offered') = (slot_id IS NOT NULL)),
	CHECK (from_date IS NULL OR from_at IS NULL),
	CHECK (to_date IS NULL OR to_at IS NULL)
) WITH (fillfactor = 80);
CREATE INDEX waitlist_waiting ON waitlist (provider_id, priority DESC, joined_at, waitlist_id)
	WHERE status IN ('waiting', 'offered');
COMMENT ON COLUMN waitlist.from_text IS 'as it was said; read into a day of the clinic or a time';
COMMENT ON COLUMN waitlist.slot_id IS 'that is offered now';

-- One that was declined, or not taken in time, is not offered to the same patient again.
CREATE TABLE offer (
	waitlist_id uuid        NOT NULL REFERENCES waitlist,
	slot_id     text        COLLATE "C" NOT NULL,
	offered_at  timestamptz NOT NULL,
	PRIMARY KEY (waitlist_id, slot_id)
);

GRANT SELECT, INSERT, UPDATE ON waitlist TO appointment;
GRANT SELECT, INSERT ON offer TO appointment;
