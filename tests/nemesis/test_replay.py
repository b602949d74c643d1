"""A day's traffic, all of it, told again, and again: no row changes, no event has a new id."""
import json

import pika
import pytest

import bodies
from chain import GROUPS
from servers import wait_until
from trial import PLANS, TABLES, queues_of

WORKERS = tuple(PLANS)
REQUESTS = 40
UNITS = 30
REPLAYS = 2


def day(world):
    """Arrivals, requests of both lanes in both worlds' plans, some more, some of them sent twice."""
    for plan in (PLANS["bloodbank"](), PLANS["hospital"](), PLANS["notification"](), PLANS["appointment"]()):
        for event, body, keywords in plan.before + plan.batch + plan.late:
            world.publish(event, body, **keywords)
    world.publish("bloodbank.unit.receive", {"bank_id": "bank-002", "units": [
        bodies.unit(1000 + number, group=GROUPS[number % len(GROUPS)]) for number in range(UNITS)]})
    for number in range(REQUESTS):
        world.publish("hospital.blood.request", bodies.request(
            f"day {number}", group=GROUPS[number % len(GROUPS)], quantity=number % 4 + 1, hospital_id=f"hospital-00{number % 4}",
            urgency="emergency" if number % 7 == 0 else "routine"))


def is_quiet(world):
    return (all(world.depth(queue) + world.held(queue) == 0 for name in WORKERS for queue in queues_of(name))
            and all(world.sql(name, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)] for name in WORKERS))


def wait_quiet(world, tap):
    """Long enough that nothing is on its way."""
    looks = []

    def steady():
        tap.connection.process_data_events(time_limit=0.05)
        looks.append(is_quiet(world))
        return len(looks) > 20 and all(looks[-20:])
    wait_until(steady, 60, "quiet")


def rows(world, tables):
    return {(name, table): world.sql(name, f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1") for name in WORKERS
            for table in tables(name)}


def domain(name):
    return TABLES[name]


def everything(name):
    """The machine's own rows included; when an output was last tried is no effect."""
    return (*TABLES[name], "(SELECT * FROM inbox) AS", "(SELECT cause_id, ordinal, message_id, body FROM outbox) AS")


def tell_again(world, tap, said):
    channel = world.connect("admin").channel()
    tap.messages.clear()
    for message in said:
        properties = pika.BasicProperties(message_id=message.id, type=message.type, user_id="admin", delivery_mode=2,
                                          correlation_id=message.properties.correlation_id)
        channel.basic_publish(message.exchange, message.routing_key, message.raw, properties)
    wait_quiet(world, tap)


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["within the horizon", "after the horizon"])
def test_a_day_told_again_changes_nothing(world, is_forgotten):
    """After the horizon the inbox has forgotten it: then the domain's own keys must know it."""
    for name in WORKERS:
        world.start_worker(name)
    tap = world.tap()
    day(world)
    wait_quiet(world, tap)
    tables = domain if is_forgotten else everything
    before, said = rows(world, tables), list(tap.messages)
    known = {message.id for message in said}
    assert len(before["bloodbank", "decision"]) > REQUESTS
    for _ in range(REPLAYS):
        if is_forgotten:
            for name in WORKERS:
                world.sql(name, "TRUNCATE inbox, outbox")
        tell_again(world, tap, said)
        new = {message.id for message in tap.messages} - known
        assert not new, [json.loads(message.raw) for message in tap.messages if message.id in new][:3]
        after = rows(world, tables)
        for table, expected in before.items():
            assert after[table] == expected, f"{table} changed: {sorted(set(after[table]) ^ set(expected))[:4]}"
