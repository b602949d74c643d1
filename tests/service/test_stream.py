"""Server-Sent Events: to each his own, at once, and a slow or lost client is nobody's trouble."""
import json
import socket
import threading
import time

import requests

from servers import wait_until
from test_bridge import ask, problem, stock


class Listener:
    """A client of /v1/events in a thread of its own: [(event, data)]."""

    def __init__(self, door, query="", token=None):
        self.heard = []
        self.answer = requests.get(f"{door.url}/v1/events{query}", stream=True, timeout=60,
                                   headers={"Authorization": f"Bearer {token or door.admin}"})
        assert self.answer.status_code == 200, self.answer.text
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        event = {}
        try:
            for line in self.answer.iter_lines(chunk_size=1):
                name, _, value = line.decode().partition(": ")
                if line:
                    event[name] = value
                elif "data" in event:
                    self.heard.append((event["event"], json.loads(event["data"]), time.monotonic()))
                    event = {}
        except (requests.RequestException, AttributeError, ValueError):
            pass

    def types(self):
        return [event for event, _, _ in self.heard]

    def close(self):
        self.answer.close()


def test_events_are_heard(door):
    listener = Listener(door)
    stock(door, 3)
    request_id = door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"}).json()["request_id"]
    wanted = {"hospital.blood.requested", "bloodbank.blood.approved", "hospital.request.updated", "bloodbank.inventory.updated"}
    wait_until(lambda: wanted <= set(listener.types()), what="the chain of events")
    approved = next(data for event, data, _ in listener.heard if event == "bloodbank.blood.approved")
    assert approved["request_id"] == request_id and approved["decision"] == "full"


def test_types_are_chosen(door):
    chosen = Listener(door, "?types=bloodbank.blood.*,hospital.blood.requested")
    everything = Listener(door)
    stock(door, 1)
    door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"})
    wait_until(lambda: "hospital.request.updated" in everything.types() and "bloodbank.blood.approved" in chosen.types(),
               what="both to hear")
    assert set(chosen.types()) == {"hospital.blood.requested", "bloodbank.blood.approved"}
    problem(door.get("/v1/events?types=no.such.event"), 422, "invalid")
    problem(door.get("/v1/events?type=x"), 400, "unknown_parameter")
    problem(door.get("/v1/events", token=False), 401, "unauthorized")


def test_to_each_his_own(door):
    tokens = {facility: door.token(role, facility) for role, facility in
              (("hospital", "hospital-001"), ("hospital", "hospital-002"), ("bank", "bank-001"), ("bank", "bank-002"))}
    wait_until(lambda: door.get("/v1/blood-stock?bank_id=bank-001", tokens["bank-002"]).status_code == 200, what="the tokens")
    listeners = {facility: Listener(door, token=token) for facility, token in tokens.items()}
    admin = Listener(door, "?facility_id=hospital-001")
    stock(door, 2)
    door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"})
    wait_until(lambda: "hospital.request.updated" in listeners["hospital-001"].types()
               and "bloodbank.blood.approved" in listeners["bank-001"].types(), what="those concerned to hear")
    door.post("/v1/blood-requests", ask(hospital_id="hospital-002"), headers={"Prefer": "wait=10"})
    wait_until(lambda: "bloodbank.blood.approved" in listeners["hospital-002"].types(), what="the other hospital to hear")
    for facility, listener in listeners.items():
        for event, data, _ in listener.heard:
            assert facility in json.dumps(data), f"{facility} heard {event} {data}"
    assert "bank-002" not in json.dumps([data for _, data, _ in listeners["bank-001"].heard])
    assert not [data for _, data, _ in admin.heard if "hospital-001" not in json.dumps(data)]
    problem(door.get("/v1/events?facility_id=hospital-002", tokens["hospital-001"]), 403, "forbidden")


def test_a_client_that_never_reads_is_dropped(door):
    """Others hear on, and the bridge's memory stays bounded."""
    deaf = socket.create_connection(("127.0.0.1", door.port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.sendall(f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.admin}\r\n\r\n".encode())
    listener = Listener(door)
    name = 'carebus_streams_ended_total{instance_id="1",worker="bridge"}'
    for _ in range(60):
        if door.worker.metrics()[name] >= 1:
            break
        stock(door, 200)
    assert door.worker.metrics()[name] >= 1
    deaf.close()
    heard = len(listener.heard)
    stock(door, 1)
    wait_until(lambda: len(listener.heard) > heard, what="the other client to hear on")


def test_a_thousand_clients(door):
    sockets = []
    for _ in range(1000):
        client = socket.create_connection(("127.0.0.1", door.port))
        client.sendall(f"GET /v1/events?types=bloodbank.blood.approved HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {door.admin}\r\n\r\n"
                       .encode())
        sockets.append(client)
    name = 'carebus_streams{instance_id="1",worker="bridge"}'
    wait_until(lambda: door.worker.metrics()[name] == 1000, 30, "a thousand clients")
    stock(door, 1)
    assert door.post("/v1/blood-requests", ask(), headers={"Prefer": "wait=10"}).status_code == 200
    for client in sockets:
        client.settimeout(20)
        text = b""
        while b"event: bloodbank.blood.approved" not in text:
            got = client.recv(65536)
            assert got, "the bridge hung up"
            text += got
        client.close()


def test_a_stop_ends_the_streams(door):
    listener = Listener(door)
    assert door.worker.stop() == 0
    listener.thread.join(10)
    assert not listener.thread.is_alive()
