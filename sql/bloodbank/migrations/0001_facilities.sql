-- Who there is: hospitals, banks, and how far it is between them. Reference data, loaded by the installation, read by the worker.

CREATE DOMAIN facility_id AS text COLLATE "C" CHECK (VALUE ~ '^[a-z0-9-]{1,64}$');
CREATE DOMAIN component AS text COLLATE "C"
	CHECK (VALUE IN ('red_cells', 'whole_blood', 'plasma', 'cryo', 'platelets'));
CREATE DOMAIN unit_group AS text COLLATE "C" CHECK (VALUE IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+'));
CREATE DOMAIN blood_group AS text COLLATE "C"
	CHECK (VALUE IN ('O-', 'O+', 'A-', 'A+', 'B-', 'B+', 'AB-', 'AB+', 'unknown'));

CREATE TABLE hospital (
	hospital_id facility_id PRIMARY KEY
);

CREATE TABLE bank (
	bank_id facility_id PRIMARY KEY,
	zone    text        NOT NULL DEFAULT 'UTC' CHECK (now() AT TIME ZONE zone IS NOT NULL) -- refuses what is no zone
);
COMMENT ON COLUMN bank.zone IS 'IANA name: products that bear a date only end at 23:59 there';

CREATE TABLE bank_of_hospital (
	hospital_id facility_id REFERENCES hospital,
	bank_id     facility_id REFERENCES bank,
	distance_km integer     NOT NULL CHECK (distance_km >= 0),
	PRIMARY KEY (hospital_id, bank_id)
);
CREATE INDEX bank_of_hospital_bank ON bank_of_hospital (bank_id, hospital_id);
COMMENT ON TABLE bank_of_hospital IS 'the banks that serve a hospital: nothing is allocated from any other';

GRANT SELECT ON hospital, bank, bank_of_hospital TO :"role";
