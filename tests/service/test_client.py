"""The command line `carebus`, as people and compose/up use it."""
import json
import os
import pathlib
import subprocess
import uuid

import pytest

from servers import BUILD, wait_until

DONE, NO, FAULT, NO_ANSWER = 0, 1, 2, 3
PROGRAM = pathlib.Path(BUILD) / "workers" / "client" / "carebus"
UNITS = 600


class Client:
    """Runs the program in the environment of a world."""

    def __init__(self, world, watcher="operator"):
        port, secret = world.servers.port, world.servers.secret
        amqp = f"127.0.0.1:{port['AMQP_PORT']}/{world.vhost}"
        self.environment = {
            "PATH": os.environ["PATH"], "CAREBUS_AMQP": f"amqp://upstream:{secret('amqp-upstream')}@{amqp}",
            "CAREBUS_AMQP_ADMIN": f"amqp://{watcher}:{secret('amqp-' + watcher)}@{amqp}",
            "CAREBUS_MANAGEMENT": f"http://127.0.0.1:{port['MANAGEMENT_PORT']}",
        } | {key: value for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")}

    def start(self, *words, stdin=None, **changes):
        """A running program; `stdin` is a text for it."""
        environment = {key: value for key, value in (self.environment | changes).items() if value is not None}
        process = subprocess.Popen([str(PROGRAM), *words], env=environment, text=True, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(stdin or "")
        process.stdin.close()
        process.stdin = None
        return process

    def run(self, *words, ends=DONE, **changes):
        """The standard output; the standard error where it ends otherwise than well."""
        process = self.start(*words, **changes)
        output, errors = process.communicate(timeout=60)
        assert process.returncode == ends, f"{words} ended with {process.returncode}:\n{output}{errors}"
        return output if ends in (DONE, NO) else errors

    def json(self, *words, ends=DONE):
        return json.loads(self.run(*words, "-o", "json", ends=ends))


@pytest.fixture
def client(world):
    return Client(world)


@pytest.fixture
def chain(world, client):
    """Both workers, and stock."""
    world.start_worker("hospital", ready=False)
    world.start_worker("bloodbank")
    client.run("seed")
    return client


# -- usage

def run_alone(*words, **environment):
    return subprocess.run([str(PROGRAM), *words], env={"PATH": os.environ["PATH"]} | environment, capture_output=True, text=True,
                          timeout=20, check=False)


@pytest.mark.parametrize("words", [("--help",), ("request", "--help"), ("seed", "-h"), ("topology", "--help")])
def test_help(words):
    done = run_alone(*words)
    assert done.returncode == DONE and done.stdout.startswith("Usage: carebus") and not done.stderr


def test_all_faults_are_told_at_once():
    done = run_alone("request", "--quantity", "101", "--urgency=soon", "--colour", "--note")
    assert done.returncode == FAULT and not done.stdout
    for fault in ("--quantity", "--urgency", "--colour", "--note", "--group: missing", "--help"):
        assert fault in done.stderr, done.stderr


@pytest.mark.parametrize("words", [(), ("bleed",), ("topology",), ("topology", "destroy"),
                                   ("topology", "apply", "--watch", "1"), ("request", "--group", "O-", "x", *"abcdefgh")])
def test_wrong_usage(words):
    done = run_alone(*words)
    assert done.returncode == FAULT and done.stderr


def test_the_missing_environment_is_named():
    done = run_alone("request", "--group", "O-", "--watch")
    assert done.returncode == FAULT
    assert "CAREBUS_AMQP is not set" in done.stderr and "CAREBUS_MANAGEMENT is not set" in done.stderr


def test_a_password_is_never_shown(world, client):
    url = client.environment["CAREBUS_AMQP"].replace(world.servers.secret("amqp-upstream"), "not-the-password")
    for wrong in (url, "not-the-password", "amqp://upstream:not-the-password@127.0.0.1:1/x", "http://not-the-password@"):
        errors = client.run("request", "--group", "O-", ends=FAULT, CAREBUS_AMQP=wrong)
        assert errors and "not-the-password" not in errors


# -- request

def test_a_request_is_sent_with_what_was_asked(world, client):
    tap = world.tap()
    output = client.run("request", "--group", "AB-", "--component", "platelets", "--quantity", "3", "--urgency", "emergency",
                        "--needed-at", "2030-01-01T00:00:00Z", "--attribute", "irradiated", "--attribute", "cmv_negative",
                        "--patient", "p-1", "--age", "40", "--signed-by", "dr-1", "--all-or-nothing", "--note", 'a "note"')
    heard = tap.one("hospital.blood.request")
    assert heard.routing_key == "hospital.blood.request.emergency" and heard.properties.user_id == "upstream"
    assert heard.body == {
        "request_id": heard.id, "hospital_id": "hospital-001", "component": "platelets", "group": "AB-", "quantity": 3,
        "urgency": "emergency", "needed_at": "2030-01-01T00:00:00Z", "attributes": ["irradiated", "cmv_negative"],
        "patient": {"ref": "p-1", "age_years": 40}, "signed_by": "dr-1", "accept_partial": False, "note": 'a "note"'}
    assert heard.id in output


@pytest.mark.parametrize("words", [("--needed-at", "tomorrow"), ("--request-id", "7"), ("--note", "x" * 501),
                                   ("--attribute", "Not A Code")])
def test_what_the_contract_refuses_is_not_sent(world, client, words):
    assert client.run("request", "--group", "O-", *words, ends=FAULT)
    assert world.depth("hospital") == 0


def test_the_chain_is_watched(chain):
    result = chain.json("request", "--group", "O-", "--quantity", "2", "--urgency", "emergency", "--watch")
    assert result["status"] == "approved"
    events = [event["event"] for event in result["events"]]
    assert events[0] == "hospital.blood.request" and events[-1] == "hospital.request.updated"
    assert set(events) == {"hospital.blood.request", "hospital.blood.requested", "hospital.request.updated",
                           "bloodbank.blood.approved"}
    times = [event["at_ms"] for event in result["events"]]
    assert times == sorted(times)
    text = chain.run("request", "--group", "A+", "--quantity", "3", "--watch")
    assert "bloodbank.blood.approved" in text and "approved after" in text and "\033" not in text


def test_the_answer_is_in_the_exit_code(chain):
    no = chain.json("request", "--group", "AB-", "--component", "whole_blood", "--quantity", "100", "--all-or-nothing", "--watch",
                    ends=NO)
    assert no["status"] == "rejected"
    assert chain.json("request", "--group", "O-", "--hospital", "hospital-404", "--watch", ends=NO)["status"] == "refused"
    assert chain.json("request", "--group", "O-", "--needed-at", "+3d", "--watch")["status"] == "scheduled"
    assert chain.json("request", "--group", "O+", "--direct", "--watch")["status"] == "approved"


def test_asking_again_hears_the_same(chain):
    words = ("request", "--group", "O+", "--request-id", str(uuid.uuid4()), "--watch")
    first, again = chain.json(*words), chain.json(*words)
    assert first["status"] == again["status"] == "approved"
    assert first["events"][-1]["body"] == again["events"][-1]["body"]


def test_nobody_decides(world, client):
    assert "no decision" in client.run("request", "--group", "O-", "--watch", "--timeout", "1", ends=NO_ANSWER)
    left = [queue["name"] for queue in world.management("queues/{vhost}")]
    assert not [name for name in left if name.startswith("operator.")]


# -- seed

def test_the_demo_world_comes_once(world, chain):
    def stock():
        return world.sql("bloodbank", "SELECT component, blood_group, count(*) FROM unit GROUP BY 1, 2 ORDER BY 1, 2")
    before = stock()
    assert sum(row[2] for row in before) == UNITS
    groups = {}
    for _, group, count in before:
        groups[group] = groups.get(group, 0) + count
    assert set(groups) == {"O-", "O+", "A-", "A+", "B-", "B+", "AB-", "AB+"}
    assert groups["O+"] > groups["A+"] > groups["B+"] > groups["AB-"]
    assert len({row[0] for row in before}) == 5
    expiries = world.sql("bloodbank", "SELECT count(DISTINCT expires_at), min(expires_at) > now() FROM unit")
    assert expiries[0][0] > 100 and expiries[0][1]
    assert chain.json("seed")["units_received"] == UNITS
    assert stock() == before
    assert chain.json("seed", "--seed", "other", "--units", "50", "--batch", "20")["commands"] == 3
    assert sum(row[2] for row in stock()) == UNITS + 50


def test_seeds_for_load(world, chain):
    result = chain.json("seed", "--seed", "load", "--units", "1000", "--batch", "200", "--component", "plasma", "--group", "B-",
                        "--fresh", "--bank", "bank-002")
    assert (result["units_received"], result["commands_refused"]) == (1000, 0)
    counted = world.sql("bloodbank", "SELECT count(*) FROM unit WHERE bank_id = 'bank-002' AND blood_group = 'B-'"
                        " AND component = 'plasma' AND collected_at > now() - interval '2 days'")
    assert counted[0][0] >= 1000


def test_a_refused_seed_says_so(chain):
    result = chain.json("seed", "--seed", "x", "--bank", "bank-404", "--units", "10", ends=NO)
    assert (result["units_received"], result["commands_refused"]) == (0, 1)


def test_a_seed_without_a_watcher_is_only_sent(world, client):
    output = client.run("seed", CAREBUS_AMQP_ADMIN=None)
    assert "not awaited" in output and world.depth("bloodbank") == 6


# -- topology

@pytest.fixture
def admin(world):
    return Client(world, "admin")


def test_a_broker_as_the_contract_wants_it(admin):
    for verb in ("check", "plan", "apply"):
        assert admin.json("topology", verb) == {"is_same": True, "remaining": 0, "differences": [], "hidden": []}


def test_an_operator_compares_what_he_is_shown(world, client):
    found = client.json("topology", "check")
    assert found["is_same"] and {"permissions", "topic_permissions", "users"} <= set(found["hidden"])
    change(world, *DAMAGES["binding"][:2])
    assert client.json("topology", "check", ends=NO)["remaining"] == 1
    assert "refused" in client.run("topology", "apply", ends=FAULT)


def change(world, path, method, body=None):
    return world.management(path, method, **({} if body is None else {"json": body}))


DAMAGES = {
    "binding": ("bindings/{vhost}/e/hospital/q/bloodbank/hospital.blood.requested", "DELETE", None, "missing"),
    "queue": ("queues/{vhost}/hospital.query", "DELETE", None, "missing"),
    "exchange": ("exchanges/{vhost}/appointment", "DELETE", None, "missing"),
    "policy": ("policies/{vhost}/bloodbank.query: questions live 5 s", "PUT",
               {"pattern": "^bloodbank\\.query$", "apply-to": "queues", "definition": {"message-ttl": 7}}, "different"),
    "permission": ("permissions/{vhost}/upstream", "PUT", {"configure": ".*", "write": ".*", "read": ".*"}, "different"),
    "topic permission": ("topic-permissions/{vhost}/upstream", "DELETE", None, "missing"),
}


@pytest.mark.parametrize("part", DAMAGES)
def test_damage_is_found_and_repaired(world, admin, part):
    path, method, body, kind = DAMAGES[part]
    change(world, path, method, body)
    for verb in ("check", "plan"):
        found = admin.json("topology", verb, ends=NO)["differences"]
        assert (kind, part) in {(difference["kind"], difference["part"]) for difference in found}
    assert "remain" in admin.run("topology", "apply")
    assert admin.json("topology", "check")["is_same"]


def test_surplus_is_found_and_left(world, admin):
    change(world, "bindings/{vhost}/e/hospital/q/bloodbank", "POST", {"routing_key": "#", "arguments": {}})
    change(world, "queues/{vhost}/stray", "PUT", {"durable": True, "arguments": {}})
    change(world, "queues/{vhost}/passing", "PUT", {"durable": True, "arguments": {"x-expires": 60000}})
    found = admin.json("topology", "apply", ends=NO)
    assert found["remaining"] == 2
    assert {(difference["kind"], difference["part"]) for difference in found["differences"]} == {
        ("surplus", "binding"), ("surplus", "queue")}


def test_a_queue_of_another_kind_is_not_replaced(world, admin):
    change(world, "queues/{vhost}/hospital.query", "DELETE")
    change(world, "queues/{vhost}/hospital.query", "PUT", {"durable": True, "arguments": {"x-queue-type": "classic"}})
    found = admin.json("topology", "apply", ends=NO)["differences"]
    assert ("different", "queue", "hospital.query") in {
        (difference["kind"], difference["part"], difference["name"]) for difference in found}
    assert world.management("queues/{vhost}/hospital.query")["type"] == "classic"


def test_what_cannot_be_told(admin):
    assert admin.run("topology", "check", ends=FAULT, CAREBUS_MANAGEMENT="http://admin:x@127.0.0.1:1")
    wrong = admin.environment["CAREBUS_MANAGEMENT"].replace("//", "//admin:wrong-one@")
    errors = admin.run("topology", "check", ends=FAULT, CAREBUS_MANAGEMENT=wrong)
    assert "refused" in errors and "wrong-one" not in errors
    assert "no such thing" in admin.run("topology", "check", "--vhost", "nowhere", ends=FAULT)


def test_the_watch_logs_each_change(world, admin, tmp_path):
    log = tmp_path / "watch.log"
    with log.open("w") as file:
        process = subprocess.Popen([str(PROGRAM), "topology", "check", "--watch", "1"], env=admin.environment, stderr=file,
                                   stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: "as the contract wants it" in log.read_text("utf-8"), 15, "the first answer")
        change(world, *DAMAGES["binding"][:2])
        wait_until(lambda: "differences=1" in log.read_text("utf-8"), 15, "the difference to be logged")
        admin.run("topology", "apply")
        wait_until(lambda: log.read_text("utf-8").count("as the contract wants it") == 2, 15, "the repair to be logged")
    finally:
        process.terminate()
        process.wait(10)
