"""The bridge while what it speaks to hangs, dies or comes back: nobody waits for a connection, and no request has two effects."""
import collections
import concurrent.futures
import json
import signal
import socket
import time

import pytest
import requests

from pulse import Pulse
from servers import wait_until
from test_bridge import ask, decided, problem, stock

PROMPT_SECONDS = 1.5  # 0.2 s on a machine of its own; a loop that waits for an opening would take several
CONFIRM_SECONDS = 5  # CALL_CONFIRM_LIMIT_MS


def seen(door, location):
    """A look at a view, over a connection of its own, since it is called in a thread."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {door.admin}"

    def look():
        answer = session.get(door.url + location, timeout=20)
        assert answer.status_code == 200, answer.text
    return look


def made(door, **facts):
    """A decided request, whose view is in Redis."""
    answer = door.post("/v1/blood-requests", ask(**facts), headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    decided(door, answer.headers["Location"])
    return answer.headers["Location"]


def broker_is_back(world):
    world.servers.start("rabbitmq")
    world.is_vhost_kept = True
    world.connections.clear()
    world.publishers.clear()


# --- what hangs


def test_views_are_served_while_the_broker_hangs(world, door):
    """A command is refused in time, and is taken again once the broker goes on."""
    location = made(door)
    world.servers.signal("rabbitmq", signal.SIGSTOP)
    try:
        with Pulse(seen(door, location)) as pulse:
            begun = time.monotonic()
            problem(door.post("/v1/blood-requests", ask()), 503, "unavailable")
            assert time.monotonic() - begun < CONFIRM_SECONDS + 5
    finally:
        world.servers.signal("rabbitmq", signal.SIGCONT)
    assert pulse.slowest < PROMPT_SECONDS, f"{pulse.slowest:.3f} s"
    wait_until(lambda: door.get("/readyz", token=False).status_code == 200, 60, "the bridge to be ready again")
    assert door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=30"}).status_code == 200


def test_a_start_and_a_stop_while_the_broker_hangs(world, door):
    location = made(door)
    door.worker.kill()
    world.servers.signal("rabbitmq", signal.SIGSTOP)
    try:
        door.start(ready=False)
        wait_until(lambda: door.worker.answers() and "link=redis" in door.worker.log_text(), 10, "the bridge to answer, and to read")
        with Pulse(seen(door, location)) as pulse:
            wait_until(lambda: "logging in" in door.worker.log_text(), 20, "an opening to be given up")
            begun = time.monotonic()
            problem(door.post("/v1/blood-requests", ask()), 503, "unavailable")
            assert time.monotonic() - begun < PROMPT_SECONDS, "without a broker it is known at once"
        assert pulse.slowest < PROMPT_SECONDS, f"{pulse.slowest:.3f} s"
        begun = time.monotonic()
        assert door.worker.stop(25) == 0
        assert time.monotonic() - begun < 12, "an opening holds the end up no longer than its own limit"
    finally:
        world.servers.signal("rabbitmq", signal.SIGCONT)


def test_nobody_waits_for_a_redis_that_hangs(world, door):
    """Who was just asking it waits half a second, then the owners are asked; who opens it anew holds up nobody."""
    location = made(door)
    look = seen(door, location)
    world.servers.signal("redis", signal.SIGSTOP)
    try:
        with Pulse(lambda: door.worker.get("/healthz")) as health:
            begun = time.monotonic()
            look()
            assert time.monotonic() - begun < 0.5 + PROMPT_SECONDS
            with Pulse(look) as pulse:
                wait_until(lambda: door.worker.log_text().count("link=redis reason=connection") >= 3, 30, "openings to have failed")
    finally:
        world.servers.signal("redis", signal.SIGCONT)
    assert health.slowest < PROMPT_SECONDS, f"{health.slowest:.3f} s"
    assert pulse.slowest < PROMPT_SECONDS, f"{pulse.slowest:.3f} s"
    wait_until(lambda: door.worker.log_text().count("what=connected link=redis") >= 2, 20, "Redis to be there again")
    look()


# --- what dies


def test_a_bridge_killed_between_command_and_answer(world, door):
    """The retry with the same key finds the first one's answer: one request, one allocation."""
    stock(door, 4)
    hospital = world.workers[0]
    headers = {"Idempotency-Key": "order 4711", "Prefer": "wait=20"}

    def post():
        return requests.post(door.url + "/v1/blood-requests", json=ask(quantity=2), timeout=40,
                             headers=headers | {"Authorization": f"Bearer {door.admin}"})
    hospital.signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        lost = pool.submit(post)
        wait_until(lambda: world.held("hospital.emergency") == 1, what="the command to be in its queue")
        door.worker.kill()
        with pytest.raises(requests.ConnectionError):
            lost.result()
        door.start()
        again = pool.submit(post)
        wait_until(lambda: world.held("hospital.emergency") == 2, what="the retry to be there as well")
        hospital.signal(signal.SIGCONT)
        answer = again.result()
    assert answer.status_code == 200 and len(answer.json()["units"]) == 2, answer.text
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(1,)]
    stocked = door.get("/v1/blood-stock?bank_id=bank-001").json()["items"]
    (item,) = [item for item in stocked if (item["component"], item["group"]) == ("red_cells", "O-")]
    assert (item["available"], item["reserved"]) == (2, 2)


def test_a_broker_that_restarts_while_many_wait(world, door):
    """All hundred are answered, and every one of them is decided in the end."""
    stock(door, 100)
    bank = world.workers[1]
    bank.signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        def post(_):
            return requests.post(door.url + "/v1/blood-requests", json=ask(), timeout=60,
                                 headers={"Authorization": f"Bearer {door.admin}", "Prefer": "wait=15"})
        waiting = [pool.submit(post, number) for number in range(100)]
        wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM request") == [(100,)], 30, "all to be on their way")
        wait_until(lambda: world.held("bloodbank.emergency") == 100, 30, "all to be with the bank")
        world.servers.kill("rabbitmq")
        broker_is_back(world)
        bank.signal(signal.SIGCONT)
        answers = [one.result() for one in waiting]
    assert {answer.status_code for answer in answers} <= {200, 202}, {answer.status_code for answer in answers}
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM request WHERE status = 'approved'") == [(100,)], 60,
               "all to be approved")
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(100,)]
    for answer in answers[:5]:
        assert door.get(answer.headers["Location"]).json()["status"] == "approved"


def test_redis_restarts_without_its_data(world, door):
    location = made(door)
    version = door.get(location).json()["version"]
    world.servers.kill("redis")
    assert door.get(location).json()["version"] == version, "the owner knows it"
    world.servers.start("redis")
    wait_until(lambda: door.worker.log_text().count("what=connected link=redis") >= 2, 20, "the bridge to be connected again")
    key = "view:request:" + location.rsplit("/", maxsplit=1)[1]
    def filled():
        assert door.get(location).json()["version"] == version
        return world.redis().hget(key, "version") == str(version)
    wait_until(filled, what="the view to be filled again")


def test_redis_keeps_its_data_and_loses_its_clients(world, door):
    location = made(door)
    key = "view:request:" + location.rsplit("/", maxsplit=1)[1]
    world.redis().client_kill_filter(_type="normal", skipme=True)
    assert door.get(location).status_code == 200
    wait_until(lambda: door.worker.log_text().count("what=connected link=redis") >= 2, 20, "the bridge to be connected again")
    body = json.loads(world.redis().hget(key, "body")) | {"version": 99}
    world.redis().hset(key, mapping={"version": 99, "body": json.dumps(body)})
    assert door.get(location).json()["version"] == 99, "read from Redis again"


def test_a_cancellation_whose_request_is_not_in_redis(world, door):
    """Its owner is asked first; then the command goes out, by itself."""
    stock(door)
    location = made(door)
    world.redis().flushall()
    answer = door.post(location + "/cancellation", {"reason": "postponed"})
    assert answer.status_code == 200 and answer.json()["cancelled_by"] == "admin-of-x", answer.text
    assert world.parked("hospital") == []


def test_a_database_that_is_stopped(world, door):
    """The command is confirmed, so it will be done: accepted now, decided when the database is back."""
    world.servers.kill("postgres", signal.SIGINT)
    try:
        begun = time.monotonic()
        answer = door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=3"})
        assert answer.status_code == 202 and time.monotonic() - begun < 6, answer.text
        shown = door.get(answer.headers["Location"]).json()
        assert (shown["status"], shown["version"]) == ("pending", 0)
        problem(door.get("/v1/blood-requests"), 503, "unavailable")
    finally:
        world.servers.start("postgres")
        world.forget_databases()
    wait_until(lambda: door.get(answer.headers["Location"]).json()["version"] > 0, 60, "the request to be known to its owner")
    assert decided(door, answer.headers["Location"]).json()["status"] == "rejected"
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(1,)]


def test_more_at_once_than_the_broker_confirms_at_once(world, door):
    """The broker stands still for a moment: those that find no room in the window wait for it, and nobody is sent away."""
    count = 1100  # BROKER_CONFIRM_WINDOW is 1024
    calls = 'carebus_calls_waiting{instance_id="1",worker="bridge"}'
    body = json.dumps(ask(urgency="routine")).encode()
    head = (f"POST /v1/blood-requests HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.token('admin', subject='other')}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    own = head.replace(b"Bearer " + head.split(b"Bearer ")[1].split(b"\r")[0], f"Bearer {door.admin}".encode())
    wait_until(lambda: b" 200 " in once(door, head.replace(b"POST", b"GET").split(b"Content-Type")[0] + b"\r\n"), what="the token")
    clients = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(count)]
    for number, client in enumerate(clients):
        client.sendall((head if number % 2 else own) + body[:-1])
    world.servers.signal("rabbitmq", signal.SIGSTOP)
    try:
        for client in clients:
            client.sendall(body[-1:])
        wait_until(lambda: door.worker.metrics()[calls] == count, CONFIRM_SECONDS - 0.5, "all to wait")
    finally:
        world.servers.signal("rabbitmq", signal.SIGCONT)
    codes = collections.Counter()
    for client in clients:
        client.settimeout(20)
        codes[client.recv(65536).split(b" ")[1]] += 1
        client.close()
    assert codes == {b"202": count}, codes


def once(door, request):
    """The answer's beginning, over a connection of its own."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=10) as client:
        client.sendall(request)
        return client.recv(65536)
