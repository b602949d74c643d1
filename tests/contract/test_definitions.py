"""What the broker is told: every queue with its policy, every user with a row on every topic exchange, and no more."""
import base64
import hashlib
import json
import re
import subprocess
import sys

import pytest

import reader
from generator import broker

LANED_WORKERS = ("hospital", "bloodbank", "notification")
WORKERS = (*LANED_WORKERS, "appointment")
CONTEXTS = ("hospital", "bloodbank", "appointment", "medication", "inventory", "notification", "identity")
TOPICS = (*CONTEXTS, "audit", "feed", "questions", "answers", "caches")
WATCHERS = ("operator", "bridge-listener")
LISTENERS = (*WATCHERS, "appointment-listener")
USERS = (*WORKERS, "bridge", "bridge-listener", "appointment-listener", "upstream", "operator", "admin")
WORK_QUEUES = (*WORKERS, *(f"{worker}.emergency" for worker in LANED_WORKERS))
SECRET_HOLDERS = ("appointment.slot.book", "appointment.slot.release")  # a hold's token is in their bodies
QUERY_QUEUES = tuple(f"{worker}.query" for worker in WORKERS)


@pytest.fixture(scope="module")
def topology(contract):
    return broker.topology(contract)


def row(rows, **wanted):
    found = [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    assert len(found) == 1, f"{len(found)} rows for {wanted}"
    return found[0]


def allows(pattern, text):
    return re.search(pattern, text) is not None


def test_exchanges(topology):
    kinds = {exchange["name"]: exchange["type"] for exchange in topology["exchanges"]}
    assert kinds == {name: "topic" for name in TOPICS} | {"parked": "direct"}
    assert all(exchange["durable"] and not exchange["auto_delete"] for exchange in topology["exchanges"])
    assert "alternate-exchange" not in json.dumps(topology)


def test_queues(topology):
    names = {queue["name"] for queue in topology["queues"]}
    assert names == {*WORK_QUEUES, *(f"{name}.parked" for name in WORK_QUEUES), *QUERY_QUEUES}
    for queue in topology["queues"]:
        alone = queue["name"] in ("bloodbank", "bloodbank.emergency")
        wanted = {"x-queue-type": "quorum"} | ({"x-single-active-consumer": True} if alone else {})
        assert queue["arguments"] == wanted and queue["durable"]


def test_every_queue_has_exactly_one_policy(topology):
    for queue in topology["queues"]:
        matching = [policy for policy in topology["policies"] if allows(policy["pattern"], queue["name"])]
        assert len(matching) == 1, queue["name"]
    assert len(topology["policies"]) == len(topology["queues"])


@pytest.mark.parametrize("queue", WORK_QUEUES)
def test_work_queue_dead_letters_into_its_parked_queue(queue, topology):
    policy = row(topology["policies"], pattern=f"^{re.escape(queue)}$")
    assert policy["definition"] == {
        "delivery-limit": 20, "dead-letter-exchange": "parked", "dead-letter-routing-key": queue,
        "dead-letter-strategy": "at-least-once", "overflow": "reject-publish"}
    row(topology["bindings"], source="parked", routing_key=queue, destination=f"{queue}.parked")
    assert queue in policy["name"]


def test_questions_live_five_seconds(topology):
    for worker in WORKERS:
        policy = row(topology["policies"], pattern=f"^{re.escape(worker)}\\.query$")
        assert policy["definition"]["message-ttl"] == 5000


LANED = {
    "hospital.blood.request": ["hospital"],
    "hospital.blood.requested": ["hospital", "bloodbank", "notification"],
    "bloodbank.blood.approved": ["hospital", "notification"],
    "bloodbank.blood.rejected": ["hospital", "notification"],
}
PLAIN = {
    "hospital.blood.cancel": ["hospital"],
    "hospital.blood.cancelled": ["bloodbank", "notification"],
    "hospital.blood.refused": ["notification"],
    "hospital.request.updated": ["notification"],
    "bloodbank.unit.receive": ["bloodbank"],
    "bloodbank.reservation.released": ["hospital"],
    "bloodbank.inventory.updated": ["notification"],
    "bloodbank.stock.low": ["notification"],
    "bloodbank.stock.critical": ["notification"],
    "bloodbank.stock.recovered": ["notification"],
    "notification.message.created": ["notification"],
    "notification.message.acknowledge": ["notification"],
} | {f"appointment.{command}": ["appointment"] for command in (
    "schedule.publish", "schedule.block", "slot.hold", "slot.release", "slot.book", "slot.cancel", "slot.move", "slot.decline",
    "visit.arrive", "visit.complete", "waitlist.join", "waitlist.leave")} | {f"appointment.{event}": ["notification"] for event in (
    "schedule.blocked", "slot.booked", "slot.cancelled", "slot.moved", "slot.offered", "slot.offer_expired")}
QUESTIONS = ("hospital.query.request", "hospital.query.requests", "hospital.query.stock", "bloodbank.query.stock",
             "bloodbank.query.unit", "bloodbank.query.units", "notification.query.messages", "appointment.query.slots",
             "appointment.query.appointment", "appointment.query.appointments", "appointment.query.lease")


def context_of(name):
    return name.split(".", maxsplit=1)[0]


def test_bindings(topology):
    work = {(binding["source"], binding["routing_key"], binding["destination"]) for binding in topology["bindings"]
            if binding["source"] != "parked" and binding["destination"] not in ("feed", "answers")}
    wanted = {(context_of(event), event, queue) for event, queues in (LANED | PLAIN).items() for queue in queues}
    wanted |= {(context_of(event), f"{event}.emergency", f"{queue}.emergency")
               for event, queues in LANED.items() for queue in queues}
    wanted |= {(exchange, question, f"{context_of(question)}.query")
               for question in QUESTIONS for exchange in (context_of(question), "questions")}
    assert work == wanted


@pytest.mark.parametrize("user", USERS)
def test_a_row_on_every_topic_exchange(user, topology):
    rows = {entry["exchange"] for entry in topology["topic_permissions"] if entry["user"] == user}
    assert rows == set(TOPICS)
    row(topology["permissions"], user=user)


def test_patterns_are_anchored(topology):
    for entry in topology["permissions"] + topology["topic_permissions"]:
        for part in ("configure", "write", "read"):
            pattern = entry.get(part, "^$")
            assert pattern == ".*" or re.fullmatch(r"\^.*\$", pattern)
            watches_the_feed = part == "read" and entry.get("exchange") == "feed" and entry["user"] in WATCHERS
            assert pattern != ".*" or entry["user"] == "admin" or watches_the_feed


def test_workers_write_what_they_emit_and_nothing_else(contract, topology):
    keys = {f"{event.name}{lane}" for event in contract.events for lane in ("", ".emergency", "x", ".x")}
    keys |= {f"{context}.answer.{asker}" for context in CONTEXTS for asker in ("operator.1", "bridge-2", "UPPER", "")}
    keys |= {f"{context}.cache.{name}" for context in CONTEXTS for name in ("bridge.1", "appointment-listener.2", "UPPER", "")}
    by_name = {event.name: event for event in contract.events}
    for user in (user for user in USERS if user != "admin"):
        for entry in (entry for entry in topology["topic_permissions"] if entry["user"] == user):
            for key in keys:
                event = by_name.get(key.removesuffix(".emergency"))
                emits = (event is not None and user in event.emitters and event.exchange == entry["exchange"]
                         and not event.is_answer and not event.is_for_cache and (event.has_emergency_lane or not key.endswith(".emergency")))
                answers = user == entry["exchange"] and user in WORKERS and re.fullmatch(
                    rf"{user}\.answer\.[a-z0-9._-]+", key) is not None
                tells = (entry["exchange"] == "caches" and user in ("appointment", "bridge")
                         and re.fullmatch(r"appointment\.cache\.[a-z0-9._-]+", key) is not None)
                assert allows(entry["write"], key) == (emits or answers or tells), (user, entry["exchange"], key)


def test_workers_configure_nothing_and_read_their_own_queues(topology):
    queues = [queue["name"] for queue in topology["queues"]]
    for user in WORKERS:
        permission = row(topology["permissions"], user=user)
        assert permission["configure"] == "^$"
        readable = {queue for queue in queues if allows(permission["read"], queue)}
        assert readable == {user, f"{user}.query"} | ({f"{user}.emergency"} if user in LANED_WORKERS else set())
        writable = {name for name in (*TOPICS, "parked", "amq.default", *queues)
                    if allows(permission["write"], name)}
        assert writable == {user, "parked"} | ({"caches"} if user == "appointment" else set())


@pytest.mark.parametrize("user, exchanges", [("upstream", {"hospital", "bloodbank", "notification", "appointment"}),
                                             ("bridge", {"hospital", "bloodbank", "notification", "appointment", "questions", "caches"})])
def test_publishers_publish_and_nothing_else(user, exchanges, topology):
    permission = row(topology["permissions"], user=user)
    assert (permission["configure"], permission["read"]) == ("^$", "^$")
    assert {name for name in (*TOPICS, "parked", "amq.default") if allows(permission["write"], name)} == exchanges
    assert all(entry["read"] == "^$" for entry in topology["topic_permissions"] if entry["user"] == user)


def test_feed_carries_what_people_may_watch(contract, topology):
    fed = {(binding["source"], binding["routing_key"]) for binding in topology["bindings"]
           if binding["destination"] == "feed"}
    wanted = {(event.exchange, key) for event in contract.events if not (event.is_answer or event.is_query or event.is_for_cache or event.name in SECRET_HOLDERS)
              for key in event.keys()}
    wanted |= {(worker, f"{worker}.answer.operator.#") for worker in WORKERS}
    assert fed == wanted
    assert all(binding["routing_key"] != "#" for binding in topology["bindings"])


def readable_names(topology, user):
    """What the user may read of the topology's exchanges and queues."""
    permission = row(topology["permissions"], user=user)
    names = (*TOPICS, "parked", "amq.default", *(queue["name"] for queue in topology["queues"]))
    return {name for name in names if allows(permission["read"], name)}


def test_operator_watches_the_feed_from_queues_of_its_own(topology):
    permission = row(topology["permissions"], user="operator")
    assert allows(permission["configure"], "operator.mine") and not allows(permission["configure"], "operator")
    assert readable_names(topology, "operator") == {"feed", *(f"{queue}.parked" for queue in WORK_QUEUES)}
    for exchange in TOPICS:
        topic = row(topology["topic_permissions"], user="operator", exchange=exchange)
        assert allows(topic["read"], "any.thing.here") == (exchange == "feed")


def test_answers_to_the_bridge_have_an_exchange_of_their_own(topology):
    """Not on the feed, and nothing but them: a secret may be among them."""
    bound = {(binding["source"], binding["routing_key"]) for binding in topology["bindings"]
             if binding["destination"] == "answers"}
    assert bound == {(worker, f"{worker}.answer.bridge.#") for worker in WORKERS}
    assert not [binding for binding in topology["bindings"] if binding["source"] == "answers"]


ANSWER_KEYS = {"hospital.answer.bridge.7": True, "notification.answer.bridge.host-1.22_3": True,
               "bloodbank.answer.bridge.#": False, "bloodbank.answer.bridge.*": False, "bloodbank.answer.*.7": False,
               "*.answer.bridge.7": False, "#": False, "hospital.#": False, "hospital.answer.#": False,
               "hospital.answer.operator.7": False, "hospital.answer.bridge": False, "hospital.answer.bridgex.7": False,
               "hospital.answer.bridge.": False, "hospital.blood.requested": False,
               "x.hospital.answer.bridge.7": False, "hospital.answer.bridge.7.#": False}


def test_the_bridge_hears_the_feed_and_its_own_answers(topology):
    permission = row(topology["permissions"], user="bridge-listener")
    assert readable_names(topology, "bridge-listener") == {"feed", "answers", "caches"}
    for part in ("configure", "write"):
        assert allows(permission[part], "bridge.mine") and not allows(permission[part], "bridge")
        assert not allows(permission[part], "mybridge.mine") and not allows(permission[part], "bridge-listener.mine")
    for exchange in TOPICS:
        topic = row(topology["topic_permissions"], user="bridge-listener", exchange=exchange)
        assert topic["write"] == "^$"
        for key, is_its_own in ANSWER_KEYS.items():
            assert allows(topic["read"], key) == (exchange == "feed" or (exchange == "answers" and is_its_own)), key


@pytest.mark.parametrize("user, name", [("appointment-listener", "appointment-listener"), ("bridge-listener", "bridge")])
def test_a_cache_hears_what_names_it(user, name, topology):
    assert not [binding for binding in topology["bindings"] if binding["source"] == "caches"]
    permission = row(topology["permissions"], user=user)
    for queue in (*WORK_QUEUES, *QUERY_QUEUES):
        assert not any(allows(permission[part], queue) for part in ("configure", "write", "read"))
    read = row(topology["topic_permissions"], user=user, exchange="caches")["read"]
    assert allows(read, f"appointment.cache.{name}.1f-2")
    for key in ("#", "appointment.cache.#", "appointment.cache.*.1", f"appointment.cache.{name}.*", f"appointment.cache.{name}",
                "appointment.cache.other.1", f"appointment.cache.x{name}.1", f"appointment.answer.{name}.1"):
        assert not allows(read, key), key


def test_the_appointment_listener_hears_nothing_else(topology):
    assert readable_names(topology, "appointment-listener") == {"caches"}
    for exchange in (name for name in TOPICS if name != "caches"):
        assert row(topology["topic_permissions"], user="appointment-listener", exchange=exchange)["read"] == "^$"


def test_nobody_but_the_worker_reads_its_queues(topology):
    for entry in topology["permissions"]:
        for queue in (*WORK_QUEUES, *QUERY_QUEUES):
            owner = context_of(queue)
            assert allows(entry["read"], queue) == (entry["user"] in (owner, "admin")), (entry["user"], queue)


def test_who_may_bind_may_write_to_no_queue_but_its_own(topology):
    """Names of exchanges and queues overlap, and permissions know only names: read and write together are looked at."""
    for entry in topology["permissions"]:
        topics = [row for row in topology["topic_permissions"] if row["user"] == entry["user"] and row["read"] != "^$"]
        if entry["user"] != "admin" and topics:
            assert not [queue["name"] for queue in topology["queues"] if allows(entry["write"], queue["name"])]
    binding = {row["user"] for row in topology["topic_permissions"] if row["read"] != "^$"}
    assert binding == {"admin", *LISTENERS}


def run_definitions(tmp_path, passwords, *more):
    file = tmp_path / "passwords.json"
    file.write_text(json.dumps(passwords), "utf-8")
    generator = str(reader.TOPOLOGY / "generate.py")
    return subprocess.run([sys.executable, generator, "definitions", "--passwords", str(file), *more], capture_output=True,
                          text=True, check=False)


def test_passwords_are_hashed_with_salt(tmp_path, contract):
    passwords = {user: f"secret of {user}" for user in contract.users}
    first, second = (json.loads(run_definitions(tmp_path, passwords).stdout) for _ in range(2))
    for user in first["users"]:
        salted = base64.b64decode(user["password_hash"])
        digest = hashlib.sha256(salted[:4] + passwords[user["name"]].encode()).digest()
        assert salted[4:] == digest and user["hashing_algorithm"] == "rabbit_password_hashing_sha256"
        assert user["password_hash"] != row(second["users"], name=user["name"])["password_hash"]
    assert "secret of" not in json.dumps(first)


def test_missing_password_is_said(tmp_path):
    done = run_definitions(tmp_path, {"hospital": "x"})
    assert done.returncode == 1 and f"no password for {', '.join(USERS[1:])}" in done.stderr


def test_definitions_file_is_for_its_owner_alone(tmp_path, contract):
    output = tmp_path / "definitions.json"
    done = run_definitions(tmp_path, {user: "x" for user in contract.users}, "--output", str(output),
                           "--vhost", "other")
    assert done.returncode == 0 and output.stat().st_mode & 0o777 == 0o600
    made = json.loads(output.read_text("utf-8"))
    assert made["vhosts"] == [{"name": "other"}]
    parts = ("queues", "exchanges", "bindings", "policies", "permissions", "topic_permissions")
    assert {entry["vhost"] for part in parts for entry in made[part]} == {"other"}


def test_no_secret_in_the_compiled_topology(topology):
    assert "password" not in json.dumps(topology)
