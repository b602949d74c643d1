-- Who was told what, and how far it came.

CREATE TABLE notification (
	notification_id uuid        PRIMARY KEY,
	position        bigint      NOT NULL UNIQUE CHECK (position > 0),
	facility_id     text        NOT NULL CHECK (facility_id ~ '^[a-z0-9-]{1,64}$'),
	role            text        NOT NULL CHECK (role ~ '^[a-z0-9_]{1,64}$'),
	kind            text        NOT NULL CHECK (kind ~ '^[a-z0-9_]{1,64}$'),
	is_emergency    boolean     NOT NULL,
	entity          text        NOT NULL CHECK (length(entity) BETWEEN 1 AND 200),
	transition      text        NOT NULL CHECK (length(transition) BETWEEN 1 AND 200),
	text            text        NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
	created_at      timestamptz NOT NULL,
	delivered_at    timestamptz,
	acknowledged_at timestamptz,
	acknowledged_by text,
	escalate_at     timestamptz,
	correlation_id  text        CHECK (correlation_id <> ''),
	traceparent     text,
	-- nobody is told the same thing twice
	UNIQUE (facility_id, role, entity, transition),
	CHECK (acknowledged_by IS NULL OR acknowledged_at IS NOT NULL),
	CHECK (escalate_at IS NULL OR (is_emergency AND acknowledged_at IS NULL))
) WITH (fillfactor = 80);
COMMENT ON COLUMN notification.delivered_at IS 'null: pending, its creation was not heard from the bus yet';
COMMENT ON COLUMN notification.escalate_at IS 'when a supervisor is told, unless someone acknowledges before; null: not, or not any more';
CREATE INDEX notification_facility ON notification (facility_id, position);
CREATE INDEX notification_escalate_at ON notification (escalate_at, notification_id) WHERE escalate_at IS NOT NULL;

-- The end of the list. Whoever adds to the list holds this row until the commit, so that places become visible in their order,
-- and a reader who goes on from a place never misses one.
CREATE TABLE list (
	is_only       boolean PRIMARY KEY DEFAULT true CHECK (is_only),
	last_position bigint  NOT NULL DEFAULT 0 CHECK (last_position >= 0)
) WITH (fillfactor = 10);
INSERT INTO list DEFAULT VALUES;

GRANT SELECT, INSERT, UPDATE, DELETE ON notification TO notification;
GRANT SELECT, UPDATE ON list TO notification;
