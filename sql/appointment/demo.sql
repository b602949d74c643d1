-- The fictional clinics of the demo world, in three time zones.
INSERT INTO clinic (clinic_id, name, zone) VALUES
	('clinic-001', 'Harbour Street Family Clinic', 'Europe/London'),
	('clinic-002', 'Maple Avenue Outpatient Clinic', 'America/New_York'),
	('clinic-003', 'Southern Cross Day Clinic', 'Australia/Sydney')
ON CONFLICT (clinic_id) DO UPDATE SET name = EXCLUDED.name, zone = EXCLUDED.zone
WHERE (clinic.name, clinic.zone) <> (EXCLUDED.name, EXCLUDED.zone);
