"""The topology on a real broker does what its policies say: limits, parking, time to live, one active consumer."""
import json
import pathlib
import subprocess
import sys

import pika
import pytest

from servers import wait_until

PROJECT = pathlib.Path(__file__).resolve().parents[2]
WORK_QUEUES = ("hospital", "hospital.emergency", "bloodbank", "bloodbank.emergency", "notification", "notification.emergency",
               "appointment")
DELIVERY_LIMIT = 20
VHOST = "topology"


@pytest.fixture(scope="module")
def admin(servers):
    servers.apply_topology(VHOST)
    connection = pika.BlockingConnection(pika.ConnectionParameters(
        "127.0.0.1", servers.port["AMQP_PORT"], VHOST, pika.PlainCredentials("admin", servers.secret("amqp-admin")),
        heartbeat=0))
    yield connection
    connection.close()


@pytest.fixture
def channel(admin):
    made = admin.channel()
    made.confirm_delivery()
    yield made
    if made.is_open:
        made.close()


def waiting(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def live(servers, path):
    answer = servers.http.get(servers.management(path), timeout=10)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expected")
    generator = str(PROJECT / "amqp-topology" / "generate.py")
    subprocess.run([sys.executable, generator, "code", "--output", str(folder)], check=True)
    return json.loads((folder / "topology.json").read_text("utf-8"))


@pytest.mark.parametrize("part, path, names", [
    ("exchanges", f"exchanges/{VHOST}", ("name", "type", "durable", "arguments")),
    ("queues", f"queues/{VHOST}", ("name", "durable", "auto_delete", "arguments")),
    ("bindings", f"bindings/{VHOST}", ("source", "destination", "destination_type", "routing_key", "arguments")),
    ("policies", f"policies/{VHOST}", ("name", "pattern", "apply-to", "priority", "definition")),
    ("permissions", f"vhosts/{VHOST}/permissions", ("user", "configure", "write", "read")),
    ("topic_permissions", f"vhosts/{VHOST}/topic-permissions", ("user", "exchange", "write", "read")),
])
def test_broker_has_what_the_contract_says(part, path, names, servers, admin, expected):
    def picked(rows):
        return sorted(json.dumps({name: row[name] for name in names}, sort_keys=True) for row in rows)
    found = [row for row in live(servers, path) if row.get("source") != ""]
    found = [row for row in found if row.get("name") != "" and not row.get("name", "").startswith("amq.")]
    assert picked(found) == picked(expected[part])


def test_every_queue_runs_under_its_policy(servers, admin, expected):
    def effective():
        rows = {row["name"]: row for row in live(servers, f"queues/{VHOST}")}
        return all("effective_policy_definition" in row for row in rows.values()) and rows
    rows = wait_until(effective, 15, "the policies to be in effect")
    for queue in expected["queues"]:
        policy = next(row for row in expected["policies"] if row["name"] == rows[queue["name"]]["policy"])
        assert rows[queue["name"]]["effective_policy_definition"] == policy["definition"]


@pytest.mark.parametrize("queue", WORK_QUEUES)
def test_a_message_delivered_too_often_is_parked(queue, channel):
    channel.basic_publish("", queue, b"poison", mandatory=True)
    deliveries = 0
    for method, _, _ in channel.consume(queue, inactivity_timeout=2):
        if method is None:
            break
        deliveries += 1
        channel.basic_nack(method.delivery_tag, requeue=True)
    channel.cancel()
    assert deliveries == DELIVERY_LIMIT + 1
    wait_until(lambda: waiting(channel, f"{queue}.parked") == 1, 10, "the message to be parked")
    _, properties, body = channel.basic_get(f"{queue}.parked", auto_ack=True)
    assert body == b"poison" and properties.headers["x-death"][0]["queue"] == queue
    assert waiting(channel, queue) == 0


def test_questions_die_after_five_seconds(channel):
    channel.basic_publish("hospital", "hospital.query.request", b"{}", mandatory=True)
    assert waiting(channel, "hospital.query") == 1
    wait_until(lambda: waiting(channel, "hospital.query") == 0, 15, "the question to expire")


def test_looking_at_parked_messages_does_not_use_them_up(channel):
    channel.basic_publish("parked", "hospital", b"look", mandatory=True)
    for _ in range(3 * DELIVERY_LIMIT):
        method, _, body = channel.basic_get("hospital.parked")
        assert body == b"look"
        channel.basic_nack(method.delivery_tag, requeue=True)
    method, _, _ = channel.basic_get("hospital.parked")
    channel.basic_ack(method.delivery_tag)


@pytest.mark.parametrize("queue, alone", [("bloodbank", True), ("bloodbank.emergency", True), ("hospital", False)])
def test_one_active_consumer_where_order_matters(queue, alone, admin, channel):
    heard = {"first": [], "second": []}
    other = admin.channel()
    for name, door in (("first", channel), ("second", other)):
        door.basic_qos(prefetch_count=1)
        door.basic_consume(queue, lambda *delivery, name=name: heard[name].append(delivery[-1]), consumer_tag=name)
    for number in range(2):
        channel.basic_publish("", queue, b"%d" % number, mandatory=True)

    def settled():
        admin.process_data_events(time_limit=0.1)
        return heard["first"] and (alone or heard["second"])
    wait_until(settled, 10, "deliveries")
    assert (not heard["second"]) == alone
    other.close()
    channel.basic_cancel("first")
    channel.queue_purge(queue)


def test_the_definitions_may_be_applied_again(servers, admin, channel):
    channel.basic_publish("parked", "bloodbank", b"stays", mandatory=True)
    servers.apply_topology(VHOST)
    _, _, body = channel.basic_get("bloodbank.parked", auto_ack=True)
    assert body == b"stays"
