-- Changes of stock, gathered until they are told together.

CREATE TABLE shelf (
	bank_id     text    NOT NULL CHECK (bank_id ~ '^[a-z0-9-]{1,64}$'),
	component   text    NOT NULL CHECK (component IN ('red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets')),
	blood_group text    NOT NULL CHECK (blood_group IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+')),
	available   integer NOT NULL CHECK (available >= 0),
	version     bigint  NOT NULL CHECK (version > 0),
	is_waiting  boolean NOT NULL,
	PRIMARY KEY (bank_id, component, blood_group)
) WITH (fillfactor = 50);
COMMENT ON TABLE shelf IS 'stock as it was last heard of; an older version changes nothing, however late it comes';
COMMENT ON COLUMN shelf.is_waiting IS 'changed since the bank was last told';

CREATE TABLE digest_window (
	bank_id   text        PRIMARY KEY CHECK (bank_id ~ '^[a-z0-9-]{1,64}$'),
	opened_at timestamptz NOT NULL
);
COMMENT ON TABLE digest_window IS 'opened by the first change, deleted when its changes are told';
CREATE INDEX digest_window_opened_at ON digest_window (opened_at, bank_id);

GRANT SELECT, INSERT, UPDATE ON shelf TO notification;
GRANT SELECT, INSERT, DELETE ON digest_window TO notification;
