"""TLS and HTTP/2 in front of the bridge: compose/nginx.conf, run by nginx, with a certificate made here."""
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import pytest
import requests

from door import Door
from servers import PROJECT, free_ports, wait_until
from test_bridge import ask, problem, stock

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
CONNECTIONS_MAX = 200  # limit_conn
CONFIGURATION = PROJECT / "compose" / "nginx.conf"


class Front:
    """nginx with the project's configuration, on ports and paths of its own."""

    def __init__(self, upstream_port):
        self.port = free_ports(1)[0]
        self.url = f"https://127.0.0.1:{self.port}"
        # Its workers run as another user when it is started by root, and must get there.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carebus-front-"))
        self.folder.chmod(0o755)
        self.certificate = self.folder / "certificate"
        self.make_certificate()
        text = CONFIGURATION.read_text(encoding="utf-8").replace("/tmp/", f"{self.folder}/")
        for old, new in (("listen 8443 ", f"listen 127.0.0.1:{self.port} "), ("127.0.0.1:8080", f"127.0.0.1:{upstream_port}"),
                         ("/run/secrets/tls-certificate", str(self.certificate)), ("/run/secrets/tls-key", f"{self.folder}/key")):
            assert text.count(old) == 1, f"{old} is not once in {CONFIGURATION}"
            text = text.replace(old, new)
        (self.folder / "nginx.conf").write_text(text, encoding="utf-8")
        self.log = self.folder / "log"
        self.process = self.start()
        wait_until(self.listens, 10, "nginx to listen")

    def make_certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", str(self.folder / "key"), "-out", str(self.certificate)], check=True, capture_output=True)

    def start(self):
        with self.log.open("wb") as log:
            return subprocess.Popen([NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-g", "daemon off;"],
                                    stdout=log, stderr=log)

    def listens(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def curl(self, path, *words, body=None):
        """(status, version of HTTP, head, body) as curl sees it."""
        command = ["curl", "-sS", "--cacert", str(self.certificate), "--max-time", "40", "-D", "-", "-w", "\n%{http_code} %{http_version}",
                   *words, self.url + path]
        if body is not None:
            command += ["--data-binary", "@-", "-H", "Content-Type: application/json", "-H", "Expect:"]
        done = subprocess.run(command, input=body, capture_output=True, check=True, timeout=60)
        text, _, last = done.stdout.decode().rpartition("\n")
        status, version = last.split()
        head, _, rest = text.replace("\r\n", "\n").partition("\n\n")
        return int(status), version, head.lower(), rest

    def handshake(self, *words):
        """What openssl says of a handshake with these options."""
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", *words], input=b"", capture_output=True,
                              check=False, timeout=20)
        return (done.stdout + done.stderr).decode(errors="replace")

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)
        shutil.rmtree(self.folder)


def refuse_without_programs():
    missing = [name for name, path in (("nginx", NGINX), ("curl", shutil.which("curl")), ("openssl", shutil.which("openssl"))) if not path]
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"not installed: {missing}; compose/packages names the packages")
    if missing:
        pytest.skip(f"not installed: {missing}; compose/packages names the packages")


@pytest.fixture
def lonely():
    """A front with nothing behind it."""
    refuse_without_programs()
    made = Front(free_ports(1)[0])
    yield made
    made.stop()


@pytest.fixture
def door(world):
    refuse_without_programs()
    for name in ("hospital", "bloodbank"):
        world.start_worker(name)
    return Door(world)


@pytest.fixture
def front(door):
    made = Front(door.port)
    yield made
    made.stop()


def bearer(door):
    return ("-H", f"Authorization: Bearer {door.admin}")


def test_old_tls_and_weak_ciphers_are_refused(lonely):
    for version in ("-tls1", "-tls1_1"):
        said = lonely.handshake(version, "-cipher", "DEFAULT:@SECLEVEL=0")
        assert "alert protocol version" in said and "Cipher is (NONE)" in said, said
    assert "Cipher is ECDHE-" in lonely.handshake("-tls1_2")
    assert "Cipher is TLS_" in lonely.handshake("-tls1_3")
    assert "Cipher is (NONE)" in lonely.handshake("-tls1_2", "-cipher", "AES128-SHA256:AES256-SHA256"), "none without forward secrecy"


def test_the_configuration_has_no_warning(lonely):
    assert not [line for line in lonely.log.read_text().splitlines() if "[warn]" in line or "[emerg]" in line], lonely.log.read_text()


def test_a_bridge_that_is_down_is_a_problem(lonely):
    answer = requests.get(lonely.url + "/v1/blood-stock?bank_id=bank-001", timeout=20, verify=str(lonely.certificate))
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_one_address_cannot_take_all_connections(lonely):
    context = ssl.create_default_context(cafile=str(lonely.certificate))
    clients = []
    for _ in range(CONNECTIONS_MAX):
        client = context.wrap_socket(socket.create_connection(("127.0.0.1", lonely.port)), server_hostname="localhost")
        client.sendall(b"POST /v1/blood-units HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")  # and its body never comes
        clients.append(client)

    def refused():
        answer = requests.get(lonely.url + "/readyz", timeout=10, verify=str(lonely.certificate))
        return [answer] if answer.status_code == 429 else None  # an answer that is an error counts as false
    answer, = wait_until(refused, 5, "the next one to be refused")
    problem(answer, 429, "too_many_requests")
    assert answer.headers["Retry-After"] == "1"
    for client in clients:
        client.close()


def test_requests_go_through_whole(world, door, front):
    """HTTP/2 and 1.1; Authorization, Prefer and Idempotency-Key are handed on; nobody gives up before 30 s; a body has its limit."""
    status, version, head, body = front.curl("/v1/blood-stock?bank_id=bank-001", *bearer(door))
    assert (status, version) == (200, "2") and json.loads(body)["items"]
    assert "strict-transport-security: max-age=" in head and "nginx/" not in head
    assert front.curl("/readyz", "--http1.1")[:2] == (200, "1.1")
    stock(door, 2)
    request, key = json.dumps(ask()).encode(), ("-H", "Idempotency-Key: order 9", "-H", "Prefer: wait=10")
    first = front.curl("/v1/blood-requests", *bearer(door), *key, body=request)
    again = front.curl("/v1/blood-requests", *bearer(door), *key, body=request)
    assert first[0] == again[0] == 200 and json.loads(first[3]) == json.loads(again[3])
    assert json.loads(first[3])["decision"] == "full" and "preference-applied: wait=10" in first[2]
    status, _, head, body = front.curl("/v1/blood-requests", *bearer(door), body=b" " * (256 * 1024 + 1))
    assert status == 413 and "content-type: application/problem+json" in head and json.loads(body)["code"] == "too_large"
    assert front.curl("/v1/blood-requests", *bearer(door), body=request.ljust(256 * 1024))[0] == 202
    world.workers[1].signal(signal.SIGSTOP)  # the bank
    begun = time.monotonic()
    status, _, head, body = front.curl("/v1/blood-requests", *bearer(door), "-H", "Prefer: wait=30", body=request)
    world.workers[1].signal(signal.SIGCONT)
    assert status == 202 and time.monotonic() - begun > 29 and "location: /v1/blood-requests/" in head
    assert json.loads(body)["hospital_id"] == "hospital-001"


def test_events_come_at_once_and_stay(door, front):
    answer = requests.get(front.url + "/v1/events?types=bloodbank.unit.received", stream=True, timeout=30, verify=str(front.certificate),
                          headers={"Authorization": f"Bearer {door.admin}"})
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/event-stream"
    lines = answer.iter_lines(chunk_size=1)
    assert next(lines) == b"retry: 2000"
    for _ in range(3):
        begun = time.monotonic()
        stock(door, 1)
        line = next(line for line in lines if line.startswith(b"data: "))
        assert json.loads(line.removeprefix(b"data: "))["bank_id"] == "bank-001"
        assert time.monotonic() - begun < 3
    assert next(line for line in lines if line.startswith(b":")) == b":", "a heartbeat comes through"
    answer.close()
