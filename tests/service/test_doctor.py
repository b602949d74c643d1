"""compose/doctor on a stack of its own: silent about a healthy one, and it names what was broken."""
import json
import shutil
import subprocess
import tempfile

import pika
import psycopg2
import pytest
import redis
import requests

from servers import missing_programs, wait_until
from test_compose import Stack


FIGURES = {"disk", "fsync", "memory"}  # a busy machine's own


@pytest.fixture(scope="module")
def running():
    if missing_programs():
        pytest.skip(f"not installed: {missing_programs()}")
    folder = tempfile.mkdtemp(prefix="carebus-doctor-")
    stack = Stack(folder)
    try:
        stack.run("up")
        yield stack
    finally:
        stack.run("down")
        shutil.rmtree(folder, ignore_errors=True)


def examine(stack, ok=True):
    return json.loads(stack.run("doctor", "--json", ok=ok))


def wrong(stack):
    """[(level, check, text)] of what is not ok; the exit status says whether something FAILs."""
    process = stack.start("doctor", "--json")
    text = process.communicate(timeout=180)[0]
    found = json.loads(text)
    assert process.returncode == int(any(row["level"] == "FAIL" for row in found)), text
    assert all(row["advice"] for row in found if row["level"] != "ok"), text
    return [(row["level"], row["check"], row["text"]) for row in found if row["level"] != "ok"]


def tells(stack, level, check, *words):
    """Waits until doctor has such a finding: what the broker tells of its queues is some seconds old."""
    def found():
        return [text for *kind, text in wrong(stack) if kind == [level, check] and all(word in text for word in words)]
    return wait_until(found, 30, f"{level} {check} {words}", 1)


def is_well(stack, check):
    wait_until(lambda: not [row for row in wrong(stack) if row[1] == check], 60, f"{check} to be well again", 1)


def database(stack, name):
    link = psycopg2.connect(stack.addresses()["CAREBUS_POSTGRES"].rsplit("/", 1)[0] + "/" + name)
    link.autocommit = True
    return link.cursor()


def test_before_the_first_start(tmp_path):
    stack = Stack(tmp_path / "nothing")
    text = stack.run("doctor")
    assert "ok    stack: nothing is running" in text and "ok    packages: all are installed" in text
    assert not (tmp_path / "nothing").exists(), "it changes nothing"
    assert "usage" in stack.run("doctor", "--jsn", ok=False)


def test_a_healthy_stack_is_ok(running):
    def of_the_stack():
        return [row for row in wrong(running) if row[1] not in FIGURES]
    try:  # the broker's counts of consumers are some seconds old
        wait_until(lambda: not of_the_stack(), 30, "all to be well", 1)
    except AssertionError as fault:
        raise AssertionError(f"a healthy stack is said to have {of_the_stack()}") from fault
    text = running.run("doctor")
    lines = [line for line in text.splitlines() if line[6:].split(":")[0] not in FIGURES]
    assert all(line.startswith("ok    ") for line in lines), text
    checks = {line[6:].split(":")[0] for line in text.splitlines()}
    assert {"system", "packages", "disk", "fsync", "memory", "open files", "ports", "secrets", "rabbitmq", "postgres", "redis", "hospital",
            "bloodbank", "notification", "appointment", "bridge", "topology", "programs", "counters", "logs", "broker", "queues", "durability",
            "connections", "clocks", "schemas", "outbox"} == checks
    assert {row["check"] for row in examine(running)} == checks
    for secret in running.secrets().values():
        assert secret not in text


def test_a_stopped_worker_and_what_it_leaves_undone(running):
    subprocess.run(["sv", "-w", "20", "down", str(running.folder / "service" / "bloodbank")], check=True, capture_output=True)
    try:
        tells(running, "FAIL", "bloodbank", "does not run")
        tells(running, "FAIL", "queues", "nobody reads bloodbank;")
        rows = database(running, "bloodbank")
        rows.execute("UPDATE outbox SET sent_at = NULL, created_at = now() - interval '2 min' WHERE (cause_id, ordinal) IN "
                     "(SELECT cause_id, ordinal FROM outbox WHERE exchange IS NOT NULL LIMIT 1)")
        tells(running, "FAIL", "outbox", "bloodbank: 1 outputs are unsent")
    finally:
        running.run("restart", "bloodbank")
    is_well(running, "outbox")
    assert "restarted" in tells(running, "warn", "bloodbank", "restarted")[0]


def test_a_parked_message(running):
    connection = pika.BlockingConnection(pika.URLParameters(running.addresses()["CAREBUS_AMQP"]))
    connection.channel().basic_publish("hospital", "hospital.blood.request", b"{", pika.BasicProperties(
        message_id="11111111-2222-4333-8444-555555555555", type="hospital.blood.request", delivery_mode=2))
    connection.close()
    tells(running, "warn", "queues", "1 messages are parked in hospital.parked")


def test_a_removed_binding(running):
    base = running.addresses()["CAREBUS_MANAGEMENT"]
    place = f"{base}/api/bindings/carebus/e/hospital/q/bloodbank/hospital.blood.requested"
    assert requests.delete(place, timeout=10).status_code == 204
    tells(running, "FAIL", "topology", "bloodbank", "hospital.blood.requested")
    running.run("carebus", "topology", "apply")
    is_well(running, "topology")


def test_a_schema_that_is_behind_or_was_changed(running):
    rows = database(running, "hospital")
    rows.execute("SELECT number, name, checksum, applied_at FROM schema_migration WHERE set = 'hospital' ORDER BY number DESC LIMIT 1")
    number, name, checksum, applied_at = rows.fetchone()
    rows.execute("UPDATE schema_migration SET checksum = 'x' WHERE set = 'hospital' AND number = %s", (number,))
    tells(running, "FAIL", "schemas", f"hospital/{name}", "was changed")
    rows.execute("DELETE FROM schema_migration WHERE set = 'hospital' AND number = %s", (number,))
    tells(running, "FAIL", "schemas", f"hospital lacks hospital/{name}")
    rows.execute("INSERT INTO schema_migration VALUES ('hospital', %s, %s, %s, %s)", (number, name, checksum, applied_at))
    rows.execute("INSERT INTO schema_migration VALUES ('hospital', 9999, '9999_later', 'x')")
    tells(running, "FAIL", "schemas", "9999_later", "do not know")
    rows.execute("DELETE FROM schema_migration WHERE number = 9999")
    is_well(running, "schemas")


def test_settings_that_lose_data(running):
    rows = database(running, "postgres")
    rows.execute("ALTER SYSTEM SET synchronous_commit = off")
    rows.execute("SELECT pg_reload_conf()")
    tells(running, "FAIL", "durability", "synchronous_commit off")
    rows.execute("ALTER SYSTEM RESET synchronous_commit")
    rows.execute("SELECT pg_reload_conf()")
    cache = redis.Redis.from_url(running.addresses()["CAREBUS_REDIS"])
    cache.config_set("appendonly", "yes")
    tells(running, "warn", "durability", "Redis keeps data")
    cache.config_set("appendonly", "no")
    cache.function_flush()
    tells(running, "FAIL", "durability", "functions")
    running.run("restart", "redis")
    is_well(running, "durability")


def test_a_secret_that_others_may_read(running):
    secret = running.folder / "secrets" / "amqp-operator"
    secret.chmod(0o644)
    tells(running, "FAIL", "secrets", "others may read amqp-operator")
    secret.chmod(0o600)
    is_well(running, "secrets")


def test_a_fault_in_a_log(running):
    log = running.folder / "log" / "hospital" / "current"
    stamp = subprocess.run(["date", "-u", "+%Y-%m-%dT%H:%M:%S"], check=True, capture_output=True, text=True).stdout.strip()
    with log.open("a", encoding="utf-8") as lines:
        lines.write("time=2020-01-01T00:00:00.000000Z level=error worker=hospital what=\"long ago\"\n"
                    f"time={stamp}.000000Z level=error worker=hospital what=\"just now\"\n")
    text, = tells(running, "warn", "logs", "hospital", "just now")
    assert "1 faults" in text, "old ones are not told"


def test_a_stack_that_is_down(running):
    running.run("down")
    text = running.run("doctor")
    assert "ok    stack: nothing is running" in text and "ok    ports: " in text


