"""Places in the list of notifications: a reader who goes on from a place never misses one, however many processes write."""
import random
import sys
import uuid

import psycopg2
import pytest

from notices import approved, check_books, requested, tell
from servers import PROJECT, wait_until

sys.path.insert(0, str(PROJECT / "sql"))
import embed  # noqa: E402

QUERIES = dict(embed.read_queries(PROJECT / "sql" / "notification" / "queries.sql"))
FACTS = 400
HOSPITALS = ("hospital-001", "hospital-002")


def add(link, request_id):
    """Run the worker's own statement with one notification, in a transaction that stays open."""
    values = ("uuid", uuid.uuid4()), ("text", "hospital-001"), ("text", "hospital"), ("text", "request_received"), (
        "boolean", False), ("text", f"request:{request_id}"), ("text", "requested"), ("text", "told"), (
        "timestamptz", "2026-01-01"), ("timestamptz", None), ("timestamptz", None), ("text", None), ("timestamptz", None), (
        "text", None), ("text", None), ("text", None)
    arrays = ", ".join(f"ARRAY[%s]::{kind}[]" for kind, _ in values)
    with link.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
        cursor.execute(f"PREPARE add_one AS {QUERIES['notification_add']}")
        cursor.execute(f"EXECUTE add_one ({arrays})", [value if value is None else str(value) for _, value in values])


def test_nobody_gets_a_later_place_before_the_earlier_is_visible(world):
    """Otherwise a reader would see the later one, go on from there, and never see the earlier one."""
    first, second = (world.servers.connect(world.database("notification"), "notification", "postgres-notification")
                     for _ in range(2))
    for link in (first, second):
        link.autocommit = False
        with link.cursor() as cursor:
            cursor.execute("SET lock_timeout = '300ms'")
        link.commit()
    add(first, 1)
    with pytest.raises(psycopg2.errors.LockNotAvailable):
        add(second, 2)
    second.rollback()
    first.commit()
    add(second, 2)
    second.commit()
    assert world.sql("notification", "SELECT entity, position FROM notification ORDER BY position") == [
        ("request:1", 1), ("request:2", 2)]
    for link in (first, second):
        link.close()


class Reader:
    """Polls the list from its last place, as the bridge's clients do."""

    def __init__(self, world, **question):
        self.world = world
        self.question = question
        self.ids = []
        self.place = {}

    def poll(self):
        page = self.world.ask("notification.query.messages", {**self.question, **self.place, "limit": 100}).body
        self.ids += [item["notification_id"] for item in page["items"]]
        self.place = {"after": page["next"]}
        return page["items"]


def batches(worker):
    return sum(value for name, value in worker.metrics().items() if name.startswith("carebus_batches_total"))


def test_two_processes_tell_once_and_readers_miss_nothing(world):
    """Each fact comes twice, in two messages, mostly to both processes at about the same time."""
    workers = [world.start_worker("notification", {"INSTANCE": str(number)}) for number in (1, 2)]
    readers = [Reader(world), *(Reader(world, facility_id=hospital) for hospital in HOSPITALS)]
    dice = random.Random(11)
    sent = 0
    for _ in range(FACTS // 2):
        asked = requested(hospital_id=dice.choice(HOSPITALS), urgency=dice.choice(("emergency", "routine")))
        for event, body in (("hospital.blood.requested", asked), ("bloodbank.blood.approved", approved(asked))):
            for _ in range(2):
                tell(world, event, body)
                sent += 1
        if dice.random() < 0.1:
            dice.choice(readers).poll()
    wait_until(lambda: world.sql("notification", "SELECT count(*) FROM inbox")[0][0]
               == sent + check_books(world)[0] and check_books(world)[1] == 0, 30, "all to be told and delivered")
    wait_until(lambda: not any([reader.poll() for reader in readers]), what="the readers to be at the end")
    rows = world.sql("notification", "SELECT notification_id::text, facility_id FROM notification ORDER BY position")
    assert len(rows) >= FACTS and all(batches(worker) > 1 for worker in workers)
    assert readers[0].ids == [row[0] for row in rows]
    for hospital, reader in zip(HOSPITALS, readers[1:]):
        assert reader.ids == [row[0] for row in rows if row[1] == hospital]
    assert not world.parked("notification") and not world.parked("notification.emergency")
