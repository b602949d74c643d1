-- The bags, one row each, and the counters of stock that are kept in the same transactions.

CREATE TABLE unit (
	unit_id        text COLLATE "C" PRIMARY KEY CHECK (unit_id = din || '-' || product_code || '-' || division),
	din            text        NOT NULL CHECK (din ~ '^[A-Z][A-Z0-9]{4}[0-9]{8}$'),
	product_code   text        NOT NULL CHECK (product_code ~ '^[A-Za-z0-9]{1,16}$'),
	division       text        NOT NULL CHECK (division ~ '^[A-Za-z0-9]{2}$'),
	bank_id        facility_id NOT NULL REFERENCES bank,
	component      component   NOT NULL,
	blood_group    unit_group  NOT NULL,
	profile        integer     NOT NULL CHECK (profile >= 0),
	status         text        NOT NULL CHECK (status IN ('quarantined', 'available', 'reserved', 'issued', 'received',
		'returned', 'transfused', 'presumed_transfused', 'in_transit', 'expired', 'recalled', 'modified', 'discarded')),
	request_id     uuid,
	reserved_until timestamptz,
	collected_at   timestamptz NOT NULL,
	expires_at     timestamptz NOT NULL,
	version        bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
	volume_ml      integer     CHECK (volume_ml > 0),
	initial_status text        NOT NULL CHECK (initial_status IN ('available', 'quarantined')),
	attributes     text[]      NOT NULL DEFAULT '{}',
	antigens       text[]      NOT NULL DEFAULT '{}',
	parents        text[]      NOT NULL DEFAULT '{}',
	designated_for text,
	anticoagulant  text,
	additive       text,
	batch          text,
	donor_ref      text,
	CHECK (collected_at < expires_at),
	-- a unit is held for one request at most, and not longer than it lives
	CHECK ((status = 'reserved') = (reserved_until IS NOT NULL)),
	CHECK (status <> 'reserved' OR request_id IS NOT NULL),
	CHECK (status NOT IN ('available', 'quarantined', 'in_transit') OR request_id IS NULL),
	CHECK (reserved_until <= expires_at)
) WITH (fillfactor = 80);
COMMENT ON COLUMN unit.profile IS 'the attributes that rules know by name, as bits: units of one profile are interchangeable but for their age';
COMMENT ON COLUMN unit.request_id IS 'whom it is held for or went to. No foreign key: its checks cost a seventh of all decisions; a test compares the books';
COMMENT ON COLUMN unit.initial_status IS 'as it was received, to tell a repeated report from a different one';

-- The oldest first: in the order in which they are given out.
CREATE INDEX unit_fefo ON unit (bank_id, component, blood_group, profile, expires_at, unit_id)
	WHERE status = 'available' AND designated_for IS NULL;
CREATE INDEX unit_designated ON unit (designated_for) WHERE status = 'available' AND designated_for IS NOT NULL;
CREATE INDEX unit_expiring ON unit (bank_id, component, blood_group, expires_at) WHERE status = 'available';
-- Whatever comes first, the end of the reservation or of the unit itself.
CREATE INDEX unit_due ON unit ((LEAST(reserved_until, expires_at)), unit_id) WHERE status IN ('available', 'reserved');

-- Whoever allocates holds the shelves' locks, taken in the order of the key.
CREATE TABLE shelf (
	bank_id   facility_id REFERENCES bank,
	component component,
	PRIMARY KEY (bank_id, component)
) WITH (fillfactor = 20);

CREATE TABLE stock (
	bank_id      facility_id,
	component    component,
	blood_group  unit_group,
	available    integer NOT NULL DEFAULT 0 CHECK (available >= 0),
	reserved     integer NOT NULL DEFAULT 0 CHECK (reserved >= 0),
	expiring     integer NOT NULL DEFAULT 0 CHECK (expiring >= 0),
	expiring_until timestamptz NOT NULL DEFAULT '2000-01-01Z',
	version      bigint  NOT NULL DEFAULT 1 CHECK (version >= 1),
	demand_28_days integer CHECK (demand_28_days > 0),
	PRIMARY KEY (bank_id, component, blood_group),
	FOREIGN KEY (bank_id, component) REFERENCES shelf
) WITH (fillfactor = 20);
COMMENT ON COLUMN stock.expiring IS 'of the available units: those that expire by expiring_until, which lies 24 hours ahead of the last change; reset to (0, 2000-01-01) it is counted anew';
COMMENT ON COLUMN stock.demand_28_days IS 'units used in 28 days, configured until there is a history; null: unknown';

-- Of the available units that are for anyone: how many there are of each profile.
CREATE TABLE bin (
	bank_id     facility_id,
	component   component,
	blood_group unit_group,
	profile     integer CHECK (profile >= 0),
	available   integer NOT NULL CHECK (available >= 0),
	PRIMARY KEY (bank_id, component, blood_group, profile),
	FOREIGN KEY (bank_id, component, blood_group) REFERENCES stock
) WITH (fillfactor = 20);

-- A bank has all its shelves from the first day on, so that there is always something to lock.
CREATE FUNCTION bank_opens() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
	INSERT INTO shelf SELECT NEW.bank_id, component
	FROM unnest(ARRAY['red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets']) component;
	INSERT INTO stock (bank_id, component, blood_group)
	SELECT s.bank_id, s.component, blood_group
	FROM shelf s, unnest(ARRAY['O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+']) blood_group
	WHERE s.bank_id = NEW.bank_id;
	RETURN NULL;
END $$;
CREATE TRIGGER bank_opens AFTER INSERT ON bank FOR EACH ROW EXECUTE FUNCTION bank_opens();

GRANT SELECT, INSERT, UPDATE ON unit, bin TO :"role";
GRANT SELECT, UPDATE ON shelf, stock TO :"role";
