"""What operators do with `carebus`: watch the bus, read the contract, look through what was parked and settle it."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import uuid

import pytest
import yaml

from frames import FrameProxy
from servers import PROJECT, wait_until
from test_client import DONE, FAULT, NO_ANSWER, PROGRAM, Client, run_alone

CHAIN = {"hospital.blood.request", "hospital.blood.requested", "hospital.request.updated", "bloodbank.blood.approved"}


@pytest.fixture
def operator(world):
    return Client(world)


@pytest.fixture
def admin(world):
    return Client(world, "admin")


@pytest.fixture
def chain(world, operator):
    """Both workers, and stock."""
    world.start_worker("hospital", ready=False)
    world.start_worker("bloodbank")
    operator.run("seed")
    return operator


def body_of(**members):
    return {"hospital_id": "hospital-001", "component": "red_cells", "group": "O-", "quantity": 1, "urgency": "routine"} | members


# -- watch

class Watch:
    """A running `carebus watch`: its lines as they come."""

    def __init__(self, client, *words, **changes):
        self.process = client.start("watch", *words, **changes)
        self.lines, self.errors = [], []
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.errors)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()
        self.expect_error("watching")

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def expect_error(self, text, timeout=30):
        return wait_until(lambda: [line for line in self.errors if text in line], timeout, f"{text!r} in {self.errors}")

    def events(self):
        return [json.loads(line) for line in self.lines]

    def of(self, event):
        return [each for each in self.events() if each["event"] == event]

    def wait_for(self, event, count=1):
        wait_until(lambda: len(self.of(event)) >= count, 10, f"{count} {event}")

    def end(self, number=signal.SIGINT):
        self.process.send_signal(number)
        return self.process.wait(10)


@pytest.fixture
def watching():
    """watching(client, words...) gives a Watch that is ended after the test."""
    made = []

    def start(client, *words, **changes):
        made.append(Watch(client, *words, **changes))
        return made[-1]

    yield start
    for watch in made:
        watch.process.kill()
        watch.process.wait()


def own_queues(world):
    return [queue["name"] for queue in world.management("queues/{vhost}") if queue["name"].startswith("operator.")]


def test_the_watch_shows_a_chain(world, chain, watching):
    watch = watching(chain, "-o", "json")
    sent = chain.json("request", "--group", "O-", "--urgency", "emergency", "--watch")
    watch.wait_for("hospital.request.updated", 2)
    of_workflow = [event for event in watch.events() if event.get("correlation_id") == sent["correlation_id"]]
    assert CHAIN <= {event["event"] for event in of_workflow}
    assert [event["event"] for event in of_workflow][0] == "hospital.blood.request"
    requested = next(event for event in of_workflow if event["event"] == "hospital.blood.requested")
    assert requested["emergency"] and requested["routing_key"].endswith(".emergency")
    assert requested["user_id"] == "hospital" and requested["body"]["request_id"] == sent["request_id"]
    assert watch.end() == DONE and not own_queues(world)
    assert watch.errors == ["watching; Ctrl-C ends it"], "the connection was never lost"


def test_a_line_for_people(chain, watching):
    watch = watching(chain, "--event", "*.requested")
    sent = chain.json("request", "--group", "AB-", "--urgency", "emergency", "--watch")
    wait_until(lambda: watch.lines, 10, "a line")
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} ! hospital\.blood\.requested +" + sent["correlation_id"][:8]
                        + r"  emergency: 1 x red_cells AB- for hospital-001", watch.lines[0]), watch.lines


def test_only_what_is_wanted_is_shown(world, operator, watching):
    watches = {words: watching(operator, "-o", "json", *words) for words in (
        (), ("--event", "hospital.blood.request"), ("--event", "*.cancel", "--event", "notification.#"),
        ("--facility", "hospital-002"), ("--emergency",), ("--emergency", "--facility", "hospital-002"),
        ("--correlation", "c0ffee"))}
    world.publish("hospital.blood.request", body_of(), message_id="00000000-0000-4000-8000-000000000001",
                  correlation_id="c0ffee00-0000-4000-8000-000000000000")
    world.publish("hospital.blood.request", body_of(urgency="emergency", hospital_id="hospital-002"), emergency=True,
                  message_id="00000000-0000-4000-8000-000000000002")
    world.publish("hospital.blood.request", body_of(hospital_id="hospital-002"),
                  message_id="00000000-0000-4000-8000-000000000003")
    world.publish("hospital.blood.cancel", {"request_id": str(uuid.uuid4()), "reason": "x"},
                  message_id="00000000-0000-4000-8000-000000000004")
    expected = {(): "1234", ("--event", "hospital.blood.request"): "123",
                ("--event", "*.cancel", "--event", "notification.#"): "4", ("--facility", "hospital-002"): "23",
                ("--emergency",): "2", ("--emergency", "--facility", "hospital-002"): "2", ("--correlation", "c0ffee"): "1"}
    for words, wanted in expected.items():
        wait_until(lambda: len(watches[words].lines) >= len(wanted), 10, f"{wanted} of {words}")
    for words, watch in watches.items():
        assert watch.end(signal.SIGTERM) == DONE
        assert "".join(event["message_id"][-1] for event in watch.events()) == expected[words], words


def test_a_watch_ends_when_it_is_told(world, operator, watching):
    first = watching(operator, "--count", "1", "--timeout", "60")
    world.publish("hospital.blood.request", body_of())
    world.publish("hospital.blood.request", body_of())
    assert first.process.wait(10) == DONE and len(first.lines) == 1
    assert watching(operator, "--timeout", "1").process.wait(10) == NO_ANSWER
    unfinished = watching(operator, "--timeout", "2", "--count", "2")
    world.publish("hospital.blood.request", body_of())
    assert unfinished.process.wait(10) == NO_ANSWER and len(unfinished.lines) == 1
    assert not own_queues(world)


def test_more_events_than_may_wait_are_seen(world, operator, watching):
    """Five hundred are delivered before one has to be acknowledged."""
    watch = watching(operator, "--count", "600", "--event", "hospital.blood.request")
    for _ in range(600):
        world.publish("hospital.blood.request", body_of())
    assert watch.process.wait(30) == DONE
    wait_until(lambda: len(watch.lines) == 600, 10, "all lines")
    assert len(watch.errors) == 1, watch.errors


def test_a_watch_that_nobody_reads_ends(world, operator):
    process = operator.start("watch")
    assert "watching" in process.stderr.readline()
    process.stdout.close()
    world.publish("hospital.blood.request", body_of())
    assert process.wait(10) == DONE
    process.stderr.close()


def test_what_cannot_be_watched(operator):
    assert "no event" in operator.run("watch", "--event", "hospital.blud.*", ends=FAULT)
    assert "no event" in operator.run("watch", "--event", "hospital.query.request", ends=FAULT)
    assert "--event" in operator.run("watch", "hospital.*", ends=FAULT)
    assert operator.run("watch", ends=FAULT, CAREBUS_MANAGEMENT="http://127.0.0.1:1")


@pytest.mark.parametrize("no_colour", [None, "1"])
def test_colours_are_for_terminals(chain, no_colour):
    parent, child = pty.openpty()
    environment = chain.environment | ({} if no_colour is None else {"NO_COLOR": no_colour})
    with subprocess.Popen([str(PROGRAM), "watch", "--event", "*.approved", "--count", "1"], env=environment, stdout=child,
                          stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert "watching" in process.stderr.readline()
        chain.run("request", "--group", "O-")
        assert process.wait(20) == DONE
    os.close(child)
    line = os.read(parent, 4096).decode()
    os.close(parent)
    assert "bloodbank.blood.approved" in line and ("\033[32m" in line) == (no_colour is None)


def cut_watchers(world):
    """Close the watchers' connections, as the broker's administrator does."""
    def names():
        return [connection["name"] for connection in world.management("vhosts/{vhost}/connections")
                if connection.get("client_properties", {}).get("connection_name") == "carebus (consume)"]
    for name in wait_until(names, 10, "the connection to be listed"):
        world.servers.http.delete(world.servers.management(f"connections/{name.replace(' ', '%20').replace('>', '%3E')}"),
                                  timeout=10).raise_for_status()


def test_a_lost_connection_is_told_and_made_up_for(world, operator, watching):
    watch = watching(operator, "-o", "json")
    world.publish("hospital.blood.request", body_of(note="before"))
    watch.wait_for("hospital.blood.request")
    cut_watchers(world)
    watch.expect_error("connection lost")
    world.publish("hospital.blood.request", body_of(note="between"))
    watch.expect_error("connected again")
    assert "the queue was kept" in watch.errors[-1]
    world.publish("hospital.blood.request", body_of(note="after"))
    watch.wait_for("hospital.blood.request", 3)
    assert [event["body"]["note"] for event in watch.events()] == ["before", "between", "after"]
    assert watch.end() == DONE


def test_what_comes_twice_is_shown_once(world, operator, watching):
    """The connection is cut before the broker hears that the first event was taken."""
    proxy = FrameProxy(world.servers.port["AMQP_PORT"], "basic.ack", False, lambda: None)
    url = operator.environment["CAREBUS_AMQP_ADMIN"].replace(f":{world.servers.port['AMQP_PORT']}/", f":{proxy.port}/")
    watch = watching(operator, "-o", "json", CAREBUS_AMQP_ADMIN=url)
    world.publish("hospital.blood.request", body_of(note="first"))
    watch.expect_error("connected again")
    world.publish("hospital.blood.request", body_of(note="second"))
    watch.wait_for("hospital.blood.request", 2)
    assert [event["body"]["note"] for event in watch.events()] == ["first", "second"]
    assert proxy.sent[-1] == "basic.ack"
    proxy.close()


def test_what_was_missed_is_said_to_be_missed(world, operator, watching):
    watch = watching(operator, "-o", "json")
    queue, = own_queues(world)
    world.management("queues/{vhost}/" + queue, "DELETE")
    watch.expect_error("connection lost")
    watch.expect_error("connected again")
    assert "events in between were missed" in watch.errors[-1]
    world.publish("hospital.blood.request", body_of())
    watch.wait_for("hospital.blood.request")
    assert watch.end() == DONE and not own_queues(world)


# -- flow

@pytest.fixture(scope="module")
def contract():
    """x-topology, as people wrote it."""
    text = (PROJECT / "amqp-topology" / "asyncapi.yaml").read_text("utf-8")
    return yaml.safe_load(text)["x-topology"]


def flow(*words, ends=DONE):
    done = run_alone("flow", *words)
    assert done.returncode == ends, done.stderr
    return done.stdout if ends == DONE else done.stderr


def owners(contract, consumers):
    return {contract["queues"][consumer]["owner"] if consumer in contract["queues"] else consumer for consumer in consumers}


def test_the_flow_agrees_with_the_contract(contract):
    told = {event["event"]: event for event in json.loads(flow("-o", "json"))["events"]}
    assert set(told) == set(contract["events"])
    for name, row in contract["events"].items():
        assert told[name]["emitters"] == row["emitters"] and told[name].get("caused_by", {}) == row.get("caused_by", {})
        assert set(told[name]["consumers"]) == owners(contract, row["consumers"])


def test_the_flow_agrees_with_the_broker(world):
    bindings = {(row["source"], row["routing_key"], row["destination"]) for row in world.management("bindings/{vhost}")}
    for event in json.loads(flow("-o", "json"))["events"]:
        for queue in event["queues"]:
            assert (event["exchange"], event["event"], queue) in bindings
        if "feed" in event["consumers"]:
            assert all((event["exchange"], key, "feed") in bindings for key in event["keys"])


def reach(contract, start):
    """The events that may follow, by the rows of the contract alone."""
    found, waiting = {start}, [start]
    while waiting:
        cause = waiting.pop()
        for name, row in contract["events"].items():
            if name not in found and any(cause in causes for causes in row.get("caused_by", {}).values()):
                found.add(name)
                waiting.append(name)
    return found


def test_every_chain_is_whole(contract):
    for start in contract["events"]:
        expected = reach(contract, start)
        chain = [event["event"] for event in json.loads(flow("--event", start, "-o", "json"))["events"]]
        assert chain[0] == start and len(chain) == len(set(chain)) and set(chain) == expected
        lines = flow("--event", start).splitlines()
        assert {line.split(":")[0].strip() for line in lines} == expected


def test_the_tree_shows_who_tells_whom():
    lines = flow().splitlines()
    assert "hospital.blood.request: upstream, bridge -> hospital, feed" in lines
    assert "  hospital.blood.requested: hospital -> bloodbank, hospital, notification, feed" in lines
    below_timer = lines[lines.index("timer") + 1:]
    assert "  bloodbank.unit.expired: bloodbank -> feed" in below_timer
    assert all(line.startswith(" ") for line in below_timer)


def test_the_graph_has_every_arrow(contract):
    text = flow("--dot")
    arrows = set(re.findall(r'^\t"([^"]+)" -> "([^"]+)";$', text, re.MULTILINE))
    expected = set()
    for name, row in contract["events"].items():
        expected |= {(emitter, name) for emitter in row["emitters"]}
        expected |= {(name, consumer) for consumer in owners(contract, row["consumers"])}
    assert arrows == expected
    assert text.startswith("digraph carebus {\n") and text.endswith("}\n")
    if shutil.which("dot"):
        subprocess.run(["dot", "-Tsvg"], input=text, text=True, stdout=subprocess.DEVNULL, check=True)


def test_an_unknown_event_has_no_flow():
    assert "no event" in flow("--event", "hospital.blood.bled", ends=FAULT)
    assert "--event" in flow("hospital.blood.request", ends=FAULT)
