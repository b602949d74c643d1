-- A statement that must change exactly so many rows says so itself: whoever sent it need not wait for the count before the commit.
CREATE FUNCTION must_touch(touched bigint, wanted bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF touched IS DISTINCT FROM wanted THEN
		RAISE EXCEPTION 'touched % rows instead of %', touched, wanted USING ERRCODE = 'assert_failure';
	END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION must_touch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION must_touch TO :"role";
