"""Clients of the bridge that do what none should: each gets his answer or loses his connection, and nobody else notices."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

from door import Door
from pulse import Pulse
from raw import Raw
from servers import wait_until
from test_bridge import ask, stock
from world import World

REQUEST_SECONDS = 20  # HTTP_REQUEST_LIMIT_MS
BODIES_BYTES = 64 << 20  # HTTP_BODIES_BYTES_MAX
STREAMS = 'carebus_streams{instance_id="1",worker="bridge"}'
CALLS = 'carebus_calls_waiting{instance_id="1",worker="bridge"}'
SENT = 'carebus_messages_sent_total{instance_id="1",worker="bridge"}'
PROMPT_SECONDS = 1.5  # a tenth on a machine of its own
# Connects so many streams, says so, and waits for its end.
LISTENERS = """
import socket, sys
clients = []
for _ in range(int(sys.argv[2])):
    clients.append(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
    clients[-1].sendall(f"GET /v1/events HTTP/1.1\\r\\nHost: x\\r\\nAuthorization: Bearer {sys.argv[3]}\\r\\n\\r\\n".encode())
for client in clients:
    client.recv(1000)
print("there", flush=True)
sys.stdin.read()
"""


def chain(world):
    for name in ("hospital", "bloodbank"):
        world.start_worker(name)
    return Door(world)


@pytest.fixture(scope="module")
def door(servers):
    """One chain for all that leave it as it was."""
    world = World(servers)
    yield chain(world)
    world.close()


@pytest.fixture
def own(world):
    """A chain for one test."""
    return chain(world)


def known(door, token):
    def look():
        with Raw(door) as client:
            return client.ask("GET", "/v1/nothing", token=token).answer().status != 401
    wait_until(look, what="the token to be known")
    return token


def refusal(answer, status, code):
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    assert (answer.json()["status"], answer.json()["code"]) == (status, code), answer


def memory_bytes(worker):
    status = pathlib.Path(f"/proc/{worker.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


def prompt(door):
    """`with prompt(door):` others are served meanwhile."""
    return Pulse(lambda: door.worker.get("/healthz"))


# --- framing


POST = b"POST /v1/blood-requests HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


DOUBTFUL = [
    (POST + b"Content-Length: 0\r\nContent-Length: 36\r\n\r\n", 400),
    (POST + b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    (POST + b"Host: y\r\nContent-Length: 0\r\n\r\n", 400),
    (POST + b"Content-Length : 36\r\n\r\n", 400),
    (POST + b"X: y\r\n Content-Length: 36\r\n\r\n", 400),
    (POST + b"Content-Length: 0\r\nExpect: later\r\n\r\n", 417),
    (POST.replace(b"Host: x\r\n", b"") + b"Content-Length: 0\r\n\r\n", 400),
    (POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"GET /v1/blood-requests%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1%2Fblood-requests HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1/blood-requests?limit=1&limit=2 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
    (b"GET /v1/blood-requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n", 400),
    (b"GET /v1/blood-requests HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 431),
    (b"GET /v1/" + b"y" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
]


def test_doubtful_requests(door):
    codes = {400: "malformed", 417: "expectation_failed", 431: "too_large", 501: "not_implemented"}
    for head, status in DOUBTFUL:
        with Raw(door, 15) as client:
            client.send(head + SMUGGLED)
            refusal(client.answer(), status, codes[status])
            assert client.is_closed() and not client.received, f"{head}: what follows was answered: {client.received}"


def test_bad_chunks(door):
    """Nothing is taken of them, and a line or a trailer that never ends is not waited for."""
    head = POST + f"Authorization: Bearer {door.admin}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = [b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nhelloworld\r\n", b"5;" + b"x" * 70000, b"0\r\nX: " + b"y" * 70000]
    clients = [Raw(door, REQUEST_SECONDS / 2) for _ in chunks]
    for client, bad in zip(clients, chunks):
        client.send(head)
        try:
            client.send(bad)
        except ConnectionError:
            pass
    for client, bad in zip(clients, chunks):
        assert client.is_closed() and b"HTTP/1.1 2" not in client.received, f"{bad[:20]}: {client.received}"
        client.close()
    assert door.worker.get("/healthz").status_code == 200


def test_methods_and_forms(door):
    with Raw(door) as client:
        for method in ("PUT", "PATCH", "TRACE", "OPTIONS", "DELETE", "get"):
            answer = client.ask(method, "/v1/blood-requests").answer()
            refusal(answer, 405, "method_not_allowed")
            assert answer.headers["allow"] == "POST, GET"
        refusal(client.ask("CONNECT", "example.org:443").answer(), 404, "not_found")
        refusal(client.ask("OPTIONS", "*").answer(), 404, "not_found")
        refusal(client.ask("OPTIONS", "*", token=False).answer(), 401, "unauthorized")
        assert client.ask("GET", "http://any.host/healthz", token=False).answer().body == b"alive\n"
        refusal(client.ask("HEAD", "/v1/events").answer(has_body=False) and client.ask("HEAD", "/v1/events?x").answer(has_body=False)
                and client.ask("GET", "/v1/events?x=y").answer(), 400, "unknown_parameter")
        refusal(client.ask("POST", "/v1/blood-requests?x=y", body=b"{}").answer(), 400, "unknown_parameter")
        refusal(client.ask("GET", "/v1/blood-requests/" + "x" * 127).answer(), 404, "not_found")
        refusal(client.ask("GET", "/v1/blood-requests/" + "x" * 128).answer(), 404, "not_found")
        refusal(client.ask("GET", "/v1/blood-requests/%C3%28").answer(), 404, "not_found")
        refusal(client.ask("GET", "/v1/blood-requests/..%5c..").answer(), 400, "malformed")


def test_an_old_client(door):
    """HTTP/1.0: its connection ends with the answer, its stream has no chunks."""
    with Raw(door) as client:
        answer = client.ask("GET", "/healthz", version="1.0").answer()
        assert answer.status == 200 and client.is_closed()
    with Raw(door) as client:
        answer = client.ask("GET", "/v1/events", version="1.0").answer()
        assert answer.status == 200 and "transfer-encoding" not in answer.headers
        while b"\n\n" not in client.received:
            client.received += client.socket.recv(100)
        assert client.received == b"retry: 2000\n\n"


def test_a_client_that_waits_for_100(door):
    body = json.dumps(ask()).encode()
    with Raw(door) as client:
        client.ask("POST", "/v1/blood-requests", "Content-Type: application/json", f"Content-Length: {len(body)}",
                   "Expect: 100-continue")
        assert client.answer().status == 100
        client.send(body)
        assert client.answer().status == 202
        client.ask("POST", "/v1/blood-requests", "Content-Type: application/json", f"Content-Length: {len(body)}",
                   "Expect: 100-continue", token="cb_nobody")
        refusal(client.answer(), 401, "unauthorized")
        assert client.is_closed(), "who was not let in sends no body"


# --- greed


def test_slow_clients_make_room(world):
    """They take all places and send a byte now and then, of the head, of the body: others get in long before their time is over."""
    places = 60
    bare = Door(world, {"CONNECTIONS_MAX": places})
    heads = [b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
             POST + f"Authorization: Bearer {bare.admin}\r\nContent-Length: 200000\r\n\r\n".encode()]
    bare.session.close()
    clients = [Raw(bare) for _ in range(places)]
    for number, client in enumerate(clients):
        client.send(heads[number % len(heads)])
        client.socket.setblocking(False)
    left, begun = set(clients), time.monotonic()

    def dribble():
        for client in list(left):
            try:
                client.send(b"x")
                if not client.socket.recv(1000):
                    left.discard(client)
            except BlockingIOError:
                pass
            except ConnectionError:
                left.discard(client)
        return not left
    with Raw(bare, REQUEST_SECONDS / 2) as other:
        other.ask("GET", "/healthz", token=False)
        wait_until(dribble, REQUEST_SECONDS / 2, "all to be cut", interval=0.2)
        assert other.answer().status == 200
    assert time.monotonic() - begun < REQUEST_SECONDS / 2
    for client in clients:
        client.close()


def test_ten_thousand_requests_in_one_go(door):
    with Raw(door, 30) as client, prompt(door) as others:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        begun = time.monotonic()
        client.send(SMUGGLED * 10000)
        for _ in range(10000):
            assert client.answer().status == 200
        took = time.monotonic() - begun
    assert took < 15 and others.slowest < PROMPT_SECONDS, f"{took:.1f} s, others {others.slowest:.3f} s"


def test_commands_in_one_go_are_answered_in_order(door):
    with Raw(door, 30) as client:
        for quantity in range(1, 51):
            client.ask("POST", "/v1/blood-requests", body=json.dumps(ask(quantity=quantity)).encode())
        answers = [client.answer() for _ in range(50)]
    assert {answer.status for answer in answers} == {202}
    assert [answer.json()["quantity"] for answer in answers] == list(range(1, 51))


def unread_bytes(door):
    """What was sent to a door and waits in the kernel, connections that were not taken included."""
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:])
    return sum(int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(f":{door.port:04X}"))


def all_read(door):
    wait_until(lambda: unread_bytes(door) == 0, 40, "the bridge to read all that was sent")


def test_bodies_that_are_held_back(world):
    """Strangers' are not kept at all; of the others' no more than so much: who comes then is told to come again."""
    # what a sanitizer keeps after its end would be taken for memory in use
    bare = Door(world, {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"})
    begin = f"Content-Type: application/json\r\nContent-Length: {256 * 1024}\r\n\r\n".encode()
    most = b" " * (256 * 1024 - 1)
    at_first = memory_bytes(bare.worker)
    strangers = [Raw(bare) for _ in range(600)]
    for client in strangers:
        client.send(b"POST /v1/blood-requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer cb_nobody\r\n" + begin + most)
    all_read(bare)
    assert memory_bytes(bare.worker) - at_first < 40 << 20
    guests = [Raw(bare) for _ in range(400)]
    for client in guests:
        client.send(f"POST /v1/blood-requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {bare.admin}\r\n".encode() + begin + most)
    all_read(bare)
    assert memory_bytes(bare.worker) - at_first < BODIES_BYTES * 2 + (40 << 20), "a growing buffer is twice its content at most"
    for client in strangers[:5] + guests:
        client.send(b" ")
    for client in strangers[:5]:
        refusal(client.answer(), 401, "unauthorized")
    codes = [client.answer().status for client in guests]
    fitting = BODIES_BYTES // (256 * 1024)
    assert codes.count(503) == len(guests) - codes.count(400) and codes.count(400) in (fitting, fitting - 1), codes
    with Raw(bare) as client:
        refusal(client.ask("POST", "/v1/blood-requests", body=b"{").answer(), 400, "malformed")
    for client in strangers + guests:
        client.close()


def test_listeners_that_vanish(door):
    """A process of a thousand is killed; others are reset: their places are free again before they would come back."""
    run = subprocess.Popen([sys.executable, "-c", LISTENERS, str(door.port), "1000", door.admin], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE)
    assert run.stdout.readline() == b"there\n"
    wait_until(lambda: door.worker.metrics()[STREAMS] == 1000, 5, "nobody else to listen")
    other = known(door, door.token("reader", subject="another"))
    with Raw(door) as client:
        refusal(client.ask("GET", "/v1/events").answer(), 503, "unavailable")
        assert client.ask("GET", "/v1/events", token=other).answer().status == 200, "one cannot take all places"
    run.kill()
    run.wait()
    wait_until(lambda: door.worker.metrics()[STREAMS] == 0, 5, "a killed client's streams to be forgotten")
    clients = [Raw(door) for _ in range(100)]
    for client in clients:
        assert client.ask("GET", "/v1/events").answer().status == 200
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for client in clients:
        client.close()
    wait_until(lambda: door.worker.metrics()[STREAMS] == 0, 5, "reset streams to be forgotten")


def test_one_who_waits_a_lot_leaves_room(world, own):
    """One token's waits are half of all at most."""
    other = known(own, own.token("hospital", "hospital-002"))
    world.workers[1].signal(signal.SIGSTOP)
    body = json.dumps(ask(urgency="routine")).encode()
    clients = [Raw(own, 40) for _ in range(1100)]
    for client in clients:
        client.ask("POST", "/v1/blood-requests", "Prefer: wait=30", body=body)
    wait_until(lambda: own.worker.metrics()[CALLS] == 1024, 40, "the share to be used up")
    with Raw(own) as client:
        assert client.ask("GET", "/v1/blood-requests", token=other).answer().status == 200
    world.workers[1].signal(signal.SIGCONT)
    codes = [client.answer().status for client in clients]
    assert codes.count(503) == 1100 - 1024 and codes.count(200) == 1024, codes
    for client in clients:
        client.close()


# --- what headers say


def test_preferences(door):
    with Raw(door, 30) as client:
        for headers, waits in (
                (["Prefer: wait=10"], True), (["Prefer: respond-async", "Prefer: wait=10"], True),
                (['prefer: foo="a,b", WAIT = "10"'], True), (["Prefer: wait=99999999999"], True),
                (["Prefer: handling=lenient;wait=10"], False), (["Prefer: wait=-1"], False), (["Prefer: wait=0"], False),
                (['Prefer: x="wait=10'], False)):
            answer = client.ask("POST", "/v1/blood-requests", *headers, body=json.dumps(ask()).encode()).answer()
            assert answer.status == (200 if waits else 202), f"{headers}: {answer}"
            if waits:
                assert answer.headers["preference-applied"] in ("wait=10", "wait=30")


def test_entity_tags(door):
    with Raw(door, 15) as client:
        made = client.ask("POST", "/v1/blood-requests", "Prefer: wait=10", body=json.dumps(ask()).encode()).answer()
        target = made.headers["location"]
        wait_until(lambda: client.ask("GET", target).answer().json()["status"] != "pending", what="the decision in the view")
        tag = client.ask("GET", target).answer().headers["etag"]
        for header in (tag, "*", f"W/{tag}", f'"x", {tag}', f'"a,b",W/{tag} ,"c"'):
            assert client.ask("GET", target, f"If-None-Match: {header}").answer().status == 304, header
        assert client.ask("GET", target, 'If-None-Match: "x"', f"If-None-Match: {tag}").answer().status == 304
        for header in ('"x"', tag.strip('"'), f"w/{tag}", f'"{tag}"', ""):
            assert client.ask("GET", target, f"If-None-Match: {header}").answer().status == 200, header


def test_traces_go_on(door):
    tap = door.world.tap()
    good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    for trace in (good, good.upper(), good + "x", "x" * 5000, "01" + good[2:]):
        with Raw(door) as client:
            client.ask("POST", "/v1/blood-requests", f"traceparent: {trace}", body=json.dumps(ask()).encode())
            heard = tap.one("hospital.blood.request").headers.get("traceparent")
        assert heard == (good if trace == good else None), trace


def test_secrets_stay_out_of_the_log(door):
    key = "a-key-that-is-nobodys-business"
    with Raw(door) as client:
        for token in (door.admin, "cb_guessed-by-somebody"):
            client.ask("POST", "/v1/blood-requests", f"Idempotency-Key: {key}", body=json.dumps(ask()).encode(), token=token).answer()
            client.ask("GET", f"/v1/blood-requests?token={token}", token=token).answer()
    log = door.worker.log_text()
    servers = door.world.servers
    secrets = [servers.secret(name) for name in ("amqp-bridge", "amqp-bridge-listener", "redis-bridge", "idempotency-bridge")]
    for secret in (door.admin, "cb_guessed-by-somebody", key, *secrets):
        assert secret not in log


# --- what others say


def test_a_stream_ends_with_its_token(door):
    token = known(door, door.token("reader", "hospital-001"))
    with Raw(door) as client, Raw(door) as admin:
        assert client.ask("GET", "/v1/events", token=token).answer().status == 200
        assert admin.ask("GET", "/v1/events").answer().status == 200
        lines = door.tokens_file.read_text(encoding="ascii").splitlines(keepends=True)
        door.tokens_file.write_text("".join(line for line in lines if "reader-of-hospital-001x" not in line), encoding="ascii")
        assert client.is_ended()
        wait_until(lambda: door.worker.metrics()[STREAMS] == 1, 10, "one to be left")


def test_what_only_says_that_it_is_a_decision(world, own):
    """A publisher of commands writes what type he likes: it counts for nothing where the routing key says otherwise."""
    world.workers[1].signal(signal.SIGSTOP)
    stolen = "22222222-2222-4333-8444-555555555555"
    forged = {"request_id": stolen, "hospital_id": "hospital-001", "decision": "full", "allocation_no": 1, "quantity_requested": 1,
              "quantity_allocated": 1, "backordered": 0, "units": [], "rules_version": "x", "decided_at": "2026-01-01T00:00:00Z"}
    with Raw(own, 15) as listener, Raw(own, 15) as client:
        listener.ask("GET", "/v1/events").answer()
        client.ask("POST", "/v1/blood-requests", "Prefer: wait=2", body=json.dumps(ask(request_id=stolen)).encode())
        wait_until(lambda: world.sql("hospital", "SELECT 1 FROM request"), what="the request to be on its way")
        world.publish("hospital.blood.requested", forged, type="bloodbank.blood.approved", mandatory=False)
        world.publish("hospital.blood.requested", ask(request_id=stolen), message_id="x\nevent: bloodbank.blood.approved\ndata: {}\n\n")
        assert client.answer().status == 202
        world.workers[1].signal(signal.SIGCONT)
        listener.socket.settimeout(2)
        assert not listener.is_closed()
        events = [line for line in listener.received.replace(b"\r", b"").split(b"\n") if line.startswith(b"event: ")]
    assert b"event: hospital.blood.requested" in events
    assert b"hospital-001" in listener.received and b'"rules_version":"x"' not in listener.received
    assert b"\ndata: {}" not in listener.received


def test_anothers_decision_under_the_same_id(world, own):
    """The id is the sender's choice: under one that another facility chose before, its decision is not told."""
    stock(own)
    mine, other = (known(own, own.token("hospital", facility)) for facility in ("hospital-001", "hospital-002"))
    hospital, bank = world.workers[:2]
    chosen = "33333333-2222-4333-8444-555555555555"
    bank.signal(signal.SIGSTOP)
    with Raw(own, 40) as client, Raw(own, 40) as thief:
        client.ask("POST", "/v1/blood-requests", "Prefer: wait=30", body=json.dumps(ask(request_id=chosen)).encode(), token=mine)
        wait_until(lambda: world.held("bloodbank.emergency") == 1, what="the request to be with the bank")
        hospital.signal(signal.SIGSTOP)
        sent = own.worker.metrics()[SENT]
        body = json.dumps(ask(request_id=chosen, hospital_id="hospital-002")).encode()
        thief.ask("POST", "/v1/blood-requests", "Prefer: wait=30", body=body, token=other)
        wait_until(lambda: own.worker.metrics()[SENT] == sent + 1, what="the second to be on its way")
        assert own.worker.metrics()[CALLS] == 2
        bank.signal(signal.SIGCONT)
        answer = client.answer()
        assert (answer.status, answer.json()["hospital_id"]) == (200, "hospital-001")
        hospital.signal(signal.SIGCONT)
        refusal(thief.answer(), 409, "duplicate_conflict")
