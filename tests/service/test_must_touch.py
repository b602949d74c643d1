"""Statements that must change as many rows as they are given: each says so itself, and the commit that was sent with it is void."""
import re
import sys
import uuid

import psycopg2
import pytest

from servers import DATABASES, PROJECT

sys.path.insert(0, str(PROJECT / "sql"))
import embed  # noqa: E402

ADDING = {("notification", "notification_add"), ("appointment", "schedule_put")}  # find nothing missing in an unknown key
UNKNOWN = {"uuid": str(uuid.UUID(int=7)), "text": "nobody", "bigint": "1", "boolean": "true", "timestamptz": "2026-01-01"}
STATEMENTS = {(database, name): text for database in DATABASES
              for name, text in embed.read_queries(PROJECT / "sql" / database / "queries.sql")}
COUNTED = [key for key, text in STATEMENTS.items() if "must_touch(" in text]


def given(text, count):
    """Arguments of a statement, as SQL: each parameter an array of so many values that nobody has."""
    kinds = {int(number): kind for number, kind in re.findall(r"\$(\d+)::(\w+)\[\]", text)}
    assert sorted(kinds) == list(range(1, len(kinds) + 1)), "every parameter is an array"
    return ", ".join("ARRAY[{}]::{}[]".format(", ".join([f"'{UNKNOWN[kinds[number]]}'"] * count), kinds[number])
                     for number in sorted(kinds))


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


@pytest.mark.parametrize("database, name", [key for key in COUNTED if key not in ADDING])
def test_a_row_that_is_missing_voids_the_commit(world, database, name):
    with pytest.raises(psycopg2.errors.AssertFailure, match="touched 0 rows instead of 1"):
        run(world, database, name, 1)
    assert not world.sql(database, "SELECT consumer FROM inbox")
    run(world, database, name, 0)
    assert world.sql(database, "SELECT consumer FROM inbox")


def test_every_change_of_rows_that_were_given_is_counted():
    changing = {key for key, text in STATEMENTS.items()
                if re.search(r"\b(UPDATE(?! SET)|DELETE FROM)\b(?!\s*;)", text.replace("FOR UPDATE", ""))}
    pruning = {("appointment", "command_prune"), ("notification", "notification_prune")}
    assert changing - pruning | ADDING == set(COUNTED)
