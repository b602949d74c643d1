"""The commands of compose/ on a stack of their own, as a newcomer would type them."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pika
import psycopg2
import pytest
import redis
import requests

from servers import BUILD, PROJECT, missing_programs, wait_until

PROCESSES = ["rabbitmq", "postgres", "redis", "hospital", "bloodbank", "notification", "appointment", "bridge", "topology"]
SECOND_UP_SECONDS = 10


class Stack:
    """A folder with a stack in it. Commands run without a terminal."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.environment = os.environ | {"VAR": str(folder), "BUILD": str(BUILD)}
        self.environment.pop("PORT_BASE", None)

    def start(self, command, *words, **extra):
        return subprocess.Popen([str(PROJECT / "compose" / command), *words], env=self.environment | extra, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, command, *words, ok=True, **extra):
        process = self.start(command, *words, **extra)
        text = process.communicate(timeout=180)[0]
        assert (process.returncode == 0) == ok, f"{command} {words} ended with {process.returncode}:\n{text}"
        return text

    def status(self):
        return {row["name"]: row for row in json.loads(self.run("status", "--json"))}

    def addresses(self):
        return dict(line.split("=", 1) for line in self.run("status", "--env").splitlines())

    def secrets(self):
        return {path.name: path.read_text(encoding="ascii") for path in (self.folder / "secrets").iterdir()}

    def processes(self):
        """{pid: command line} of what belongs to this stack: by its environment or its working directory."""
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                mark = f"CAREBUS_VAR={self.folder}".encode() in (entry / "environ").read_bytes().split(b"\0")
                inside = os.readlink(entry / "cwd").startswith(f"{self.folder}/")
                if mark or inside:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile
        return found


@pytest.fixture(scope="module")
def stack():
    if missing_programs():
        pytest.skip(f"not installed: {missing_programs()}")
    folder = tempfile.mkdtemp(prefix="carebus-compose-")
    made = Stack(folder)
    yield made
    made.run("down")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def running(stack):
    """The stack, brought up by two commands at once, as impatient people do."""
    both = [stack.start("up"), stack.start("up")]
    texts = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], "\n".join(texts)
    stack.first_texts = texts
    return stack


def test_up_shows_two_decided_requests_and_a_booking(running):
    for text in running.first_texts:
        assert re.search(r" ms .* appointment\.slot\.booked ", text) and re.search(r"^booked after [\d.]+ ms$", text, re.MULTILINE), text
        assert text.count("bloodbank.blood.approved") >= 2, text
        assert text.count("hospital.request.updated") >= 2, text
        assert "\r" not in text, "progress belongs on a terminal only"


def test_everything_is_ready(running):
    status = running.status()
    assert list(status) == PROCESSES
    assert all(row["ready"] for row in status.values()), status
    for row in status.values():
        assert pathlib.Path(f"/proc/{row['pid']}").exists()
    table = running.run("status")
    assert all(re.search(rf"^{name} .* yes$", table, re.MULTILINE) for name in PROCESSES), table


def test_addresses_work(running):
    addresses = running.addresses()
    for key in ("CAREBUS_AMQP", "CAREBUS_AMQP_ADMIN"):
        pika.BlockingConnection(pika.URLParameters(addresses[key])).close()
    assert requests.get(addresses["CAREBUS_MANAGEMENT"] + "/api/overview", timeout=5).ok
    psycopg2.connect(addresses["CAREBUS_POSTGRES"]).close()
    assert redis.Redis.from_url(addresses["CAREBUS_REDIS"]).ping()


def test_demo_world_came_once(running):
    count = "SELECT count(*), count(DISTINCT unit_id), count(DISTINCT bank_id) FROM unit"
    with psycopg2.connect(running.addresses()["CAREBUS_POSTGRES"].rsplit("/", 1)[0] + "/bloodbank") as link:
        def units():
            with link.cursor() as cursor:
                cursor.execute(count)
                found = cursor.fetchone()
            link.commit()
            return found
        first = units()
        assert first[0] == first[1] and 500 <= first[0] <= 700 and first[2] == 2, first
        running.run("up")
        assert units() == first


def seconds_of(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def test_second_up_is_quick(running):
    """The quickest of some: a machine may be busy for a while."""
    before = {name: row["pid"] for name, row in running.status().items()}
    taken = []
    while min(taken, default=SECOND_UP_SECONDS) >= SECOND_UP_SECONDS and len(taken) < 4:
        taken.append(seconds_of(lambda: running.run("up")))
    assert min(taken) < SECOND_UP_SECONDS, taken
    assert {name: row["pid"] for name, row in running.status().items()} == before


def test_no_password_in_arguments_or_logs(running):
    secrets = running.secrets()
    assert len(secrets) >= 12
    for pid, command in running.processes().items():
        assert not [name for name, secret in secrets.items() if secret in command], (pid, command)
    logs = [path for path in (running.folder / "log").rglob("*") if path.is_file()]
    assert logs
    for path in logs:
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not [name for name, secret in secrets.items() if secret in text], path


def test_passwords_are_their_users_alone(running):
    for path in (running.folder / "secrets").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


def test_servers_listen_on_loopback_only(running):
    mine = set(running.processes())
    listening = subprocess.run(["ss", "-Hltnp"], check=True, capture_output=True, text=True).stdout.splitlines()
    owned = [line for line in listening if mine & {int(pid) for pid in re.findall(r"pid=(\d+)", line)}]
    assert owned
    assert not [line for line in owned if not re.search(r"\s(127\.0\.0\.1|\[::1\]|\[::ffff:127\.0\.0\.1\]):\d+\s", line)]


@pytest.mark.parametrize("name", ["bloodbank", "hospital", "redis"])
def test_a_killed_process_comes_back(running, name):
    before = running.status()[name]
    os.kill(before["pid"], signal.SIGKILL)

    def is_back():
        now = running.status()[name]
        return now["ready"] and now["pid"] != before["pid"] and now["restarts"] == before["restarts"] + 1
    wait_until(is_back, 20, f"{name} to be restarted and counted", 0.2)


def test_a_queue_made_again_outlives_a_killed_broker(running):
    """Before up is over the broker's register of queues is on disk; one killed before that has queues that never get a leader again."""
    stamp = running.folder / "state" / "queues_synced"
    synced = stamp.stat().st_mtime_ns
    queue = running.addresses()["CAREBUS_MANAGEMENT"] + "/api/queues/carebus/bloodbank"
    assert requests.delete(queue, timeout=10).status_code == 204
    running.run("up")
    assert stamp.stat().st_mtime_ns > synced
    os.kill(running.status()["rabbitmq"]["pid"], signal.SIGKILL)
    wait_until(lambda: all(row["ready"] for row in running.status().values()), 60, "the broker and everyone to be back", 0.5)
    assert "bloodbank.blood." in running.run("up")


def test_restart(running):
    before = running.status()["bloodbank"]["pid"]
    assert "ready" in running.run("restart", "bloodbank")
    assert running.status()["bloodbank"]["pid"] != before
    assert "there is no service 'blood'" in running.run("restart", "blood", ok=False)


def test_logs(running):
    assert "ready to accept connections" in running.run("logs", "redis").lower()
    following = running.start("logs", "-f", "hospital")
    assert following.stdout.readline()
    following.send_signal(signal.SIGTERM)
    following.wait(5)
    following.stdout.close()


def test_up_heals_a_lost_supervisor(running):
    supervisor = int((running.folder / "state" / "supervisor.pid").read_text(encoding="ascii"))
    os.kill(supervisor, signal.SIGKILL)
    running.run("up")
    assert all(row["ready"] for row in running.status().values())


def test_reset_asks_first(running):
    assert "--yes" in running.run("reset", ok=False)
    assert all(row["ready"] for row in running.status().values())


def test_down_leaves_nothing(running):
    base = int((running.folder / "state" / "port_base").read_text(encoding="ascii"))
    assert running.processes()
    running.run("down")
    assert running.processes() == {}
    for name in ("hospital", "bloodbank", "notification", "appointment", "bridge"):
        last = (running.folder / "log" / name / "current").read_text(encoding="utf-8").splitlines()[-3:]
        assert any("what=stopping" in line for line in last), f"{name} was not stopped in order: {last}"
    for port in range(base, base + 20):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0, f"somebody still listens on {port}"
    running.run("down")


def test_a_taken_port_is_named(running):
    base = int((running.folder / "state" / "port_base").read_text(encoding="ascii"))
    with socket.socket() as occupant:
        occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupant.bind(("127.0.0.1", base + 5))
        occupant.listen()
        text = running.run("up", ok=False)
    assert "FAILED: start servers" in text and f"port {base + 5} is taken" in text and "PORT_BASE" in text


def test_reset_deletes_the_data(running):
    running.run("reset", "--yes")
    assert not (running.folder / "server").exists() and not (running.folder / "secrets").exists()
    assert "run compose/up" in running.run("status", ok=False)
