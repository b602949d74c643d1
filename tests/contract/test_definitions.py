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

WORKERS = ("hospital", "bloodbank")
CONTEXTS = ("hospital", "bloodbank", "appointment", "medication", "inventory", "notification", "identity")
USERS = ("hospital", "bloodbank", "upstream", "operator", "admin")
WORK_QUEUES = ("hospital", "hospital.emergency", "bloodbank", "bloodbank.emergency")


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
    assert kinds == {name: "topic" for name in (*CONTEXTS, "audit", "feed", "questions")} | {"parked": "direct"}
    assert all(exchange["durable"] and not exchange["auto_delete"] for exchange in topology["exchanges"])
    assert "alternate-exchange" not in json.dumps(topology)


def test_queues(topology):
    names = {queue["name"] for queue in topology["queues"]}
    assert names == {*WORK_QUEUES, *(f"{name}.parked" for name in WORK_QUEUES), "hospital.query", "bloodbank.query"}
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


def test_bindings(topology):
    work = {(binding["source"], binding["routing_key"], binding["destination"]) for binding in topology["bindings"]
            if binding["source"] != "parked" and binding["destination"] != "feed"}
    laned = {("hospital.blood.request", "hospital"), ("hospital.blood.requested", "hospital"),
             ("hospital.blood.requested", "bloodbank"), ("bloodbank.blood.approved", "hospital"),
             ("bloodbank.blood.rejected", "hospital")}
    plain = {("bloodbank.unit.receive", "bloodbank"), ("bloodbank.reservation.released", "hospital"),
             ("hospital.query.request", "hospital.query"), ("bloodbank.query.stock", "bloodbank.query")}
    wanted = {(event.split(".")[0], event, queue) for event, queue in laned | plain}
    wanted |= {(event.split(".")[0], f"{event}.emergency", f"{queue}.emergency") for event, queue in laned}
    wanted |= {("questions", "hospital.query.request", "hospital.query"),
               ("questions", "bloodbank.query.stock", "bloodbank.query")}
    assert work == wanted


@pytest.mark.parametrize("user", USERS)
def test_a_row_on_every_topic_exchange(user, topology):
    rows = {entry["exchange"] for entry in topology["topic_permissions"] if entry["user"] == user}
    assert rows == {*CONTEXTS, "audit", "feed", "questions"}
    row(topology["permissions"], user=user)


def test_patterns_are_anchored(topology):
    for entry in topology["permissions"] + topology["topic_permissions"]:
        for part in ("configure", "write", "read"):
            pattern = entry.get(part, "^$")
            assert pattern == ".*" and entry["user"] in ("admin", "operator") or re.fullmatch(r"\^.*\$", pattern)
            assert pattern != ".*" or entry["user"] == "admin" or part == "read"


def test_workers_write_what_they_emit_and_nothing_else(contract, topology):
    keys = {f"{event.name}{lane}" for event in contract.events for lane in ("", ".emergency", "x", ".x")}
    keys |= {f"{context}.answer.{asker}" for context in CONTEXTS for asker in ("operator.1", "bridge-2", "UPPER", "")}
    by_name = {event.name: event for event in contract.events}
    for user in ("hospital", "bloodbank", "upstream", "operator"):
        for entry in (entry for entry in topology["topic_permissions"] if entry["user"] == user):
            for key in keys:
                event = by_name.get(key.removesuffix(".emergency"))
                emits = (event is not None and user in event.emitters and event.exchange == entry["exchange"]
                         and not event.is_answer and (event.has_emergency_lane or not key.endswith(".emergency")))
                answers = user == entry["exchange"] and user in WORKERS and re.fullmatch(
                    rf"{user}\.answer\.[a-z0-9._-]+", key) is not None
                assert allows(entry["write"], key) == (emits or answers), (user, entry["exchange"], key)


def test_workers_configure_nothing_and_read_their_own_queues(topology):
    queues = [queue["name"] for queue in topology["queues"]]
    for user in WORKERS:
        permission = row(topology["permissions"], user=user)
        assert permission["configure"] == "^$"
        readable = {queue for queue in queues if allows(permission["read"], queue)}
        assert readable == {user, f"{user}.emergency", f"{user}.query"}
        writable = {name for name in (*CONTEXTS, "audit", "parked", "amq.default", *queues)
                    if allows(permission["write"], name)}
        assert writable == {user, "parked"}


def test_upstream_publishes_and_nothing_else(topology):
    permission = row(topology["permissions"], user="upstream")
    assert (permission["configure"], permission["read"]) == ("^$", "^$")
    assert {name for name in (*CONTEXTS, "audit", "parked", "amq.default") if allows(permission["write"], name)} == {
        "hospital", "bloodbank"}


def test_feed_carries_what_people_may_watch(contract, topology):
    fed = {(binding["source"], binding["routing_key"]) for binding in topology["bindings"]
           if binding["destination"] == "feed"}
    wanted = {(event.exchange, key) for event in contract.events if not event.is_answer and not event.is_query
              for key in event.keys()}
    wanted |= {(worker, f"{worker}.answer.operator.#") for worker in WORKERS}
    assert fed == wanted
    assert all(binding["routing_key"] != "#" for binding in topology["bindings"])


def test_operator_watches_the_feed_from_queues_of_its_own(topology):
    permission = row(topology["permissions"], user="operator")
    assert allows(permission["configure"], "operator.mine") and not allows(permission["configure"], "operator")
    names = (*CONTEXTS, "audit", "feed", "questions", "parked", *(queue["name"] for queue in topology["queues"]))
    readable = {name for name in names if allows(permission["read"], name)}
    assert readable == {"feed", *(f"{queue}.parked" for queue in WORK_QUEUES)}
    for exchange in (*CONTEXTS, "audit", "feed", "questions"):
        topic = row(topology["topic_permissions"], user="operator", exchange=exchange)
        assert allows(topic["read"], "any.thing.here") == (exchange == "feed")


def test_nobody_but_the_worker_reads_its_queues(topology):
    for entry in topology["permissions"]:
        for queue in (*WORK_QUEUES, "hospital.query", "bloodbank.query"):
            owner = queue.split(".")[0]
            assert allows(entry["read"], queue) == (entry["user"] in (owner, "admin")), (entry["user"], queue)


def test_who_may_bind_may_write_to_no_queue_but_its_own(topology):
    """Names of exchanges and queues overlap, and permissions know only names: read and write together are looked at."""
    for entry in topology["permissions"]:
        topics = [row for row in topology["topic_permissions"] if row["user"] == entry["user"] and row["read"] != "^$"]
        if entry["user"] != "admin" and topics:
            assert not [queue["name"] for queue in topology["queues"] if allows(entry["write"], queue["name"])]


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
    assert done.returncode == 1 and "no password for bloodbank, upstream, operator, admin" in done.stderr


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
