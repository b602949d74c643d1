"""What every worker promises about its messages, shown by the hospital: faulty ones are parked with their reason while their
neighbours go on, what comes again hears the same, and the process tells how it is."""
import json
import os
import signal
import subprocess
import time
import uuid

import pika
import pytest
from prometheus_client.parser import text_string_to_metric_families

from servers import BUILD, wait_until

NESTED_TABLES = 8000
STOP_SECONDS = 5
ACKS_TOGETHER_S = 0.04  # lib/worker_ack.c
# Mostly none. A worker that simply ends leaves all that it was sent, 256; but what the broker is about to send at the moment of the
# cancel, a few messages, it marks as redelivered itself, and no wait of the worker's keeps a busy broker from it.
RETURNED = 10
MANY = 1500


def request(**changes):
    return {"request_id": str(uuid.uuid4()), "hospital_id": "hospital-001", "component": "red_cells", "group": "O-",
            "quantity": 1, "urgency": "routine"} | changes


def send(world, exchange, key, raw, **properties):
    """As admin, who may send anything anywhere."""
    channel = world.connect("admin").channel()
    channel.confirm_delivery()
    settings = {"user_id": "admin", "delivery_mode": 2, "message_id": str(uuid.uuid4())} | properties
    channel.basic_publish(exchange, key, raw, pika.BasicProperties(**settings), mandatory=True)
    channel.close()


def encoded(**changes):
    return json.dumps(request(**changes)).encode()


REQUEST = "hospital.blood.request"
# reason: (exchange, routing key, body, properties)
FAULTS = {
    "schema": ("hospital", REQUEST, encoded(quantity=101), {}),
    "schema not json": ("hospital", REQUEST, b"{\"request_id\":", {}),
    "schema no object": ("hospital", REQUEST, b"[]", {}),
    "schema empty": ("hospital", REQUEST, b"", {}),
    "schema bytes": ("hospital", REQUEST, b"\xff\x00{}", {}),
    "schema nul": ("hospital", REQUEST, encoded(note="a\0b"), {}),
    "schema half a sign": ("hospital", REQUEST, encoded(note="a").replace(b'"a"', b'"\\ud83d"'), {}),
    "schema twice": ("hospital", REQUEST, b'{"quantity":1,"quantity":2}', {}),
    "no_id": ("bloodbank", "bloodbank.blood.rejected", json.dumps({
        "request_id": str(uuid.uuid4()), "hospital_id": "hospital-001", "decision": "rejected", "reason": "cancelled",
        "decided_at": "2026-01-01T00:00:00Z"}).encode(), {"message_id": None}),
    "bad_id": ("hospital", REQUEST, encoded(), {"message_id": "number 7"}),
    "unknown_type": ("hospital", REQUEST, encoded(), {"type": "hospital.blood.request.loudly"}),
    "unknown_type key": ("", "hospital", encoded(), {}),
    "not_routed": ("", "hospital", b"{}", {"type": "bloodbank.unit.receive"}),
    "not_routed question": ("", "hospital", json.dumps({"request_id": str(uuid.uuid4())}).encode(),
                            {"type": "hospital.query.request"}),
    "type_mismatch": ("hospital", REQUEST, encoded(), {"type": "hospital.blood.requested"}),
    "lane": ("hospital", REQUEST + ".emergency", encoded(), {}),
    "too_large": ("hospital", REQUEST, encoded(note="x" * 300000), {}),
}


def test_faults_are_parked_with_their_reason(world):
    """One at a time among good ones; nothing else is touched by it."""
    world.start_worker("hospital")
    tap = world.tap()
    good = []
    for label, (exchange, key, raw, properties) in FAULTS.items():
        send(world, exchange, key, raw, correlation_id=label, **properties)
        good.append(world.publish(REQUEST, request()))
    tap.expect("hospital.blood.requested", count=len(good), where=lambda message: message.headers.get("causation_id") in good)
    parked = wait_until(lambda: [found for found in [world.parked("hospital") + world.parked("hospital.emergency")]
                                 if len(found) == len(FAULTS)], what="the parked messages")[0]
    for message in parked:
        label = message["properties"]["correlation_id"]
        exchange, _, raw, properties = FAULTS[label]
        headers = message["properties"]["headers"]
        assert headers["reason"] == label.split()[0], headers
        assert headers["sender"] == "admin" and headers["attempts"] == 1 and headers["detail"], headers
        assert message["properties"].get("message_id") == properties.get("message_id", message["properties"].get("message_id"))
        if label != "too_large" and message["payload_encoding"] == "string":
            assert message["payload"].encode() == raw, label
    assert {message["routing_key"] for message in parked} == {"hospital", "hospital.emergency"}
    assert world.sql("hospital", "SELECT count(*) FROM request")[0][0] == len(good)
    wait_until(lambda: world.held("hospital") == 0, what="every acknowledgement")


def test_a_parked_message_can_be_replayed(world):
    """It left no row in the inbox: once it is put right, it is taken under the id it had."""
    world.start_worker("hospital")
    tap = world.tap()
    identity = world.publish(REQUEST, request(quantity=0))
    wait_until(lambda: world.parked("hospital"), what="the parked message")
    world.publish(REQUEST, request(), message_id=identity)
    assert tap.one("hospital.blood.requested").headers["causation_id"] == identity


def heard(tap, count, app="hospital"):
    """So many outputs of a worker, as what can be compared."""
    found = []

    def enough():
        tap.connection.process_data_events(time_limit=0.02)
        found[:] = [(message.type, message.id, message.raw) for message in tap.messages if message.properties.app_id == app]
        return len(found) >= count
    wait_until(enough, what=f"{count} outputs")
    tap.messages.clear()
    return sorted(found)


@pytest.mark.parametrize("named", [True, False], ids=["by its id", "by its request id"])
def test_the_same_message_hears_the_same(world, named):
    """Even when the request has gone on since."""
    world.start_worker("hospital")
    tap = world.tap()
    body = request()
    identity = str(uuid.uuid4()) if named else None
    world.publish(REQUEST, body, message_id=identity)
    first = heard(tap, 2)
    world.publish("bloodbank.blood.rejected", {"request_id": body["request_id"], "hospital_id": "hospital-001",
                  "decision": "rejected", "reason": "no_compatible_stock", "decided_at": "2026-01-01T00:00:00Z"}, user="bloodbank")
    heard(tap, 1)
    outbox = "SELECT count(*) FROM outbox"
    rows = world.sql("hospital", outbox)
    world.publish(REQUEST, body, message_id=identity)
    assert heard(tap, 2) == first
    assert world.sql("hospital", outbox) == rows


def test_the_same_id_with_another_body(world):
    """Refused by an event, and parked; the first stays as it was."""
    world.start_worker("hospital")
    tap = world.tap()
    body = request()
    identity = world.publish(REQUEST, body)
    tap.one("hospital.blood.requested")
    world.publish(REQUEST, body | {"quantity": 9}, message_id=identity)
    refused = tap.one("hospital.blood.refused").body
    assert (refused["reason"], refused["causation"], refused["command"]) == ("id_conflict", identity, REQUEST)
    parked = wait_until(lambda: world.parked("hospital"), what="the parked message")[0]
    assert parked["properties"]["headers"]["reason"] == "id_conflict" and parked["properties"]["message_id"] == identity
    assert world.sql("hospital", "SELECT quantity FROM request") == [(1,)]


def raw_table(depth):
    """A field table with so many tables in one another, encoded without recursion."""
    table = b"\x01l" + b"I\x00\x00\x00\x01"
    for _ in range(depth):
        table = b"\x01tF" + len(table).to_bytes(4, "big") + table
    return len(table).to_bytes(4, "big") + table


@pytest.mark.parametrize("headers", [{"": 1}, {"traceparent": {"no": "text"}, "causation_id": 7}, {"depth": NESTED_TABLES}],
                         ids=["a name without letters", "other types", "nested tables"])
def test_strange_headers_do_not_make_deaf(world, monkeypatch, headers):
    """Whatever becomes of the message itself: its neighbours are served, and none is parked for it. (No tap: pika would not
    survive it.)"""
    plain = pika.data.encode_table
    monkeypatch.setattr(pika.data, "encode_table", lambda pieces, table: (
        pieces.append(raw_table(table["depth"])) or len(pieces[-1])) if table and "depth" in table else plain(pieces, table))
    worker = world.start_worker("hospital")
    neighbours = [request() for _ in range(6)]
    for body in neighbours[:3]:
        world.publish(REQUEST, body)
    strange = str(uuid.uuid4())
    send(world, "hospital", REQUEST, encoded(), message_id=strange, headers=headers)
    for body in neighbours[3:]:
        world.publish(REQUEST, body)
    ids = [body["request_id"] for body in neighbours]
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM request WHERE request_id = ANY (%s::uuid[])", [ids]) == [(6,)],
               20, "the neighbours to be recorded")
    wait_until(lambda: world.depth("hospital") == 0 and world.held("hospital") == 0, 20, "the strange message to be done with")
    assert worker.process.poll() is None
    assert {message["properties"].get("message_id") for message in world.parked("hospital")} <= {strange}


def test_acknowledgements_ride_together(world):
    """One message after the other, each decided before the next is sent: fewer acknowledgements than messages, and none is forgotten."""
    worker = world.start_worker("hospital")
    tap = world.tap()
    world.publish(REQUEST, request())
    tap.one("hospital.request.updated")
    before, started = worker.metric("carebus_acknowledgements_total"), time.monotonic()
    for _ in range(30):
        world.publish(REQUEST, request())
        tap.one("hospital.request.updated")
    taken = time.monotonic() - started
    wait_until(lambda: world.held("hospital") == 0, what="all to be acknowledged")
    said = worker.metric("carebus_acknowledgements_total") - before
    assert 1 <= said <= taken / ACKS_TOGETHER_S + 2


def test_doubles_and_conflicts_in_one_batch(world):
    """The first of an id counts, wherever the others stand."""
    worker = world.start_worker("hospital")
    tap = world.tap()
    world.publish(REQUEST, request())  # from now on, what waits is taken at once
    tap.one("hospital.request.updated")
    body, identity = request(), str(uuid.uuid4())
    worker.signal(signal.SIGSTOP)
    for quantity in (1, 1, 5, 1, 6):
        world.publish(REQUEST, body | {"quantity": quantity}, message_id=identity)
    world.publish(REQUEST, request())
    worker.signal(signal.SIGCONT)
    refused = tap.expect("hospital.blood.refused", count=2)
    assert {message.body["reason"] for message in refused} == {"id_conflict"} and len({message.id for message in refused}) == 2
    requested = tap.expect("hospital.blood.requested", count=5)
    assert len({(message.id, message.raw) for message in requested}) == 3
    wait_until(lambda: world.held("hospital") == 0 and len(world.parked("hospital")) == 2, what="two parked, nothing waiting")
    assert world.sql("hospital", "SELECT quantity FROM request WHERE request_id = %s", [body["request_id"]]) == [(1,)]


def test_metrics_and_health(world):
    """Read with a public parser; names have the standard suffixes."""
    worker = world.start_worker("hospital")
    tap = world.tap()
    world.publish(REQUEST, request())
    tap.one("hospital.request.updated")
    wait_until(lambda: worker.metrics().get('carebus_messages_total{instance_id="1",outcome="done",worker="hospital"}', 0) >= 1,
               what="the counter")
    families = list(text_string_to_metric_families(worker.get("/metrics").text))
    assert len(families) >= 8
    for family in families:
        assert family.name.startswith("carebus_") and family.documentation and family.type in ("counter", "gauge", "histogram")
        for sample in family.samples:
            assert sample.labels["worker"] == "hospital" and sample.labels["instance_id"] == "1"
            assert family.type != "counter" or sample.name.endswith("_total"), sample
    assert worker.get("/healthz").status_code == 200 and worker.get("/readyz").status_code == 200
    assert worker.get("/").status_code == 404


def test_sigterm_under_load(world):
    """
    It finishes what it has taken within five seconds and leaves the rest: nothing is lost, and hardly anything comes twice. The
    broker itself returns what it was about to send at the cancel: a worker waits for that, but on a slow machine not for ever.
    """
    worker = world.start_worker("hospital", {"LOG_LEVEL": "info"})
    for count in (1, 2):  # from the second on, much is taken at once
        world.publish(REQUEST, request())
        wait_until(lambda wanted=count: world.sql("hospital", "SELECT count(*) FROM request") == [(wanted,)], what="a request")
    worker.signal(signal.SIGSTOP)
    channel = world.connect("upstream").channel()
    for _ in range(MANY):
        channel.basic_publish("hospital", REQUEST, encoded(), pika.BasicProperties(
            message_id=str(uuid.uuid4()), user_id="upstream", delivery_mode=2))
    wait_until(lambda: world.held("hospital") >= MANY, what="the load")
    started = time.monotonic()
    worker.signal(signal.SIGCONT)
    assert worker.stop() == 0
    assert time.monotonic() - started < STOP_SECONDS
    assert world.sql("hospital", "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND exchange IS NOT NULL") == [(0,)]
    taken = world.sql("hospital", "SELECT count(*) FROM request")[0][0]
    assert 2 < taken < MANY, "it took some and left some"
    following = world.start_worker("hospital")
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM request") == [(MANY + 2,)], 20, "the rest")
    wait_until(lambda: world.depth("hospital") == 0 and world.held("hospital") == 0, what="every acknowledgement")
    assert following.stop() == 0
    suspects = "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'attempt'"
    assert world.sql("hospital", suspects)[0][0] <= RETURNED, "hardly anybody was marked as redelivered"
    assert not world.parked("hospital")


def run_to_its_end(world, **changes):
    """Exit status and log of a worker that should refuse to run."""
    environment = {key: value for key, value in world.environment("hospital", **changes).items() if value != "None"}
    done = subprocess.run([BUILD / "workers" / "hospital" / "carebus-hospital"], env=environment, check=False, timeout=15,
                          capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.parametrize("change, told", [
    ({"AMQP_URL": None}, "AMQP_URL"),
    ({"BATCH_MAX": "0"}, "BATCH_MAX"),
    ({"METRICS_PORT": "many"}, "METRICS_PORT"),
    ({"INSTALLATION_SECRET_FILE": "/nonexistent"}, "INSTALLATION_SECRET"),
    ({"DATABASE_PASSWORD_FILE": None, "DATABASE_PASSWORD": "wrong"}, "password"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_configuration_ends_with_78(world, change, told):
    status, log = run_to_its_end(world, **change)
    assert status == 78 and told in log, (status, log)


@pytest.mark.parametrize("statement, told", [
    ("ALTER DATABASE {database} SET synchronous_commit = off", "synchronous_commit"),
    ("DELETE FROM schema_migration WHERE \"set\" = 'hospital'", "schema"),
    ("INSERT INTO schema_migration (\"set\", number, name, checksum) VALUES ('machine', 99, 'later', '')", "schema"),
], ids=["not durable", "too old", "too new"])
def test_an_unfit_database_ends_with_78(world, statement, told):
    world.sql("hospital", statement.format(database=world.database("hospital")))
    status, log = run_to_its_end(world)
    assert status == 78 and told in log, (status, log)


def test_help_and_check(world):
    program = BUILD / "workers" / "hospital" / "carebus-hospital"
    told = subprocess.run([program, "--help"], check=True, capture_output=True, text=True, env={}).stdout
    assert all(name in told for name in ("AMQP_URL", "DATABASE_PASSWORD", "BATCH_MAX"))
    assert subprocess.run([program, "--check"], env=world.environment("hospital"), check=False).returncode == 0
    assert subprocess.run([program, "--check"], env={"PATH": os.environ["PATH"]}, check=False, capture_output=True).returncode == 78


def test_secrets_are_nowhere_to_be_seen(world):
    """Not in the log, not in the command line."""
    worker = world.start_worker("hospital")
    world.publish(REQUEST, request(quantity=101, note="a private matter"))
    wait_until(lambda: world.parked("hospital"), what="the parked message")
    with open(f"/proc/{worker.pid}/cmdline", encoding="utf-8") as file:
        seen = file.read() + worker.log_text()
    for name in ("amqp-hospital", "postgres-hospital", "redis-hospital", "installation"):
        assert world.servers.secret(name) not in seen
    assert "a private matter" not in seen
