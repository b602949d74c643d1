-- What the machine keeps in every worker's database: which messages were seen, what they sent out, who was started and never finished.

CREATE TABLE inbox (
	consumer    text        NOT NULL,
	message_id  uuid        NOT NULL,
	body_sha256 bytea       NOT NULL CHECK (octet_length(body_sha256) = 32),
	received_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (message_id, consumer)
);
CREATE INDEX inbox_received_at ON inbox USING brin (received_at);
COMMENT ON TABLE inbox IS 'messages whose effect is committed; the body''s hash tells a redelivery from a conflict';

-- One row per event or view that a decision sends out. The key (cause, ordinal) finds the stored outputs of a message seen before.
CREATE TABLE outbox (
	cause_id       uuid        NOT NULL,
	ordinal        integer     NOT NULL CHECK (ordinal >= 0),
	message_id     uuid        NOT NULL,
	exchange       text        CHECK (exchange <> ''),
	routing_key    text        NOT NULL,
	type           text        NOT NULL,
	correlation_id text,
	causation_id   uuid,
	traceparent    text,
	schema_version integer     NOT NULL,
	version        bigint,
	body           text,
	created_at     timestamptz NOT NULL,
	attempts       integer     NOT NULL DEFAULT 0,
	next_try_at    timestamptz,
	sent_at        timestamptz,
	PRIMARY KEY (cause_id, ordinal),
	-- an event has an exchange and its body; a view has neither: it is read again when it is sent late
	CHECK ((exchange IS NULL) = (body IS NULL)),
	CHECK (exchange IS NOT NULL OR version IS NOT NULL)
);
CREATE INDEX outbox_unsent_events ON outbox (created_at) WHERE sent_at IS NULL AND exchange IS NOT NULL;
CREATE INDEX outbox_unsent_views ON outbox (created_at) WHERE sent_at IS NULL AND exchange IS NULL;
CREATE INDEX outbox_created_at ON outbox USING brin (created_at);
COMMENT ON COLUMN outbox.routing_key IS 'of a view: its key in Redis, without the prefix "view:<name>:"';
COMMENT ON COLUMN outbox.type IS 'of a view: its name';

-- Deliveries marked redelivered that the inbox does not know: started `attempts` times, never finished.
CREATE TABLE attempt (
	consumer   text        NOT NULL,
	message_id uuid        NOT NULL,
	attempts   integer     NOT NULL CHECK (attempts > 0),
	started_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (message_id, consumer)
);

GRANT SELECT, INSERT, DELETE ON inbox TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox, attempt TO :"role";
GRANT SELECT ON schema_migration TO :"role";
