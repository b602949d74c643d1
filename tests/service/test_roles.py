"""What the runtime roles of PostgreSQL and Redis may not do is tried, each, and refused."""
import psycopg2
import pytest
import redis

from servers import DATABASES, DOORS

VIEW = "view:request:1"


def connect(servers, role, database):
    return servers.connect(database, role, f"postgres-{role}")


def query(servers, database, statement, arguments):
    with servers.connect(database) as link, link.cursor() as cursor:
        cursor.execute(statement, arguments)
        rows = cursor.fetchall()
    link.close()
    return rows


@pytest.mark.parametrize("role", DATABASES)
def test_no_worker_reaches_anothers_database(servers, role):
    connect(servers, role, role).close()
    for other in set(DATABASES) - {role}:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            connect(servers, role, other)


@pytest.mark.parametrize("role", DATABASES)
@pytest.mark.parametrize("statement", [
    "CREATE TABLE mine (a int)", "CREATE TEMPORARY TABLE mine (a int)", "DROP TABLE inbox", "ALTER TABLE inbox ADD COLUMN a int",
    "TRUNCATE inbox", "CREATE SCHEMA mine", "CREATE ROLE mine", "UPDATE schema_migration SET number = 0",
    "SET ROLE postgres", "CREATE EXTENSION pgcrypto", "COPY inbox TO PROGRAM 'true'"])
def test_runtime_roles_run_no_ddl(servers, role, statement):
    if "SET ROLE" in statement:
        statement = f"SET ROLE {role}_owner"
    with connect(servers, role, role) as link, link.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute(statement)
    link.close()


@pytest.mark.parametrize("role", DATABASES)
def test_runtime_roles_own_nothing_and_have_limits(servers, role):
    assert query(servers, role, "SELECT relname FROM pg_class WHERE relowner = %s::regrole", [role]) == []
    settings = query(servers, role, "SELECT unnest(rolconfig) FROM pg_roles WHERE rolname = %s", [role])
    assert {text for text, in settings} == {
        "plan_cache_mode=force_generic_plan", "statement_timeout=10s", "lock_timeout=4s",
        "idle_in_transaction_session_timeout=10s", "enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off",
        "jit=off"}


@pytest.mark.parametrize("user", DATABASES + DOORS)
@pytest.mark.parametrize("command", [
    ["EVAL", "return 1", "0"], ["SCRIPT", "LOAD", "return 1"], ["FUNCTION", "FLUSH"], ["FUNCTION", "LOAD", "#!lua name=x"],
    ["SET", VIEW, "x"], ["DEL", VIEW], ["FLUSHALL"], ["CONFIG", "GET", "*"], ["KEYS", "*"], ["ACL", "LIST"], ["SHUTDOWN"],
    ["GET", "other:1"], ["HGET", "other:1", "body"], ["FCALL", "view_put", "1", "other:1", "1", "9", "{}"],
    ["SUBSCRIBE", "x"]], ids=" ".join)
def test_redis_users_may_only_call_functions_on_views(servers, user, command):
    with pytest.raises(redis.exceptions.ResponseError, match="(?i)no permissions|NOPERM"):
        servers.redis(user).execute_command(*command)


def test_redis_refuses_strangers(servers):
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=servers.port["REDIS_PORT"]).ping()


@pytest.fixture
def store(servers):
    """Redis as a worker sees it, empty."""
    servers.redis().flushall()
    return servers.redis("hospital")


def put(store, version, body, ttl=300):
    return store.fcall("view_put", 1, VIEW, version, ttl, body)


def test_an_older_view_never_overwrites_a_newer(store):
    assert put(store, 0, "zero") == 1
    assert put(store, 9, "nine") == 1
    assert put(store, 10, "ten") == 1, "versions are numbers, not texts"
    assert put(store, 9, "late") == 0
    assert put(store, 10, "ten again") == 1
    assert store.hgetall(VIEW) == {"version": "10", "body": "ten again"}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_reads_views_and_its_guess_replaces_none(servers, store, door):
    guesser = servers.redis(door)
    assert guesser.hmget(VIEW, "version", "body") == [None, None]
    assert put(guesser, 0, "guess") == 1
    assert put(store, 1, "told") == 1, "what the owner tells goes over the guess"
    assert put(guesser, 0, "late guess") == 0
    assert guesser.hmget(VIEW, "version", "body") == ["1", "told"]
    for command in ["HGETALL", VIEW], ["TTL", VIEW], ["INFO"]:
        with pytest.raises(redis.exceptions.ResponseError, match="(?i)no permissions|NOPERM"):
            guesser.execute_command(*command)


def test_a_view_ends_after_its_time(store):
    put(store, 1, "one", ttl=200)
    assert 195 < store.ttl(VIEW) <= 200
    put(store, 2, "two", ttl=300)
    assert 295 < store.ttl(VIEW) <= 300


@pytest.mark.parametrize("words", [[VIEW], [VIEW, "1", "300"], [VIEW, "one", "300", "{}"], [VIEW, "1", "0", "{}"],
                                   [VIEW, "1", "-5", "{}"], [VIEW, "1", "300", "{}", "more"]])
def test_a_wrong_call_is_refused(store, words):
    with pytest.raises(redis.exceptions.ResponseError, match="view_put KEY version"):
        store.execute_command("FCALL", "view_put", 1, *words)
    assert store.exists(VIEW) == 0


def test_functions_survive_a_restart_of_redis(servers):
    put(servers.redis("hospital"), 1, "one")
    servers.kill("redis")
    servers.start("redis")
    store = servers.redis("hospital")
    assert store.exists(VIEW) == 0, "what Redis held is gone on purpose"
    assert put(store, 1, "one") == 1
