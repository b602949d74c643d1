-- What a hospital has on its own shelves. Filled by receipts; so far it is only read.

CREATE TABLE hospital_stock (
	hospital_id text    CHECK (hospital_id ~ '^[a-z0-9-]{1,64}$'),
	component   text    CHECK (component IN ('red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets')),
	blood_group text    CHECK (blood_group IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+')),
	on_hand     integer NOT NULL CHECK (on_hand >= 0),
	version     bigint  NOT NULL DEFAULT 1 CHECK (version > 0),
	PRIMARY KEY (hospital_id, component, blood_group)
);
COMMENT ON COLUMN hospital_stock.version IS 'raised by each change; orders the updates that others see';

GRANT SELECT ON hospital_stock TO hospital;
