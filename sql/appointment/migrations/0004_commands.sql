-- Which commands were decided. The inbox forgets after its horizon; a command that comes later still must not be carried out again: the
-- slot that it booked, moved to or published may be another's by then.

CREATE TABLE command (
	message_id uuid        PRIMARY KEY,
	decided_at timestamptz NOT NULL
);
CREATE INDEX command_decided_at ON command USING brin (decided_at);

GRANT SELECT, INSERT, DELETE ON command TO appointment;
