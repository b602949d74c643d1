-- Which shelves the requests of these hospitals, and the arrivals at these banks, may touch: a hospital's requests reach all its
-- banks; an arrival reaches all banks of every hospital it serves, because it may fill what waits there.
CREATE FUNCTION reach(hospital_ids text[], hospital_components text[], bank_ids text[], bank_components text[])
RETURNS TABLE (bank_id text, component text) LANGUAGE sql STABLE AS $$
	SELECT b.bank_id::text, asked.component
	FROM unnest(hospital_ids, hospital_components) asked (hospital_id, component)
	JOIN bank_of_hospital b ON b.hospital_id = asked.hospital_id
	UNION
	SELECT b.bank_id::text, came.component
	FROM unnest(bank_ids, bank_components) came (bank_id, component)
	JOIN bank_of_hospital served ON served.bank_id = came.bank_id
	JOIN bank_of_hospital b ON b.hospital_id = served.hospital_id
	UNION
	SELECT came.bank_id, came.component
	FROM unnest(bank_ids, bank_components) came (bank_id, component)
$$;
