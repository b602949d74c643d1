-- The fictional hospitals of the demo world.
INSERT INTO hospital (hospital_id, name) VALUES
	('hospital-001', 'Northfield General Hospital'),
	('hospital-002', 'Saint Elmo Teaching Hospital'),
	('hospital-003', 'Riverside Maternity and Children''s Hospital')
ON CONFLICT (hospital_id) DO UPDATE SET name = EXCLUDED.name WHERE hospital.name <> EXCLUDED.name;
