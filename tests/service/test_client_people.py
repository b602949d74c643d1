"""People's commands of `carebus`: tokens, and what goes through the HTTP bridge."""
import concurrent.futures
import csv
import hashlib
import io
import json
import os
import re
import signal
import socket
import stat
import uuid

import pytest

from blood import bag, unit_id
from servers import wait_until
from test_client import DONE, FAULT, NO, NO_ANSWER, Client, run_alone

TOKEN = re.compile(r"^cb_[A-Za-z0-9_-]{43}$")
NOBODY = 65534


class Staff(Client):
    """Someone with a token, and without the bus unless told otherwise."""

    def __init__(self, door, token=None, bus=False):
        super().__init__(door.world)
        if not bus:
            self.environment = {key: value for key, value in self.environment.items() if not key.startswith("CAREBUS")}
        self.environment |= {"CAREBUS_HTTP": door.url, "CAREBUS_TOKEN": token or door.admin}


@pytest.fixture
def staff(door):
    return Staff(door)


def known_token(door, role, facility="*", rate=0):
    token = door.token(role, facility, rate)
    wait_until(lambda: door.get("/v1/blood-requests?limit=1", token).status_code != 401, what="the token to be known")
    return token


# -- tokens

def token(*words, ends=DONE):
    done = run_alone("token", *words)
    assert done.returncode == ends, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done


def add(file, subject="ward-7", role="admin", *words):
    return token("add", "--file", str(file), "--subject", subject, "--role", role, *words).stdout.strip()


def lines(file):
    return [line.split() for line in file.read_text("utf-8").splitlines()]


def test_a_token_is_shown_once_and_kept_as_its_hash(tmp_path):
    file = tmp_path / "tokens"
    done = token("add", "--file", str(file), "--subject", "ward-7", "--role", "hospital", "--facility", "hospital-001", "--rate",
                 "20", "--expires", "2130-01-31T12:00:00Z")
    text = done.stdout.strip()
    assert TOKEN.match(text) and text not in done.stderr
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert lines(file) == [[digest, "ward-7", "hospital", "hospital-001", "20", "2130-01-31T12:00:00Z"]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert add(file) != text, "random"
    shown = token("list", "--file", str(file)).stdout
    assert "ward-7" in shown and digest[:12] in shown and text not in shown
    listed = json.loads(token("list", "--file", str(file), "-o", "json").stdout)
    assert {entry["hash"] for entry in listed} == {line[0] for line in lines(file)} and text not in json.dumps(listed)


def test_a_token_can_be_written_for_scripts(tmp_path):
    file, out = tmp_path / "tokens", tmp_path / "token"
    done = token("add", "--file", str(file), "--subject", "x", "--role", "reader", "--token-file", str(out))
    text = out.read_text("utf-8").strip()
    assert TOKEN.match(text) and text not in done.stdout + done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    before = file.read_text("utf-8")
    token("add", "--file", str(file), "--subject", "x", "--role", "reader", "--token-file", str(tmp_path / "none" / "x"), ends=FAULT)
    assert file.read_text("utf-8") == before, "a token that nobody has is taken back"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["token", "tokens"]


def test_tokens_are_revoked(tmp_path):
    file = tmp_path / "tokens"
    file.touch(0o600)
    file.write_text("# ours\n", "utf-8")
    add(file, "ward-7")
    add(file, "ward-7")
    add(file, "ops")
    token("revoke", "--file", str(file), "ward-7")
    assert file.read_text("utf-8").startswith("# ours\n") and [line[1] for line in lines(file)[1:]] == ["ops"]
    token("revoke", "--file", str(file), "ward-7", ends=NO)
    token("revoke", "--file", str(file), lines(file)[1][0][:8])
    assert file.read_text("utf-8") == "# ours\n"


def test_many_at_once_lose_nothing(tmp_path):
    file = tmp_path / "tokens"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        texts = set(pool.map(lambda number: add(file, f"s-{number}"), range(24)))
    assert len(texts) == 24
    assert {hashlib.sha256(text.encode()).hexdigest() for text in texts} == {line[0] for line in lines(file)}
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user's file")
def test_the_file_keeps_its_owner(tmp_path):
    file = tmp_path / "tokens"
    add(file)
    os.chown(file, NOBODY, NOBODY)
    add(file)
    token("revoke", "--file", str(file), lines(file)[0][0][:16])
    assert (file.stat().st_uid, file.stat().st_gid) == (NOBODY, NOBODY) and len(lines(file)) == 1


@pytest.mark.parametrize("words, said", [
    (("--subject", "x", "--role", "bank"), "--facility"), (("--role", "admin"), "--subject"), (("--subject", "x"), "--role"),
    (("--subject", "x", "--role", "root"), "none of"), (("--subject", "a b", "--role", "admin"), "the subject"),
    (("--subject", "a admin * 0 -\n" + "0" * 64 + " b", "--role", "reader"), "the subject"),
    (("--subject", "x", "--role", "bank", "--facility", "Bank"), "the facility"),
    (("--subject", "x", "--role", "admin", "--expires", "soon"), "--expires"),
    (("--subject", "x", "--role", "admin", "--expires", "2020-01-01T00:00:00Z"), "over"),
    (("--subject", "x", "--role", "admin", "--rate", "100001"), "--rate")])
def test_no_token_is_made_of_nonsense(tmp_path, words, said):
    done = token("add", "--file", str(tmp_path / "tokens"), *words, ends=FAULT)
    assert said in done.stderr and not done.stdout and not list(tmp_path.iterdir())


def test_a_file_that_is_not_safe_is_not_touched(tmp_path):
    file = tmp_path / "tokens"
    for text, mode, said in (("", 0o640, "chmod 0600"), ("nonsense\n", 0o600, "line 1"), ("# x\n\nab cd\n", 0o600, "line 3")):
        file.write_text(text, "utf-8")
        file.chmod(mode)
        done = token("add", "--file", str(file), "--subject", "x", "--role", "admin", ends=FAULT)
        assert said in done.stderr and file.read_text("utf-8") == text
    token("list", "--file", str(tmp_path / "absent"), ends=FAULT)
    assert run_alone("token").returncode == run_alone("token", "revoke", "--file", str(file)).returncode == FAULT


def test_a_revoked_token_opens_nothing(door):
    staff = Staff(door, known_token(door, "reader"))
    staff.run("requests", "list")
    token("revoke", "--file", str(door.tokens_file), "reader-of-x")
    wait_until(lambda: door.get("/v1/blood-requests", staff.environment["CAREBUS_TOKEN"]).status_code == 401, what="to be forgotten")
    errors = staff.run("requests", "list", ends=FAULT)
    assert "CAREBUS_TOKEN" in errors and staff.environment["CAREBUS_TOKEN"] not in errors


# -- requests

def receive(staff, count=6, bank="bank-001", **facts):
    units = [bag(**({"group": "O-"} | facts)) for _ in range(count)]
    process = staff.start("units", "receive", "-", "--bank", bank, "-o", "json", stdin=json.dumps(units))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == DONE, errors
    assert json.loads(output)["units_received"] == count
    return units


def test_a_request_goes_by_http_where_there_is_a_bridge(world, door):
    staff, tap = Staff(door, bus=True), world.tap()
    request_id = str(uuid.uuid4())
    output = staff.run("request", "--group", "O-", "--urgency", "emergency", "--request-id", request_id)
    heard = tap.one("hospital.blood.request")
    assert (heard.properties.user_id, heard.body["request_id"]) == ("bridge", request_id)
    assert "202" in output and request_id in output
    for words in (("--direct",), ("--via", "amqp")):
        staff.run("request", "--group", "O-", *words)
        heard = tap.one("hospital.blood.requested" if "--direct" in words else "hospital.blood.request",
                        where=lambda message: message.properties.user_id == "upstream")
    assert "--direct" in staff.run("request", "--group", "O-", "--direct", "--via", "http", ends=FAULT)


def test_the_feed_tells_the_whole_chain(door):
    staff = Staff(door, bus=True)
    receive(staff)
    result = staff.json("request", "--group", "O-", "--quantity", "2", "--watch")
    events = [event["event"] for event in result["events"]]
    assert result["status"] == "approved" and uuid.UUID(result["correlation_id"])
    assert events[0] == "hospital.blood.request" and events.count("hospital.blood.request") == 1
    assert set(events) == {"hospital.blood.request", "hospital.blood.requested", "hospital.request.updated",
                           "bloodbank.blood.approved"}


def test_without_a_feed_the_bridge_waits(staff):
    receive(staff)
    approved = staff.json("request", "--group", "O-", "--watch")
    assert [event["event"] for event in approved["events"]] == ["hospital.blood.request", "bloodbank.blood.approved"]
    assert approved["status"] == "approved"
    partial = staff.json("request", "--group", "O-", "--quantity", "50", "--watch")
    assert partial["status"] == "partially_approved"
    no = staff.json("request", "--group", "O-", "--quantity", "9", "--all-or-nothing", "--watch", ends=NO)
    assert no["status"] == "rejected"


def test_asking_again_is_the_same_request(world, staff):
    receive(staff)
    words = ("request", "--group", "O-", "--request-id", str(uuid.uuid4()))
    first, again = staff.json(*words, "--watch"), staff.json(*words, "--watch")
    assert first["events"][-1]["body"] == again["events"][-1]["body"]
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(1,)]
    process = staff.start(*words, "--quantity", "7")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "id_conflict" in errors


def test_a_refusal_says_why(staff):
    process = staff.start("request", "--group", "O-", "--hospital", "hospital-404")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "unknown_facility" in errors and not output


def test_nobody_decides(world, staff):
    for worker in world.workers[:2]:
        worker.signal(signal.SIGSTOP)
    errors = staff.run("request", "--group", "O-", "--watch", "--timeout", "2", ends=NO_ANSWER)
    assert "not decided within 2 s" in errors
    assert "202" in staff.run("request", "--group", "O-")


# -- cancel, requests

def ask(staff, *words):
    return staff.json("request", "--group", "O-", "--watch", *words)["request_id"]


def test_a_request_is_cancelled(staff):
    receive(staff)
    request_id = ask(staff)
    assert request_id in staff.run("cancel", request_id, "--reason", "operation postponed", "--by", "dr-2")
    shown = staff.json("requests", "show", request_id)
    assert (shown["status"], shown["request_id"]) == ("cancelled", request_id)
    told = staff.json("cancel", request_id, "--reason", "operation postponed", "--by", "dr-2")
    assert (told["reason"], told["cancelled_by"]) == ("operation postponed", "dr-2"), "again is the same cancellation"


def test_a_cancellation_that_nobody_hears(world, staff):
    receive(staff)
    request_id = ask(staff)
    world.workers[0].signal(signal.SIGSTOP)
    process = staff.start("cancel", request_id, "--reason", "x", "--wait", "1")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == NO_ANSWER and "202" in output and f"requests show {request_id}" in output
    assert "202" in staff.run("cancel", request_id, "--reason", "x", "--wait", "0")
    world.workers[0].signal(signal.SIGCONT)
    wait_until(lambda: staff.json("requests", "show", request_id)["status"] == "cancelled", what="it to be cancelled")


def test_what_cannot_be_cancelled(world, staff):
    world.start_worker("appointment")
    receive(staff, 1)
    rejected = staff.json("request", "--group", "O-", "--quantity", "9", "--all-or-nothing", "--watch", ends=NO)["request_id"]
    process = staff.start("cancel", rejected, "--reason", "x")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "wrong_state" in errors and "state: rejected" in errors and "present state" in errors
    process = staff.start("cancel", str(uuid.uuid4()), "--reason", "x")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "404" in errors
    assert "uuid" in staff.run("cancel", "7", "--reason", "x", ends=FAULT)
    assert "--reason" in staff.run("cancel", str(uuid.uuid4()), ends=FAULT)


def test_requests_are_listed_page_after_page(staff, door):
    made = [door.post("/v1/blood-requests", {"hospital_id": "hospital-001", "component": "plasma", "group": "B-", "quantity": 1,
                                             "urgency": "routine"}).json()["request_id"] for _ in range(120)]
    listed = staff.json("requests", "list", "--hospital", "hospital-001", "--limit", "110")
    assert [item["request_id"] for item in listed["items"]] == made[::-1][:110] and listed["as_of"] and listed["next"]
    assert len(staff.json("requests", "list", "--limit", "1000")["items"]) == 120
    text = staff.run("requests", "list", "--limit", "3")
    assert text.splitlines()[0].split()[:3] == ["REQUEST", "HOSPITAL", "STATUS"] and made[-1] in text
    assert "3 and more" in text and "\033" not in text
    assert staff.json("requests", "list", "--hospital", "hospital-003")["items"] == []
    wait_until(lambda: len(staff.json("requests", "list", "--status", "rejected", "--limit", "200")["items"]) == 120,
               what="all to be rejected")
    assert f"request_id: {made[0]}" in staff.run("requests", "show", made[0])


# -- units, stock

def as_csv(units):
    names = sorted({name for unit in units for name in unit})
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows({name: ";".join(value) if isinstance(value, list) else value for name, value in unit.items()} for unit in units)
    return out.getvalue()


def test_units_come_in_from_a_file(world, staff, tmp_path):
    units = [bag("O-", attributes=["cmv_negative", "irradiated"], volume_ml=281) for _ in range(450)]
    file = tmp_path / "delivery.csv"
    file.write_text(as_csv(units), "utf-8")
    tap = world.tap()
    assert "450 of 450 units received by bank-001" in staff.run("units", "receive", str(file), "--bank", "bank-001",
                                                                "--received-by", "staff-9")
    parts = tap.expect("bloodbank.unit.receive", count=3)
    assert [len(part.body["units"]) for part in parts] == [200, 200, 50] and parts[0].body["received_by"] == "staff-9"
    before = world.sql("bloodbank", "SELECT count(*), max(version) FROM unit")
    assert before[0][0] == 450
    assert staff.json("units", "receive", str(file), "--bank", "bank-001", "--received-by", "staff-9")["units_received"] == 450
    assert world.sql("bloodbank", "SELECT count(*), max(version) FROM unit") == before
    listed = staff.json("units", "list", "--bank", "bank-001", "--group", "O-", "--status", "available", "--limit", "250")
    assert [item["unit_id"] for item in listed["items"]] == sorted(map(unit_id, units))[:250] and listed["next"]
    assert staff.json("units", "list", "--bank", "bank-002")["items"] == []
    shown = staff.json("units", "show", unit_id(units[0]))
    assert (shown["bank_id"], shown["volume_ml"], sorted(shown["attributes"])) == ("bank-001", 281, ["cmv_negative", "irradiated"])
    assert unit_id(units[0]) in staff.run("units", "show", unit_id(units[0]))
    process = staff.start("units", "show", "A000000000000-X-00")
    assert "404" in process.communicate(timeout=60)[1] and process.returncode == NO


def test_a_bad_file_sends_nothing(world, staff, tmp_path):
    file = tmp_path / "delivery.json"
    file.write_text(json.dumps([bag("O-"), bag("O-") | {"group": "Z"}]), "utf-8")
    errors = staff.run("units", "receive", str(file), "--bank", "bank-001", ends=FAULT)
    assert "nothing was sent" in errors and "unit 2: /group" in errors
    assert "--bank" in staff.run("units", "receive", str(file), ends=FAULT)
    assert "cannot be opened" in staff.run("units", "receive", str(tmp_path / "none"), "--bank", "bank-001", ends=FAULT)
    assert world.sql("bloodbank", "SELECT count(*) FROM unit") == [(0,)]
    file.write_text(json.dumps([bag("O-")]), "utf-8")
    process = staff.start("units", "receive", str(file), "--bank", "bank-404")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "0 of 1" in output and "unknown_facility" in errors


def test_stock_is_shown(staff):
    receive(staff, 3)
    receive(staff, 2, group="A+")
    text = staff.run("stock", "--bank", "bank-001")
    rows = {tuple(line.split()[:3]) for line in text.splitlines()}
    assert {("red_cells", "O-", "3"), ("red_cells", "A+", "2")} <= rows and "as of" in text
    items = staff.json("stock", "--bank", "bank-001", "--group", "O-", "--component", "red_cells")["items"]
    assert [(item["group"], item["available"]) for item in items] == [("O-", 3)]
    assert staff.json("stock", "--hospital", "hospital-001")["items"] == []
    assert staff.run("stock", ends=FAULT) and staff.run("stock", "--bank", "a", "--hospital", "b", ends=FAULT)


# -- who may, and what stands in the way

def test_a_reader_changes_nothing(door, staff):
    receive(staff)
    request_id = ask(staff)
    reader = Staff(door, known_token(door, "reader"))
    process = reader.start("cancel", request_id, "--reason", "x")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "403" in errors
    assert reader.json("requests", "show", request_id)["status"] == "approved"


def test_a_hospital_sees_its_own(door, staff):
    receive(staff)
    request_id = ask(staff, "--hospital", "hospital-002")
    other = Staff(door, known_token(door, "hospital", "hospital-001"))
    process = other.start("requests", "show", request_id)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO and "403" in errors


def test_who_asks_too_often_is_told_when(door):
    staff = Staff(door, known_token(door, "reader", rate=1))

    def refused():
        process = staff.start("requests", "list")
        _, errors = process.communicate(timeout=60)
        return errors if process.returncode == FAULT else None
    errors = wait_until(refused, what="the limit to be met")
    assert "429" in errors and "try again in" in errors


@pytest.mark.parametrize("changes, said", [
    ({"CAREBUS_TOKEN": "cb_" + "A" * 43}, "CAREBUS_TOKEN"), ({"CAREBUS_TOKEN": None}, "CAREBUS_TOKEN is not set"),
    ({"CAREBUS_TOKEN": "secret\r\nX: y"}, "no bearer token"), ({"CAREBUS_HTTP": None}, "CAREBUS_HTTP is not set"),
    ({"CAREBUS_HTTP": "127.0.0.1"}, "CAREBUS_HTTP"), ({"CAREBUS_HTTP": "ftp://127.0.0.1"}, "http://host:port"),
    ({"CAREBUS_HTTP": "http://127.0.0.1:1"}, "check CAREBUS_HTTP")])
def test_what_stands_in_the_way_is_named(staff, changes, said):
    errors = staff.run("stock", "--bank", "bank-001", ends=FAULT, **changes)
    assert said in errors and "secret" not in errors and staff.environment["CAREBUS_TOKEN"] not in errors


def test_a_token_may_come_by_file(staff, tmp_path):
    file = tmp_path / "token"
    file.write_text(staff.environment["CAREBUS_TOKEN"] + "\n", "utf-8")
    assert "as of" in staff.run("stock", "--bank", "bank-001", CAREBUS_TOKEN=None, CAREBUS_TOKEN_FILE=str(file))
    assert "202" in staff.run("request", "--group", "O-", CAREBUS_TOKEN=None, CAREBUS_TOKEN_FILE=str(file))


def test_a_bridge_that_says_nothing_is_not_waited_for_for_ever(staff):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        errors = staff.run("cancel", str(uuid.uuid4()), "--reason", "x", "--wait", "0", ends=NO_ANSWER, CAREBUS_HTTP=url)
    assert "may have been done" in errors
