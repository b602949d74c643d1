"""`carebus parked` on messages that were really parked: seen, sent again, dropped, and never lost, whatever is killed when."""
import json
import stat

import pika
import pytest

from frames import FrameProxy
from servers import wait_until
from test_client import DONE, FAULT, NO, Client, run_alone

REQUEST = {"hospital_id": "hospital-001", "component": "red_cells", "group": "O-", "quantity": 1, "urgency": "routine"}
BINARY = b"\xff\x00\x1b[2J"
CAUSES = {"schema", "unknown_type", "id_conflict"}


def identity(number):
    return f"00000000-0000-4000-8000-{number:012}"


@pytest.fixture
def operator(world):
    return Client(world)


@pytest.fixture
def admin(world):
    return Client(world, "admin")


def put(world, queue, body=b"{}", **properties):
    """Straight into a queue, confirmed."""
    channel = world.connect("admin").channel()
    channel.confirm_delivery()
    channel.basic_publish("", queue, body, pika.BasicProperties(**properties), mandatory=True)


def wait_for_depth(world, queue, count):
    wait_until(lambda: world.depth(queue) == count, 15, f"{count} in {queue}, which holds {world.depth(queue)}")


@pytest.fixture
def parked(world):
    """What the hospital could not take; it runs no more. 1 schema, 2 no JSON, 3 binary, 4 unknown type, 5 conflict, and an emergency."""
    worker = world.start_worker("hospital")
    world.publish("hospital.blood.request", {**REQUEST, "quantity": 0}, message_id=identity(1), correlation_id="workflow-1",
                  headers={"traceparent": "00-1", "causation_id": identity(9)})
    world.publish("hospital.blood.request", b"{not json", message_id=identity(2))
    world.publish("hospital.blood.request", BINARY, message_id=identity(3))
    put(world, "hospital", type="hospital.blood.bled", message_id=identity(4))
    world.publish("hospital.blood.request", REQUEST, message_id=identity(5))
    world.publish("hospital.blood.request", {**REQUEST, "quantity": 2}, message_id=identity(5))
    channel = world.connect("upstream").channel()
    channel.basic_publish("hospital", "hospital.blood.request.emergency", b"[]", pika.BasicProperties())
    wait_for_depth(world, "hospital.parked", 5)
    wait_for_depth(world, "hospital.emergency.parked", 1)
    assert worker.stop() == 0
    return worker


def ids_of(world, queue):
    return [message["properties"].get("message_id") for message in world.management(
        "queues/{vhost}/" + queue + "/get", "POST", json={"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"})]


# -- list and show

def test_nothing_is_parked(operator):
    assert operator.run("parked", "list") == "nothing is parked\n"
    assert all(row["messages"] == 0 and row["causes"] == [] for row in operator.json("parked", "list")["queues"])
    assert operator.json("parked", "show", "hospital", ends=NO)["shown"] == []


def test_the_causes_are_counted(world, operator, parked):
    rows = {row["queue"]: row for row in operator.json("parked", "list")["queues"]}
    assert set(rows) == {queue["name"] for queue in world.management("queues/{vhost}") if queue["name"].endswith(".parked")}
    causes = {(cause["reason"], cause["event"]): cause for cause in rows["hospital.parked"]["causes"]}
    assert {key: cause["count"] for key, cause in causes.items()} == {
        ("schema", "hospital.blood.request"): 3, ("unknown_type", "hospital.blood.bled"): 1,
        ("id_conflict", "hospital.blood.request"): 1}
    assert rows["hospital.parked"]["messages"] == 5 and rows["bloodbank.parked"]["causes"] == []
    assert all(cause["first"] <= cause["last"] and cause["detail"] for cause in causes.values())
    emergency, = rows["hospital.emergency.parked"]["causes"]
    assert emergency["event"] == "hospital.blood.request", "without type, the key names the event, and the lane is none of it"
    text = operator.run("parked", "list")
    assert "hospital.emergency.parked" in text and "unknown_type" in text
    assert operator.run("parked", "list", "hospital").count("hospital.parked") == 3
    assert "first 2 of 5" in operator.run("parked", "list", "hospital", "--limit", "2")


def test_the_messages_are_shown_and_left(world, operator, parked):
    shown = {(message["message_id"], message["reason"]): message
             for message in operator.json("parked", "show", "hospital")["shown"]}
    first = shown[identity(1), "schema"]
    assert json.loads(first["body"])["quantity"] == 0 and "quantity" in first["detail"]
    assert first["properties"]["correlation_id"] == "workflow-1" and first["properties"]["headers"]["sender"] == "upstream"
    assert shown[identity(3), "schema"]["body"] == {"base64": "/wAbWzJK"}
    assert shown[identity(2), "schema"]["body"] == "{not json"
    assert len(shown) == 5 and {reason for _, reason in shown} == CAUSES
    text = operator.run("parked", "show", "hospital.parked", "--id", identity(3))
    assert "#1  schema" in text and "#2" not in text and "/wAbWzJK" in text and "\033" not in text
    assert operator.json("parked", "show", "hospital", "--reason", "id_conflict")["shown"][0]["message_id"] == identity(5)
    assert operator.json("parked", "show", "hospital", "--event", "hospital.blood.bled")["shown"][0]["reason"] == "unknown_type"
    assert operator.json("parked", "show", "hospital", "--reason", "poison", ends=NO)["shown"] == []
    assert world.depth("hospital.parked") == 5


def test_a_header_without_a_name_hides_nothing(world, admin):
    """librabbitmq can't read such a message, nor what lies behind it; without that header the worker can."""
    put(world, "hospital.parked", json.dumps(REQUEST).encode(), type="hospital.blood.request", message_id=identity(1),
        headers={"": 1, "reason": "odd", "x": "y"})
    put(world, "hospital.parked", message_id=identity(2), headers={"reason": "plain"})
    assert [message["reason"] for message in admin.json("parked", "show", "hospital")["shown"]] == ["odd", "plain"]
    assert admin.json("parked", "replay", "hospital", "--reason", "odd")["settled"] == 1
    waiting, = world.management("queues/{vhost}/hospital/get", "POST", json={
        "count": 9, "ackmode": "ack_requeue_true", "encoding": "auto"})
    assert set(waiting["properties"]["headers"]) - {"x-delivery-count"} == {"x"}
    tap = world.tap()
    world.start_worker("hospital")
    assert tap.one("hospital.blood.requested").body["request_id"] == identity(1)


def test_what_the_broker_parked_is_shown_with_its_first_key(world, admin):
    """Delivered too often, and never with a type."""
    world.management("policies/{vhost}/hospital: after 20 deliveries to hospital.parked", "PUT", json={
        "pattern": "^hospital$", "apply-to": "queues", "priority": 1, "definition": {
            "delivery-limit": 1, "dead-letter-exchange": "parked", "dead-letter-routing-key": "hospital",
            "dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}})
    world.publish("hospital.blood.request", REQUEST, message_id=identity(1), type=None)
    channel = world.connect("admin").channel()

    def is_parked():
        method, _, _ = channel.basic_get("hospital")
        if method:
            channel.basic_nack(method.delivery_tag)
        return world.depth("hospital.parked") == 1
    wait_until(is_parked, 20, "the broker to park it", 0.2)
    shown, = admin.json("parked", "show", "hospital")["shown"]
    assert (shown["reason"], shown["event"], shown["message_id"]) == ("delivery_limit", "hospital.blood.request", identity(1))
    assert shown["parked_at"]
    admin.run("parked", "replay", "hospital", "--reason", "delivery_limit")
    tap = world.tap()
    world.start_worker("hospital")
    requested = tap.one("hospital.blood.requested")
    assert requested.body["request_id"] == identity(1) and world.depth("hospital.parked") == 0


# -- replay

def test_a_replay_sends_the_same_message_to_its_queue(world, admin, parked):
    told = admin.json("parked", "replay", "hospital", "--id", identity(1), "--dry-run")
    assert (told["settled"], told["left"], told["dry_run"], len(told["messages"])) == (0, 5, True, 1)
    assert world.depth("hospital") == 0 and world.depth("hospital.parked") == 5
    assert identity(1) in admin.run("parked", "replay", "hospital", "--id", identity(1))
    method, properties, body = world.connect("admin").channel().basic_get("hospital", auto_ack=True)
    assert (method.exchange, method.routing_key) == ("", "hospital")
    assert json.loads(body) == {**REQUEST, "quantity": 0}
    assert (properties.message_id, properties.type) == (identity(1), "hospital.blood.request")
    assert (properties.correlation_id, properties.content_type) == ("workflow-1", "application/json")
    assert properties.delivery_mode == 2 and properties.user_id is None
    assert {key: value for key, value in properties.headers.items() if key != "x-delivery-count"} == {
        "traceparent": "00-1", "causation_id": identity(9), "sender": "upstream"}
    assert world.depth("hospital.parked") == 4


def test_only_what_is_meant_is_replayed(world, admin, parked):
    told = admin.json("parked", "replay", "hospital", "--reason", "schema")
    assert [message["message_id"] for message in told["messages"]] == [identity(1), identity(2), identity(3)]
    assert (told["settled"], told["left"]) == (3, 2)
    bodies = {message["properties"]["message_id"]: message for message in world.management(
        "queues/{vhost}/hospital/get", "POST", json={"count": 9, "ackmode": "ack_requeue_true", "encoding": "base64"})}
    assert bodies[identity(3)]["payload"] == "/wAbWzJK"
    assert admin.run("parked", "replay", "hospital", "--reason", "schema", ends=NO)
    assert sorted(ids_of(world, "hospital.parked")) == [identity(4), identity(5)]
    assert admin.json("parked", "replay", "hospital.emergency", "--all")["settled"] == 1
    assert world.depth("hospital.emergency") == 1


def test_what_is_not_mended_is_parked_again_once(world, admin, parked):
    world.start_worker("hospital")
    assert admin.json("parked", "replay", "hospital", "--all")["settled"] == 5
    wait_for_depth(world, "hospital.parked", 5)
    causes = admin.json("parked", "list", "hospital")["queues"][0]["causes"]
    assert {cause["reason"] for cause in causes} == CAUSES and sum(cause["count"] for cause in causes) == 5


def test_what_is_mended_is_handled_once(world, admin):
    """The database refuses a request; when it no longer does, and the message is replayed twice, there is one request."""
    world.sql("hospital", "ALTER TABLE request ADD CONSTRAINT broken CHECK (quantity < 50)")
    tap = world.tap()
    world.start_worker("hospital")
    world.publish("hospital.blood.request", {**REQUEST, "quantity": 77}, message_id=identity(1))
    world.publish("hospital.blood.request", REQUEST, message_id=identity(2))
    wait_for_depth(world, "hospital.parked", 1)
    assert tap.one("hospital.blood.requested").body["request_id"] == identity(2)
    cause, = admin.json("parked", "list", "hospital")["queues"][0]["causes"]
    assert cause["reason"] == "constraint"
    world.sql("hospital", "ALTER TABLE request DROP CONSTRAINT broken")
    copy = world.parked("hospital")[0]
    assert admin.json("parked", "replay", "hospital", "--reason", "constraint")["settled"] == 1
    assert tap.one("hospital.blood.requested").body["quantity"] == 77
    put(world, "hospital.parked", copy["payload"].encode(), message_id=identity(1), type="hospital.blood.request",
        headers=copy["properties"]["headers"])
    assert admin.json("parked", "replay", "hospital", "--all")["settled"] == 1
    again = tap.one("hospital.blood.requested")  # the stored answer, under its first id
    assert again.body["quantity"] == 77
    assert world.sql("hospital", "SELECT count(*) FROM request WHERE request_id = %s", (identity(1),)) == [(1,)]
    assert world.sql("hospital", "SELECT count(*) FROM inbox WHERE message_id = %s", (identity(1),)) == [(1,)]
    assert world.depth("hospital.parked") == 0


def test_who_may_not_replay_loses_nothing(world, operator, parked):
    errors = operator.run("parked", "replay", "hospital", "--all", ends=FAULT)
    assert "ACCESS_REFUSED" in errors and "names the admin" in errors
    wait_for_depth(world, "hospital.parked", 5)


def test_a_queue_that_is_missing_or_full_takes_nothing(world, admin, parked):
    world.management("policies/{vhost}/full", "PUT", json={"pattern": "^hospital$", "apply-to": "queues", "priority": 9,
                                                           "definition": {"max-length": 0, "overflow": "reject-publish"}})
    wait_until(lambda: world.management("queues/{vhost}/hospital").get("policy") == "full", 10, "the policy to hold")
    # A quorum queue refuses softly: what it still takes leaves the parked queue, and nothing else does.
    wait_until(lambda: "did not take" in admin.start("parked", "replay", "hospital", "--all").communicate(timeout=30)[1], 20,
               "a refusal", 0.2)
    wait_for_depth(world, "hospital.parked", 5 - world.depth("hospital"))
    world.management("queues/{vhost}/hospital", "DELETE")
    left = world.depth("hospital.parked")
    assert "no queue hospital" in admin.run("parked", "replay", "hospital", "--all", ends=FAULT if left else NO)
    wait_for_depth(world, "hospital.parked", left)


def test_a_missing_parked_queue_does_not_hide_the_others(world, operator, parked):
    world.management("queues/{vhost}/bloodbank.parked", "DELETE")
    process = operator.start("parked", "list")
    output, errors = process.communicate(timeout=30)
    assert process.returncode == DONE and "hospital.parked" in output and "bloodbank.parked is missing" in errors
    assert "NOT_FOUND" in operator.run("parked", "show", "bloodbank", ends=FAULT)


# -- drop

def test_a_drop_is_written_down_first(world, operator, parked, tmp_path):
    path = tmp_path / "dropped.jsonl"
    told = operator.run("parked", "drop", "hospital", "--reason", "unknown_type", "--dry-run", "--to", str(path))
    assert f"would be dropped {identity(4)}" in told and path.read_text() == "" and world.depth("hospital.parked") == 5
    assert "1 dropped, 4 left" in operator.run("parked", "drop", "hospital", "--reason", "unknown_type", "--yes", "--to", str(path))
    assert operator.json("parked", "drop", "hospital", "--id", identity(3), "--yes", "--to", str(path))["settled"] == 1
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["message_id"] for line in lines] == [identity(4), identity(3)]
    assert lines[1]["body"] == {"base64": "/wAbWzJK"} and lines[0]["properties"]["type"] == "hospital.blood.bled"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    output = operator.run("parked", "drop", "hospital", "--all", "--yes")
    assert [json.loads(line)["message_id"] for line in output.splitlines()] == [identity(1), identity(2), identity(5)]
    assert world.depth("hospital.parked") == 0


def test_what_cannot_be_written_down_is_not_dropped(world, operator, parked):
    assert "stays parked" in operator.run("parked", "drop", "hospital", "--all", "--yes", "--to", "/dev/full", ends=FAULT)
    assert "--to" in operator.run("parked", "drop", "hospital", "--all", "--yes", "--to", "/nowhere/file", ends=FAULT)
    wait_for_depth(world, "hospital.parked", 5)


# -- usage

@pytest.mark.parametrize("words, said", [
    ((), "parked list"), (("look",), "parked list"), (("show",), "name a queue"), (("show", "hospitl"), "bloodbank.parked"),
    (("list", "--reason", "x"), "--reason"), (("show", "hospital", "--all"), "--all"), (("show", "hospital", "--yes"), "--yes"),
    (("replay", "hospital"), "--all"), (("replay", "hospital", "--all", "--id", "x"), "--all"),
    (("replay", "hospital", "--all", "--to", "x"), "--to"), (("drop", "hospital", "--all"), "--yes"),
    (("drop", "hospital", "--all", "--yes", "--dry-run"), "--dry-run"), (("drop", "hospital", "--yes"), "--all"),
    (("show", "hospital", "bloodbank"), "one queue")])
def test_wrong_usage_is_explained(words, said):
    environment = {"CAREBUS_AMQP_ADMIN": "amqp://nobody@127.0.0.1:1/x"}
    done = run_alone("parked", *words, **environment)
    assert done.returncode == FAULT and said in done.stderr and not done.stdout


def test_the_missing_environment_is_named():
    done = run_alone("parked", "list")
    assert done.returncode == FAULT and "CAREBUS_AMQP_ADMIN is not set" in done.stderr


# -- killed

KILLED = 3  # messages that are there when it is killed


def start_through(world, client, proxy, *words):
    url = client.environment["CAREBUS_AMQP_ADMIN"].replace(f":{world.servers.port['AMQP_PORT']}/", f":{proxy.port}/")
    return client.start(*words, CAREBUS_AMQP_ADMIN=url)


def kill_at(world, client, number, is_passed, *words):
    """Run the client and kill it at its frame of that number; the kinds of the frames that it sent until then."""
    started = []
    proxy = FrameProxy(world.servers.port["AMQP_PORT"], number, is_passed,
                       lambda: (wait_until(lambda: started), started[0].kill(), started[0].wait()))
    started.append(start_through(world, client, proxy, *words))
    proxy.wait()
    proxy.close()
    started[0].communicate(timeout=20)
    return proxy.sent


@pytest.mark.parametrize("verb", ["replay", "drop"])
def test_a_kill_at_any_frame_loses_nothing(world, admin, tmp_path, verb):
    """Before and after the broker got each frame: every message is parked, or safe, or both; and the next run ends it."""
    ids = {identity(number) for number in range(KILLED)}
    path = tmp_path / "dropped.jsonl"
    words = ["parked", verb, "hospital", "--all"] + (["--yes", "--to", str(path)] if verb == "drop" else [])

    def fill():
        for queue in ("hospital", "hospital.parked"):
            world.management("queues/{vhost}/" + queue + "/contents", "DELETE")
        path.write_text("")
        for one in sorted(ids):
            put(world, "hospital.parked", json.dumps(one).encode(), type="hospital.blood.request", message_id=one,
                headers={"reason": "schema"})

    def safe():
        return ids_of(world, "hospital") + [json.loads(line)["message_id"] for line in path.read_text().splitlines()]

    fill()
    whole = kill_at(world, admin, None, True, *words)
    assert whole.count("basic.get") == whole.count("basic.ack") == KILLED and sorted(safe()) == sorted(ids)
    doubled = 0
    for number in range(whole.index("basic.get") - 1, len(whole)):
        for is_passed in (False, True):
            fill()
            sent = kill_at(world, admin, number, is_passed, *words)
            assert len(sent) == number + 1, "it was killed at that frame"
            wait_until(lambda: ids <= set(safe()) | set(ids_of(world, "hospital.parked")), 10,
                       f"all after {sent[-1]} {number} {is_passed}, not only {safe()} {ids_of(world, 'hospital.parked')}")
            wait_until(lambda: world.depth("hospital.parked") + len(set(safe())) >= KILLED, 10, "the broker to have all back")
            admin.run(*words, ends=DONE if world.depth("hospital.parked") else NO)
            assert set(safe()) == ids and world.depth("hospital.parked") == 0
            assert len(safe()) <= KILLED + 1, "a double at most of the one that was under way"
            doubled += len(safe()) > KILLED
    assert doubled > 0, "no kill came between what makes a message safe and what lets it go"
