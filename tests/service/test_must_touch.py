"""Statements that must change as many rows as they are given: each says so itself, and the commit that was sent with it is void."""
import re
import sys
import uuid

import psycopg2
import pytest

from servers import DATABASES, PROJECT

sys.path.insert(0, str(PROJECT / "sql"))
import embed  # noqa: E402

STATEMENTS = {(database, name): text for database in DATABASES
              for name, text in embed.read_queries(PROJECT / "sql" / database / "queries.sql")}
COUNTED = [key for key, text in STATEMENTS.items() if "must_touch(" in text]
TABLES = {key: re.search(r"\bINSERT INTO (\w+)", STATEMENTS[key]) for key in COUNTED}
ADDING = [(*key, found[1]) for key, found in TABLES.items() if found]
CHANGING = [key for key, found in TABLES.items() if not found]


def given(text, count):
    """Arguments of a statement, as SQL: each parameter an array of so many NULLs, which are nobody's key."""
    kinds = dict(re.findall(r"\$(\d+)::(\w+)(?:\[\])?", text))
    is_array = {number: f"${number}::{kind}[]" in text for number, kind in kinds.items()}
    return ", ".join(f"ARRAY[{', '.join(['NULL'] * count)}]::{kinds[number]}[]" if is_array[number] else "now()"
                     for number in sorted(kinds, key=int))


def run(world, database, name, count):
    """With the worker's own rights, its commit in the same breath."""
    text = STATEMENTS[database, name]
    link = world.servers.connect(world.database(database), database, f"postgres-{database}")
    try:
        with link.cursor() as cursor:
            cursor.execute(f"PREPARE counted AS {text}")
            cursor.execute(f"BEGIN; INSERT INTO inbox (consumer, message_id, body_sha256) VALUES ('x', '{uuid.uuid4()}', "
                           f"sha256('')); EXECUTE counted ({given(text, count)}); COMMIT")
    finally:
        link.close()


def check(world, database, name):
    with pytest.raises(psycopg2.errors.AssertFailure, match="touched 0 rows instead of 1"):
        run(world, database, name, 1)
    assert not world.sql(database, "SELECT consumer FROM inbox")
    run(world, database, name, 0)
    assert world.sql(database, "SELECT consumer FROM inbox")


@pytest.mark.parametrize("database, name", CHANGING)
def test_a_row_that_is_missing_voids_the_commit(world, database, name):
    check(world, database, name)


@pytest.mark.parametrize("database, name, table", ADDING)
def test_a_row_that_is_swallowed_voids_the_commit(world, database, name, table):
    world.sql(database, "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    world.sql(database, f"CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")
    check(world, database, name)


def test_every_change_of_what_was_given_is_counted():
    changing = {key for key, text in STATEMENTS.items()
                if re.search(r"\b(UPDATE(?! SET)|DELETE FROM|INSERT INTO)\b(?!\s*;)", text.replace("FOR UPDATE", ""))}
    others = {("appointment", "command_prune"), ("notification", "notification_prune"),
              ("appointment", "floor_raise")}  # the greatest of several slots' of a day
    assert changing - others == set(COUNTED)
