"""`carebus load` on real servers: the rate that was asked for, whatever comes back, and a journal that is the truth."""
import collections
import json
import signal
import uuid

import pytest

from blood import bag
from servers import wait_until
from test_client import DONE, FAULT, NO, NO_ANSWER, Client, run_alone

SECONDS = 60


class Loader(Client):
    """Runs loads, by either way."""

    def __init__(self, world, door):
        super().__init__(world)
        self.environment |= {"CAREBUS_HTTP": door.url, "CAREBUS_TOKEN": door.admin}

    def begin(self, *words, **changes):
        return self.start("load", *words, "-o", "json", **changes)

    def load(self, *words, ends=DONE, **changes):
        return finish(self.begin(*words, **changes), ends)


def finish(process, ends=DONE):
    output, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == ends, f"ended with {process.returncode}:\n{output}{errors}"
    return json.loads(output)


def read_journal(path):
    """{id: {what was noted of it}}; a torn last line is left out."""
    notes = collections.defaultdict(dict)
    for line in path.read_text("utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            note = json.loads(line)
            notes[note.pop("id")].update(note)
    return notes


def acknowledged(path):
    return {request for request, notes in read_journal(path).items() if "acknowledged" in notes}


@pytest.fixture
def loader(world, door):
    units = [bag("O-") for _ in range(200)] + [bag("A+") for _ in range(200)]
    for first in range(0, len(units), 200):
        world.publish("bloodbank.unit.receive", {"bank_id": "bank-001", "units": units[first:first + 200]})
    return Loader(world, door)


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "run.jsonl"


def requests_of(world):
    return {row[0] for row in world.sql("hospital", "SELECT request_id::text FROM request")}


def check_times(notes):
    assert notes["sent"] <= notes["acknowledged"] and notes["sent"] <= notes["decided"]


# -- the figures

@pytest.mark.parametrize("via", [("--via", "amqp"), ("--via", "http"), ("--via", "http", "--wait", "10", "--connections", "64")])
def test_every_request_is_sent_acknowledged_and_decided(world, loader, journal, via):
    found = loader.load(*via, "--rate", "100", "--duration", "3", "--journal", str(journal), "--drain", "40")
    assert (found["sent"], found["acknowledged"], found["undecided"], found["overflow"]) == (300, 300, 0, 0)
    assert sum(found["decided"].values()) == 300 and found["decided"]["approved"] > 0
    assert sum(found["failed"].values()) == 0 and found["via"] == via[1]
    assert 20 < found["rate_achieved"] < 101, "a busy machine may be late, never early"
    for name in ("acknowledged_ms", "decided_ms"):
        figures = found[name]
        assert figures["count"] == 300
        assert 0 < figures["p50"] <= figures["p90"] <= figures["p99"] <= figures["p99.9"] <= figures["max"]
    notes = read_journal(journal)
    assert set(notes) == requests_of(world) and len(notes) == 300
    for note in notes.values():
        check_times(note)
    verified = loader.load("--verify", str(journal))
    assert (verified["in_journal"], verified["acknowledged"], verified["decided"]) == (300, 300, 300)
    assert verified["missing"] == verified["undecided"] == verified["not_told"] == []


def test_a_table_for_people(loader):
    text = loader.run("load", "--rate", "50", "--duration", "1", "--drain", "40")
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["MS", "COUNT", "P50", "P90", "P99", "P99.9", "MAX"]
    assert [row[:2] for row in rows[1:3]] == [["acknowledged", "50"], ["decided", "50"]]
    assert "of 50 asked: 50 sent, 50 acknowledged, 0 not decided in time" in text and "\033" not in text


def test_the_mix_is_what_was_asked_for(world, loader):
    loader.load("--rate", "100", "--duration", "1", "--mix", "O-=1,emergency=1", "--hospital", "hospital-002", "--quantity", "2",
                "--drain", "40")
    rows = world.sql("hospital", "SELECT DISTINCT hospital_id, component, blood_group, quantity, urgency FROM request")
    assert rows == [("hospital-002", "red_cells", "O-", 2, "emergency")]


def test_without_a_watcher_decisions_are_not_heard(loader):
    found = loader.load("--rate", "50", "--duration", "1", CAREBUS_AMQP_ADMIN=None)
    assert found["acknowledged"] == 50 and "decided_ms" not in found and "undecided" not in found


def test_refusals_are_decisions(loader, journal):
    found = loader.load("--rate", "50", "--duration", "1", "--hospital", "hospital-404", "--journal", str(journal), "--drain", "40")
    assert found["decided"] == {"approved": 0, "rejected": 0, "refused": 50}
    verified = loader.load("--verify", str(journal))
    assert (verified["in_journal"], verified["acknowledged"]) == (50, 0), "nothing is kept of what was refused"
    refused = loader.load("--via", "http", "--rate", "50", "--duration", "1", "--hospital", "hospital-404", ends=NO)
    assert (refused["failed"]["refused"], refused["acknowledged"]) == (50, 0)


# -- the loop is open

def test_a_stall_is_paid_by_all_who_were_due(loader, door, journal):
    """Two seconds of silence at 100 a second: about 200 requests were due and waited, not the few that were on their way."""
    process = loader.begin("--via", "http", "--rate", "100", "--duration", "6", "--connections", "4", "--journal", str(journal),
                           "--drain", "30")
    wait_until(lambda: journal.exists() and len(acknowledged(journal)) >= 50, what="the load to run")
    door.worker.signal(signal.SIGSTOP)
    with pytest.raises(AssertionError):
        wait_until(lambda: process.poll() is not None, 2, "two seconds")
    door.worker.signal(signal.SIGCONT)
    found = finish(process)
    assert (found["sent"], found["acknowledged"], found["overflow"]) == (600, 600, 0)
    figures = found["acknowledged_ms"]
    assert figures["max"] > 1900
    assert figures["p90"] > 1000, "a loop that waits for its answers would show four slow requests of hundreds"
    assert figures["p50"] < figures["p90"]


def test_overflow_is_counted(world, loader, door):
    door.worker.signal(signal.SIGSTOP)
    found = loader.load("--via", "http", "--rate", "500", "--duration", "1", "--open", "50", "--connections", "8", "--drain", "1",
                        ends=NO)
    assert (found["overflow"], found["sent"], found["unsent"], found["unanswered"]) == (450, 8, 42, 8)
    assert found["acknowledged"] == 0
    door.worker.signal(signal.SIGCONT)
    wait_until(lambda: len(requests_of(world)) == 8, what="those that were sent")


def test_the_first_signal_ends_the_schedule(loader, journal):
    process = loader.begin("--rate", "100", "--duration", "600", "--journal", str(journal), "--drain", "40")
    wait_until(lambda: journal.exists() and len(acknowledged(journal)) >= 50, what="the load to run")
    process.send_signal(signal.SIGINT)
    found = finish(process)
    assert 50 <= found["sent"] == found["acknowledged"] < 60000 and found["undecided"] == 0


def test_the_second_signal_ends_the_waiting(world, loader, journal):
    for worker in world.workers[:2]:
        worker.signal(signal.SIGSTOP)
    process = loader.begin("--rate", "100", "--duration", "600", "--journal", str(journal), "--drain", "600")
    wait_until(lambda: journal.exists() and len(acknowledged(journal)) >= 50, what="the load to run")
    process.send_signal(signal.SIGINT)
    with pytest.raises(AssertionError):
        wait_until(lambda: process.poll() is not None, 1, "it waits for decisions")
    process.send_signal(signal.SIGTERM)
    found = finish(process, NO_ANSWER)
    assert found["undecided"] == found["acknowledged"] >= 50


# -- what is lost on the way

@pytest.mark.parametrize("via", ["amqp", "http"])
def test_kill_9_loses_only_what_was_not_acknowledged(world, loader, journal, via):
    process = loader.begin("--via", via, "--rate", "500", "--duration", "60", "--journal", str(journal))
    wait_until(lambda: journal.exists() and len(acknowledged(journal)) >= 300, what="the load to run")
    process.kill()
    process.communicate()
    notes = read_journal(journal)
    verified = loader.load("--verify", str(journal), "--drain", "40")
    assert verified["decided"] == verified["acknowledged"] == len(acknowledged(journal)) >= 300
    assert requests_of(world) <= set(notes), "what the system has was on record before it was sent"


def test_a_connection_that_is_cut_is_opened_again(world, loader, journal):
    process = loader.begin("--rate", "200", "--duration", "6", "--journal", str(journal), "--drain", "40")

    def connections():
        return [entry["name"] for entry in world.management("vhosts/{vhost}/connections")
                if entry.get("client_properties", {}).get("connection_name", "").startswith("carebus load")]
    cut = wait_until(lambda: len(connections()) == 2 and connections(), 20, "both connections to be listed")
    for name in cut:
        world.servers.http.delete(world.servers.management(f"connections/{name}"), timeout=10)
    wait_until(lambda: not set(cut) & set(connections()), what="them to be cut")
    before = len(acknowledged(journal))
    wait_until(lambda: len(acknowledged(journal)) > before + 100, what="the load to go on")
    output, _ = process.communicate(timeout=SECONDS)
    found = json.loads(output)
    assert found["sent"] == 1200 and found["overflow"] == found["unanswered"] == found["unsent"] == 0
    assert found["acknowledged"] + found["failed"]["lost"] == 1200 and found["undecided"] == 0
    assert process.returncode == (NO if found["failed"]["lost"] else DONE)
    verified = loader.load("--verify", str(journal), "--drain", "40")
    assert verified["decided"] == found["acknowledged"]


def test_what_is_missing_is_listed(loader, journal):
    loader.load("--rate", "20", "--duration", "1", "--journal", str(journal), "--drain", "40")
    gone = str(uuid.uuid4())
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": gone, "acknowledged": "2026-01-01T00:00:00Z"}) + "\n" + '{"id":"torn')
    found = loader.load("--verify", str(journal), "--drain", "1", ends=NO)
    assert (found["missing"], found["decided"], found["acknowledged"]) == ([gone], 20, 21)
    process = loader.start("load", "--verify", str(journal), "--drain", "0")
    output, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == NO and gone in output and "missing: 1" in output


def test_what_is_not_decided_is_waited_for(world, loader, door, journal):
    world.workers[1].stop()
    found = loader.load("--rate", "20", "--duration", "1", "--journal", str(journal), "--drain", "1", ends=NO_ANSWER)
    assert found["undecided"] == found["acknowledged"] == 20
    waiting = loader.load("--verify", str(journal), "--drain", "1", ends=NO_ANSWER)
    assert len(waiting["undecided"]) == 20 and waiting["missing"] == []
    process = loader.begin("--verify", str(journal), "--drain", "50")
    world.start_worker("bloodbank")
    assert finish(process)["decided"] == 20
    limited = Loader(world, door)
    limited.environment["CAREBUS_TOKEN"] = door.token("reader", rate=20)
    wait_until(lambda: door.get("/v1/blood-requests?limit=1", limited.environment["CAREBUS_TOKEN"]).status_code != 401,
               what="the token to be known")
    assert limited.load("--verify", str(journal), "--drain", "50")["decided"] == 20, "a limit is respected"
    limited.environment["CAREBUS_TOKEN"] = "cb_" + "A" * 43
    assert len(limited.load("--verify", str(journal), ends=FAULT)["not_told"]) == 20


def test_a_watcher_hears_its_own_on_a_busy_bus(world, loader):
    """More passes by than a consumer may hold unacknowledged."""
    world.workers[1].stop()
    process = loader.start("request", "--via", "amqp", "--group", "O-", "--watch", "--timeout", "50", "-o", "json")
    wait_until(lambda: len(requests_of(world)) == 1, what="the request")
    loader.load("--rate", "600", "--duration", "1", CAREBUS_AMQP_ADMIN=None)
    wait_until(lambda: len(requests_of(world)) == 601, 30, "all to pass by")
    world.start_worker("bloodbank")
    assert finish(process)["status"] == "approved"


# -- usage

@pytest.mark.parametrize("words, said", [
    (("--rate", "20001"), "--rate"), (("--duration", "3601"), "--duration"), (("--open", "65537"), "--open"),
    (("--connections", "1001"), "--connections"), (("--via", "udp"), "--via"), (("--verify", "x", "--journal", "y"), "--verify"),
    (("x",), "carebus load"), ((), "CAREBUS_AMQP is not set"), (("--via", "http"), "CAREBUS_HTTP is not set")])
def test_wrong_usage(words, said):
    done = run_alone("load", *words)
    assert done.returncode == FAULT and said in done.stderr and not done.stdout


def test_another_host_is_asked_for(loader, journal):
    far = "amqp://upstream:secret@192.0.2.1:5672/x"
    errors = loader.run("load", ends=FAULT, CAREBUS_AMQP=far)
    assert "--remote" in errors and "192.0.2.1" in errors and "secret" not in errors
    for words in (("--via", "http"), ("--verify", str(journal))):
        assert "--remote" in loader.run("load", *words, ends=FAULT, CAREBUS_HTTP="http://192.0.2.1")


def test_what_the_contract_refuses_is_not_sent(world, loader, tmp_path):
    assert "hospital_id" in loader.run("load", "--hospital", "Hospital 1", ends=FAULT)
    assert "--mix" in loader.run("load", "--mix", "C+=1", ends=FAULT)
    assert "journal" in loader.run("load", "--journal", str(tmp_path / "none" / "x"), ends=FAULT)
    assert "line 1" in loader.run("load", "--verify", "/etc/hostname", ends=FAULT)
    assert requests_of(world) == set()


def test_nothing_is_sent_that_is_not_on_record(world, loader):
    tap = world.tap()
    errors = loader.run("load", "--rate", "100", "--duration", "600", "--journal", "/dev/full", ends=FAULT)
    assert "journal cannot be written" in errors
    tap.quiet("hospital.blood.request")
