-- The facilities of the demo world. Fictional.
INSERT INTO hospital VALUES ('hospital-001'), ('hospital-002'), ('hospital-003') ON CONFLICT DO NOTHING;
INSERT INTO bank VALUES ('bank-001'), ('bank-002') ON CONFLICT DO NOTHING;
INSERT INTO bank_of_hospital VALUES
	('hospital-001', 'bank-001', 4), ('hospital-001', 'bank-002', 38),
	('hospital-002', 'bank-001', 12), ('hospital-002', 'bank-002', 21),
	('hospital-003', 'bank-001', 45), ('hospital-003', 'bank-002', 6)
ON CONFLICT DO NOTHING;
