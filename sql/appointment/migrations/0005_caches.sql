-- Who keeps lists of slots in memory, and a list that can be kept. The rules are in lib/coherence.h: whoever changes a list tells each
-- row's cache first, and waits for it.

CREATE TABLE cache (
	incarnation   bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name          text        COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9._-]{1,64}$'),
	generation    bigint      CHECK (generation > 0),
	is_fenced     boolean     NOT NULL DEFAULT false,
	registered_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cache IS 'a row for each start of a lease, never taken over by the next one';
COMMENT ON COLUMN cache.name IS 'how it is reached: appointment.cache.<name>';
COMMENT ON COLUMN cache.generation IS 'place in the log at which it was there for all to see; null: not yet known to it';
COMMENT ON COLUMN cache.is_fenced IS 'it did not answer; its lease is not renewed any more';

GRANT SELECT, INSERT, UPDATE, DELETE ON cache TO appointment;

-- The list of a provider's slots of one day, with its certificate: a place in the log, read behind the lock that whoever changes the
-- list holds (key_lock in queries.sql), and before the list. 0: the lock was taken, the list is true now and must not be kept. Each of
-- the three is a statement of its own and sees what was committed before it, which is so under READ COMMITTED alone; elsewhere the
-- certificate is 0. To be called by itself: the lock ends with the transaction. There is always a row, of a day without slots too.
CREATE FUNCTION slot_list(of_provider text, of_date date)
RETURNS TABLE (certificate bigint, horizon_days bigint, version bigint, slot_id text, clinic_id text, room_id text,
	appointment_type text, starts_at timestamptz, ends_at timestamptz, state text)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	certificate := 0;
	IF current_setting('transaction_isolation') = 'read committed' AND pg_try_advisory_xact_lock_shared(
			hashtextextended('day ' || of_provider || ' ' || to_char(of_date, 'YYYY-MM-DD'), 0)) THEN
		certificate := pg_current_wal_flush_lsn() - '0/0'::pg_lsn;
	END IF;
	RETURN QUERY
	SELECT slot_list.certificate, of_all.horizon_days, of_all.version, s.slot_id, s.clinic_id::text, s.room_id::text,
		s.appointment_type, s.starts_at, s.ends_at,
		CASE WHEN s.appointment_id IS NOT NULL THEN 'booked' WHEN s.is_blocked THEN 'blocked' WHEN s.held_until IS NOT NULL THEN 'held'
			ELSE 'free' END
	FROM (SELECT (SELECT max(p.horizon_days)::bigint FROM schedule p WHERE p.provider_id = of_provider),
			coalesce((SELECT d.version FROM day d WHERE d.provider_id = of_provider AND d.date = of_date), 0)
		) AS of_all (horizon_days, version)
	LEFT JOIN slot s ON s.provider_id = of_provider AND s.date = of_date
	ORDER BY s.starts_at LIMIT 512;
END
$$;

REVOKE EXECUTE ON FUNCTION slot_list FROM PUBLIC;
GRANT EXECUTE ON FUNCTION slot_list TO appointment;
