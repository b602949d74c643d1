-- Who there is: clinics with their time zones, and when a provider is there.

CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE DOMAIN facility_id AS text COLLATE "C" CHECK (VALUE ~ '^[a-z0-9-]{1,64}$');
CREATE DOMAIN reference AS text CHECK (length(VALUE) BETWEEN 1 AND 64);

-- Reference data: a deployment loads its own clinics. A zone that the tz database does not know is an error here, not at a booking.
CREATE TABLE clinic (
	clinic_id facility_id PRIMARY KEY,
	name      text        NOT NULL CHECK (name <> ''),
	zone      text        NOT NULL CHECK (length(zone) BETWEEN 1 AND 64
		AND (timestamptz '2026-01-01T00:00:00Z' AT TIME ZONE zone) IS NOT NULL)
);
COMMENT ON COLUMN clinic.zone IS 'name in the IANA tz database';

CREATE TABLE schedule (
	provider_id    facility_id NOT NULL,
	clinic_id      facility_id NOT NULL REFERENCES clinic,
	version        bigint      NOT NULL CHECK (version > 0),
	horizon_days   integer     NOT NULL CHECK (horizon_days BETWEEN 1 AND 366),
	notice_minutes integer     NOT NULL CHECK (notice_minutes BETWEEN 0 AND 43200),
	cutoff_minutes integer     NOT NULL CHECK (cutoff_minutes BETWEEN 0 AND 43200),
	PRIMARY KEY (provider_id, clinic_id)
);
COMMENT ON TABLE schedule IS 'the terms on which a provider can be booked at a clinic; a provider is whoever has one';

CREATE TABLE block (
	block_id    uuid        PRIMARY KEY,
	provider_id facility_id NOT NULL,
	from_at     timestamptz NOT NULL,
	to_at       timestamptz NOT NULL,
	reason      text        NOT NULL CHECK (reason <> ''),
	CHECK (from_at < to_at)
);
CREATE INDEX block_of_provider ON block USING gist (provider_id, tstzrange(from_at, to_at));
COMMENT ON TABLE block IS 'times at which a provider is away; what is published later is blocked as well';

GRANT SELECT ON clinic TO appointment;
GRANT SELECT, INSERT, UPDATE ON schedule TO appointment;
GRANT SELECT, INSERT ON block TO appointment;
