"""lib/broker.h against a real broker: what it does with good messages, bad ones, refusals, and a broker that goes away."""
import itertools
import os
import re
import signal
import subprocess
import time

import pika
import pytest

from probe import PROBE, Probe
from servers import wait_until

VHOSTS = itertools.count(1)
CALL_MS = 250  # no call may wait; this much is a busy machine's doing


class Place:
    """A virtual host of one test, with a channel of another library's."""

    def __init__(self, servers):
        self.servers = servers
        self.vhost = f"broker-{next(VHOSTS)}"
        self.probes, self.hung_up = [], []
        assert servers.http.put(servers.management(f"vhosts/{self.vhost}")).ok
        self.allow("admin", ".*", ".*", ".*")
        self.connect()

    def allow(self, user, configure, write, read):
        body = {"configure": configure, "write": write, "read": read}
        assert self.servers.http.put(self.servers.management(f"permissions/{self.vhost}/{user}"), json=body).ok

    def connect(self):
        credentials = pika.PlainCredentials("admin", self.servers.secret("amqp-admin"))
        self.connection = pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.servers.port["AMQP_PORT"], self.vhost, credentials))
        self.channel = self.connection.channel()

    def queue(self, name, **arguments):
        arguments = {"x-queue-type": "quorum"} | {key.replace("_", "-"): value for key, value in arguments.items()}
        self.channel.queue_declare(name, durable=True, arguments=arguments)
        return name

    def publish(self, queue, body=b"{}", **properties):
        self.channel.basic_publish("", queue, body, pika.BasicProperties(**properties))

    def count(self, queue):
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def probe(self, password=None, user="admin"):
        url = f"amqp://127.0.0.1:{self.servers.port['AMQP_PORT']}/{self.vhost}"
        self.probes.append(Probe(url, user, password or self.servers.secret(f"amqp-{user}")))
        return self.probes[-1]

    def hang_up(self, user):
        """The broker closes that user's connection."""
        url = self.servers.management(f"vhosts/{self.vhost}/connections")
        [name] = wait_until(lambda: [each["name"] for each in self.servers.http.get(url).json()
                                     if each.get("user") == user and each["name"] not in self.hung_up],
                            what=f"the connection of {user}")
        self.hung_up.append(name)
        assert self.servers.http.delete(self.servers.management(f"connections/{name}")).ok

    def own_queues(self):
        """What the management API knows of the queues that consumers made for themselves."""
        found = self.servers.http.get(self.servers.management(f"queues/{self.vhost}")).json()
        return [queue for queue in found if queue.get("exclusive")]

    def close(self):
        for probe in self.probes:
            if probe.process.poll() is None:
                probe.end()
        if self.connection.is_open:
            self.connection.close()
        assert self.servers.http.delete(self.servers.management(f"vhosts/{self.vhost}")).ok


@pytest.fixture
def place(servers):
    if not PROBE.exists():
        pytest.fail(f"{PROBE} is not built")
    made = Place(servers)
    yield made
    made.close()


def control(servers, *words):
    """rabbitmqctl, for the run's own broker."""
    environment = os.environ | {"HOME": str(servers.folder / "rabbitmq"), "ERL_EPMD_PORT": str(servers.port["EPMD_PORT"]),
                                "RABBITMQ_NODENAME": "carebus@localhost",
                                "RABBITMQ_CONF_ENV_FILE": str(servers.folder / "rabbitmq" / "environment")}
    subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", *words], env=environment, check=True,
                   stdout=subprocess.DEVNULL, timeout=60)


def test_every_property_and_header_arrives(place):
    place.queue("all")
    place.publish("all", b'{"a":1}', message_id="id", correlation_id="correlation", type="a.b.c", app_id="app",
                  user_id="admin", reply_to="asker", content_type="application/json", timestamp=1700000001,
                  headers={"traceparent": "00-trace", "causation_id": "cause"})
    probe = place.probe()
    assert probe.ask("consume tag 10 all", "consum") == "consuming"
    [heard] = probe.deliveries(1)
    assert heard == {"lane": "0", "tag": "1", "incarnation": "1", "redelivered": "0", "large": "0", "exchange": "-",
                     "key": "all", "id": "id", "correlation": "correlation", "type": "a.b.c", "app": "app",
                     "user": "admin", "reply": "asker", "content": "application/json", "traceparent": "00-trace",
                     "causation": "cause", "time": "1700000001", "bytes": "7", "body": '{"a":1}'}


def test_absent_and_odd_properties_do_no_harm(place):
    place.queue("odd")
    nested = {"a": {"b": [1, {"c": None}]}}
    place.publish("odd", b"")
    place.publish("odd", b"1", headers={"traceparent": nested, "causation_id": 7})
    place.publish("odd", b"2", headers={"x": [[[]]], "traceparent": "first", "tracepareNt": "no"}, type="")
    probe = place.probe()
    probe.do("consume tag 10 odd")
    heard = probe.deliveries(3)
    assert [(each["traceparent"], each["causation"], each["bytes"]) for each in heard] == [
        ("-", "-", "0"), ("-", "-", "1"), ("first", "-", "1")]
    assert [each["tag"] for each in heard] == ["1", "2", "3"]


def test_bodies_in_several_frames_and_too_large_ones(place):
    place.queue("large")
    sizes = (256 * 1024, 256 * 1024 + 1, 1000 * 1000, 131072 - 8, 131072, 1)
    for size in sizes:
        place.publish("large", b"y" * size)
    probe = place.probe()
    probe.do("consume tag 10 large")
    heard = probe.deliveries(len(sizes))
    assert [(each["large"], int(each["bytes"])) for each in heard] == [
        ("0", 256 * 1024), ("1", 256 * 1024 + 1), ("1", 1000 * 1000), ("0", 131072 - 8), ("0", 131072), ("0", 1)]


def test_what_is_published_can_be_read_by_others(place):
    place.queue("out")
    assert place.probe().ask("publisher", "publi") == "publishing"
    assert place.probes[0].send(1, "-", "out", size=300000) == {"confirmed": 1}
    method, properties, body = place.channel.basic_get("out", auto_ack=True)
    assert body == b"x" * 300000 and method.routing_key == "out"
    assert (properties.delivery_mode, properties.content_type, properties.user_id) == (2, "application/json", "admin")
    assert (properties.message_id, properties.correlation_id, properties.type, properties.app_id) == (
        "message-1", "correlation", "some.type", "probe")
    assert properties.timestamp == 1700000000 and properties.reply_to is None
    properties.headers.pop("x-delivery-count", None)
    assert properties.headers == {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                  "causation_id": "cause", "reason": "reason", "attempts": 2, "schema_version": 1}


def test_lanes_and_acknowledgements(place):
    place.queue("routine")
    place.queue("routine.emergency")
    for number in range(4):
        place.publish("routine", str(number).encode())
    place.publish("routine.emergency", b"now")
    probe = place.probe()
    probe.do("consume bank-1 10 routine routine.emergency")
    heard = probe.deliveries(5)
    lanes = {each["body"]: each["lane"] for each in heard}
    assert lanes == {"0": "0", "1": "0", "2": "0", "3": "0", "now": "1"}
    kept = [each for each in heard if each["body"] == "3"]
    for each in heard:
        if each not in kept:
            probe.do(f"ack {each['tag']} 0")
    assert probe.ask("close", "closed")
    wait_until(lambda: place.count("routine") == 1 and place.count("routine.emergency") == 0, what="one message left")
    probe.do("consume bank-1 10 routine routine.emergency")
    [again] = probe.deliveries(1)
    assert (again["body"], again["redelivered"]) == ("3", "1")


def test_acknowledging_up_to_a_tag(place):
    place.queue("many")
    probe = place.probe()
    probe.do("publisher")
    assert probe.send(50, "-", "many") == {"confirmed": 50}
    probe.do("consume tag 100 many")
    probe.deliveries(50)
    probe.do("ack 49 1")
    probe.ask("close", "closed")
    wait_until(lambda: place.count("many") == 1, what="one message left")


def test_the_prefetch_can_be_changed_under_way(place):
    place.queue("flow")
    probe = place.probe()
    probe.do("publisher")
    probe.send(40, "-", "flow")
    probe.do("consume tag 1 flow")
    probe.deliveries(1)
    probe.do("prefetch 8")  # the first delivery, unacknowledged, belongs to the consumer before
    assert [each["tag"] for each in probe.deliveries(8)] == [str(tag) for tag in range(2, 10)]
    probe.do("ack 3 1")
    probe.deliveries(2)
    assert probe.state()["received"] == 11
    probe.do("prefetch 3")
    probe.do("ack 11 1")
    probe.deliveries(3)
    probe.do("ack 14 1")
    probe.deliveries(3)
    probe.ask("close", "closed")
    wait_until(lambda: place.count("flow") == 26, what="26 of 40 messages left")


def test_a_cancelled_consumer_may_still_acknowledge(place):
    place.queue("last")
    probe = place.probe()
    probe.do("publisher")
    probe.send(5, "-", "last")
    probe.do("consume tag 10 last")
    probe.deliveries(5)
    probe.do("cancel")
    probe.do("ack 4 1")
    url = place.servers.management(f"queues/{place.vhost}/last")
    wait_until(lambda: place.servers.http.get(url).json().get("messages") == 1, what="four acknowledged, after the cancel")
    assert probe.send(1, "-", "last") == {"confirmed": 1}
    assert probe.state()["consumer"] == 1
    probe.ask("close", "closed")
    wait_until(lambda: place.count("last") == 2, what="the one unacknowledged and the one that came after the cancel")
    assert not [line for line in probe.lines if line.startswith("delivery")]


def test_what_nobody_takes_is_returned_and_the_rest_confirmed(place):
    place.queue("taken")
    probe = place.probe()
    probe.do("publisher")
    assert probe.send(1000, "-", "taken", "nobody") == {"confirmed": 500, "returned": 500}
    assert probe.send(3, "-", "taken") == {"confirmed": 3}
    assert probe.send(3, "-", "k" * 300) == {"returned": 3}


def test_a_full_queue_refuses(place):
    place.queue("full", x_max_length=5, x_overflow="reject-publish")
    place.queue("roomy")
    probe = place.probe()
    probe.do("publisher")
    probe.send(20, "-", "full")
    assert probe.send(20, "-", "roomy", "full") == {"confirmed": 10, "nacked": 10}


def test_ten_thousand_at_once(place):
    place.queue("mass")
    probe = place.probe()
    probe.do("publisher")
    assert probe.send(10000, "-", "mass", size=400) == {"confirmed": 10000}
    probe.do("tell 10000")
    probe.do("autoack 100")
    probe.do("consume tag 384 mass")
    probe.expect("received 10000", timeout=20)
    probe.ask("close", "closed")
    wait_until(lambda: place.count("mass") == 0, what="an empty queue")


def test_refusals_at_the_opening_are_told(place):
    probe = place.probe()
    assert "404" in probe.ask("consume tag 10 missing", "consumer refused")
    wrong = place.probe(password="wrong")
    assert "403" in wrong.ask("publisher", "publisher refused")
    place.allow("admin", ".*", ".*", "^$")
    place.queue("closed")
    assert "403" in probe.ask("consume tag 10 closed", "consumer refused")
    assert probe.state()["consumer"] == 0


@pytest.fixture
def listener(place):
    """A bridge's listener, with no more rights than the contract gives it."""
    place.servers.apply_topology(place.vhost)
    return place.probe(user="bridge-listener")


LISTEN = "own listener 10 bridge.1 feed # answers hospital.answer.bridge.1"


def test_a_queue_of_its_own(place, listener):
    assert listener.ask(LISTEN, "consum") == "consuming"
    place.channel.basic_publish("feed", "hospital.blood.cancelled", b"seen", pika.BasicProperties(message_id="a"))
    place.channel.basic_publish("answers", "hospital.answer.bridge.2", b"for another")
    place.channel.basic_publish("answers", "hospital.answer.bridge.1", b"answer", pika.BasicProperties(message_id="b"))
    assert [(each["key"], each["id"], each["lane"]) for each in listener.deliveries(2)] == [
        ("hospital.blood.cancelled", "a", "0"), ("hospital.answer.bridge.1", "b", "0")]
    [queue] = place.own_queues()
    assert re.fullmatch(r"bridge\.1\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", queue["name"])
    assert (queue["type"], queue["durable"], queue["auto_delete"]) == ("classic", False, True)
    assert queue["arguments"] == {"x-queue-type": "classic", "x-max-length": 50000, "x-overflow": "drop-head"}
    url = place.servers.management(f"queues/{place.vhost}/{queue['name']}")
    wait_until(lambda: place.servers.http.get(url).json().get("messages_unacknowledged") == 2, what="two unacknowledged")
    listener.do("ack 2 1")
    wait_until(lambda: place.servers.http.get(url).json().get("messages") == 0, what="both acknowledged")
    listener.ask("close", "closed")
    wait_until(lambda: place.own_queues() == [], what="the end of the queue")


def test_a_queue_of_its_own_is_new_at_every_opening(place, listener):
    listener.ask(LISTEN, "consuming")
    names = [place.own_queues()[0]["name"]]
    for opening in "2", "3":
        place.hang_up("bridge-listener")
        listener.expect("consumer connection")
        assert listener.ask("reopen 10", "consum") == "consuming"
        place.channel.basic_publish("feed", "a.b", opening.encode())
        [heard] = listener.deliveries(1)
        assert (heard["body"], heard["incarnation"], heard["tag"]) == (opening, opening, "1")
        [queue] = wait_until(lambda: [each for each in place.own_queues() if each["name"] not in names],
                             what="a queue of another name")
        names.append(queue["name"])
    wait_until(lambda: [each["name"] for each in place.own_queues()] == names[2:], what="the last queue alone")


def test_the_prefetch_of_a_queue_of_its_own(place, listener):
    """The queue goes with its last consumer, so there is one at every moment."""
    listener.ask(LISTEN.replace(" 10 ", " 1 "), "consuming")
    for number in range(10):
        place.channel.basic_publish("feed", "a.b", str(number).encode())
    listener.deliveries(1)
    listener.do("prefetch 4")
    assert [each["body"] for each in listener.deliveries(4)] == ["1", "2", "3", "4"]
    listener.do("prefetch 2")
    listener.do("ack 5 1")
    assert [each["body"] for each in listener.deliveries(2)] == ["5", "6"]
    listener.do("ack 7 1")
    assert [each["body"] for each in listener.deliveries(2)] == ["7", "8"]
    listener.do("cancel")
    wait_until(lambda: place.own_queues() == [], what="the end of the queue")
    listener.do("ack 9 1")
    assert listener.state()["consumer"] == 1


@pytest.mark.parametrize("words, refused", [
    ("other feed #", "declaring queue other."),
    ("bridge.1 hospital #", 'to hospital by "#"'),
    ("bridge.1 feed # answers #", 'to answers by "#"'),
    ("bridge.1 feed # answers hospital.answer.operator.1", "to answers by"),
])
def test_a_queue_of_its_own_is_refused(place, listener, words, refused):
    heard = listener.ask(f"own listener 10 {words}", "consum")
    assert heard.startswith("consumer refused") and refused in heard and "403" in heard
    assert listener.state()["consumer"] == 0
    wait_until(lambda: place.own_queues() == [], what="no queue left behind")


def test_a_missing_exchange_refuses_a_queue_of_its_own(place):
    probe = place.probe()
    assert "404" in probe.ask("own tag 10 mine missing key", "consumer refused")


def test_an_unknown_exchange_closes_and_loses(place):
    probe = place.probe()
    probe.do("publisher")
    assert probe.send(3, "no-such-exchange", "key") == {"lost": 3}
    assert "404" in probe.expect("publisher connection")[0]
    assert probe.ask("publisher", "publi") == "publishing"
    place.queue("after")
    assert probe.send(3, "-", "after") == {"confirmed": 3}


def test_a_deleted_queue_is_noticed(place):
    place.queue("doomed")
    probe = place.probe()
    assert probe.ask("consume tag 10 doomed", "consum") == "consuming"
    place.channel.queue_delete("doomed")
    assert "doomed" in probe.expect("consumer cancelled")[0]
    place.queue("doomed")
    assert probe.ask("consume tag 10 doomed", "consum") == "consuming"


def test_headers_that_fill_a_frame_and_grow(place):
    place.queue("grown")
    place.publish("grown", b"1", headers={"x": "y" * (131072 - 40)})
    place.publish("grown", b"2", headers={"": 1})
    probe = place.probe()
    for redelivered in "0", "1", "1":
        probe.do("consume tag 10 grown")
        assert {(each["body"], each["redelivered"]) for each in probe.deliveries(2)} == {
            ("1", redelivered), ("2", redelivered)}


def test_connections_can_be_told_apart(place):
    place.queue("seen")
    probe = place.probe()
    probe.do("publisher")
    probe.ask("consume seen-1 10 seen", "consuming")

    def consumers():
        found = place.servers.http.get(place.servers.management(f"consumers/{place.vhost}")).json()
        return found if found and "connection_name" in found[0]["channel_details"] else None

    [consumer] = wait_until(consumers, what="the consumer in the management API")
    assert (consumer["consumer_tag"], consumer["prefetch_count"], consumer["ack_required"]) == ("seen-1", 10, True)
    def is_named():
        seen = place.servers.http.get(place.servers.management(f"vhosts/{place.vhost}/connections")).json()
        return "probe" in [each.get("client_properties", {}).get("connection_name") for each in seen]

    wait_until(is_named, what="the connection's name in the management API")


def test_a_blocked_publisher_waits_and_goes_on(place):
    place.queue("blocked")
    probe = place.probe()
    probe.do("publisher")
    probe.expect("publishing")
    control(place.servers, "set_vm_memory_high_watermark", "0")
    try:
        probe.do("send 5000 - blocked blocked 100")
        wait_until(lambda: probe.state()["blocked"] == 1, what="connection.blocked")
        assert probe.state()["room"] == 0
        assert probe.state()["longest_ms"] < CALL_MS
    finally:
        control(place.servers, "set_vm_memory_high_watermark", "0.4")
    assert probe.settled(timeout=30) == {"confirmed": 5000}
    assert probe.state()["blocked"] == 0


def test_a_killed_broker(place):
    place.queue("survivor")
    probe = place.probe()
    probe.do("publisher")
    probe.ask("consume tag 10 survivor", "consuming")
    assert probe.send(5, "-", "survivor") == {"confirmed": 5}
    probe.deliveries(5)
    # A kill within minutes of the declaration would lose the queue: its registration is written lazily.
    control(place.servers, "eval", "[dets:sync(Table) || Table <- dets:all()].")
    place.servers.kill("rabbitmq")
    probe.expect("consumer connection")
    probe.expect("publisher connection")
    assert "connecting" in probe.ask("publisher", "publisher connection")
    place.servers.start("rabbitmq")
    place.connect()
    assert probe.ask("publisher", "publi") == "publishing"
    # The broker answers before its queues do.
    wait_until(lambda: probe.ask("consume tag 10 survivor", "consum") == "consuming", 40, "the queue again")
    assert {each["redelivered"] for each in probe.deliveries(5, timeout=30)} == {"1"}
    assert probe.send(5, "-", "survivor") == {"confirmed": 5}


def test_a_broker_that_stands_still(place):
    """Nothing waits for it: neither while its buffers fill up, nor until it is given up for silence."""
    place.queue("still")
    probe = place.probe()
    probe.do("publisher")
    probe.ask("consume tag 10 still", "consuming")
    place.servers.signal("rabbitmq", signal.SIGSTOP)
    began = time.monotonic()
    try:
        probe.do("send 1000 - still still 100000")
        wait_until(lambda: probe.state()["room"] == 0, what="no room")
        lost = probe.settled(timeout=30)
        assert lost["lost"] > 0 and "confirmed" not in lost
        assert probe.expect("publisher connection")
        assert probe.expect("consumer connection", timeout=30)
        assert time.monotonic() - began < 25
        assert probe.state()["longest_ms"] < CALL_MS
        began = time.monotonic()
        assert probe.ask("publisher", "publisher connection", timeout=15)
        assert time.monotonic() - began < 12
    finally:
        place.servers.signal("rabbitmq", signal.SIGCONT)
    wait_until(lambda: probe.ask("publisher", "publi") == "publishing", what="the broker again")
    assert probe.send(3, "-", "still") == {"confirmed": 3}


def test_heartbeats_keep_an_idle_connection(place):
    place.queue("idle")
    probe = place.probe()
    probe.ask("publisher", "publishing")
    probe.ask("consume tag 10 idle", "consuming")
    deadline = time.monotonic() + 25  # the broker gives up a silent client after 20 s
    while time.monotonic() < deadline:
        probe.read(1)
        place.connection.process_data_events(0)
    assert probe.lines == []
    assert probe.send(1, "-", "idle") == {"confirmed": 1}
    probe.deliveries(1)
