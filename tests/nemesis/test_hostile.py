"""What one message, one row or one dependency must not do to the others: a worker that hears no more, or commits what it doubts."""
import json
import os
import resource
import signal
import struct
import time

import pika
import pytest

import bodies
from servers import wait_until
from trial import counter


def ask_for(world, label, **properties):
    return world.publish("hospital.blood.request", bodies.request(label), message_id=bodies.identity(label), **properties)


def put_straight(world, queue, event, body, **properties):
    """Into the queue itself, as an operator may: past all that the exchanges would refuse."""
    settings = {"type": event, "message_id": bodies.identity(json.dumps([event, body]))} | properties
    channel = world.connect("admin").channel()
    channel.confirm_delivery()
    channel.basic_publish("", queue, json.dumps(body).encode(), pika.BasicProperties(**settings), mandatory=True)


def reasons(world, queue, count):
    parked = []

    def look():
        parked[:] = world.parked(queue)
        return len(parked) == count
    wait_until(look, 10, f"{count} parked of {queue}")
    return [each["properties"]["headers"]["reason"] for each in parked]


def test_a_header_that_fills_a_frame_is_not_handed_on(world):
    """With our own headers added it would not fit, and the broker would end the publishing connection again and again."""
    tap, worker = world.tap(), world.start_worker("hospital")
    ask_for(world, "long", headers={"traceparent": "0" * 130500})
    world.publish("hospital.blood.request", b"no json", headers={"causation_id": "0" * 130500})
    ask_for(world, "next")
    heard = tap.expect("hospital.blood.requested", count=2)
    assert not any("traceparent" in message.headers for message in heard)
    assert reasons(world, "hospital", 1) == ["schema"]
    assert counter(worker, "carebus_connection_failures_total") == 0


def test_a_question_among_the_work_is_parked(world):
    tap, worker = world.tap(), world.start_worker("hospital")
    put_straight(world, "hospital", "hospital.query.request", {"request_id": bodies.identity("whose")})
    ask_for(world, "next")
    tap.one("hospital.blood.requested")
    assert reasons(world, "hospital", 1) == ["not_routed"]
    assert worker.process.poll() is None


def test_a_body_that_is_too_large_is_parked_whole(world):
    world.start_worker("hospital")
    body = json.dumps(bodies.request("large") | {"note": "x" * 300000}).encode()
    world.publish("hospital.blood.request", body)
    assert reasons(world, "hospital", 1) == ["too_large"]
    assert world.parked("hospital")[0]["payload_bytes"] == len(body)


def test_views_that_redis_missed_are_made_up_for(world):
    """More of them than one transaction of the sweeper may read."""
    tap = world.tap()
    worker = world.start_worker("hospital", env={"SWEEP_AFTER_MS": 1500})
    world.servers.kill("redis")
    try:
        for number in range(150):
            ask_for(world, f"many {number}")
        tap.expect("hospital.blood.requested", count=150, timeout=20)
    finally:
        world.servers.start("redis")
    wait_until(lambda: not world.sql("hospital", "SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1"), 40, "all to be sent")
    keys = world.redis().keys("view:request:*")
    assert len(keys) == 150 and worker.process.poll() is None


@pytest.mark.parametrize("table", ["request"])
def test_a_wrong_number_of_rows_is_never_committed(world, table):
    """The database swallows a row without an error: nothing of the message may stay, not even its place in the inbox."""
    world.sql("hospital", "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
    world.sql("hospital", f"CREATE TRIGGER swallow BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION swallow()")
    worker = world.start_worker("hospital")
    ask_for(world, "swallowed")
    assert worker.wait() == 70
    assert world.sql("hospital", "SELECT count(*) FROM inbox") == [(0,)]
    assert world.sql("hospital", "SELECT count(*) FROM outbox") == [(0,)]


def test_a_stop_does_not_wait_for_a_database_that_hangs(world):
    """Frozen, not gone: its kernel goes on answering, so that nothing but a limit of our own ends the wait."""
    tap, worker = world.tap(), world.start_worker("hospital")
    [(backend,)] = world.sql("hospital", "SELECT pid FROM pg_stat_activity WHERE usename = 'hospital' AND datname = current_database()")
    os.kill(backend, signal.SIGSTOP)
    try:
        ask_for(world, "frozen")
        tap.one("hospital.blood.request")
        begin = time.monotonic()
        assert worker.stop(timeout=10) == 0
        assert time.monotonic() - begin < 5
    finally:
        os.kill(backend, signal.SIGCONT)


@pytest.fixture
def narrow_stack():
    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (1024 * 1024, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_STACK, before)


def test_deeply_nested_headers_do_not_exhaust_the_stack(world, narrow_stack, monkeypatch):
    """librabbitmq reads them by recursion, whatever limit the worker was started with."""
    deep = b""
    for _ in range(18000):
        deep = b"\x01nF" + struct.pack(">I", len(deep)) + deep
    encode = pika.data.encode_table

    def encode_deep(pieces, table):
        if table != {"deep": True}:
            return encode(pieces, table)
        pieces.append(struct.pack(">I", len(deep)) + deep)
        return len(deep) + 4
    monkeypatch.setattr(pika.data, "encode_table", encode_deep)
    worker = world.start_worker("hospital")
    ask_for(world, "deep", headers={"deep": True})
    ask_for(world, "next")
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM inbox") >= [(2,)], 10, "both to be taken")
    assert worker.process.poll() is None
