"""lib/broker_hold.h, which reads frames itself, against a peer that says nonsense. `carebus parked` is its program."""
import json
import os
import struct
import subprocess

import pytest
from pika import frame, spec

from fake import FakeBroker
from servers import BUILD

PROGRAM = BUILD / "workers" / "client" / "carebus"
DONE, FAULT = 0, 2


def message(tag, body, behind=0, **properties):
    """A message that was asked for, as bytes."""
    method = frame.Method(1, spec.Basic.GetOk(tag, False, "parked", "hospital", behind))
    header = frame.Header(1, len(body), spec.BasicProperties(**properties))
    bodies = frame.Body(1, body).marshal() if body else b""
    return method.marshal() + header.marshal() + bodies


def raw(kind, payload, length=None, end=0xCE):
    """A frame of our own making."""
    return struct.pack(">BHI", kind, 1, len(payload) if length is None else length) + payload + bytes([end])


GET_OK = frame.Method(1, spec.Basic.GetOk(1, False, "", "q", 0)).marshal()
EMPTY = frame.Method(1, spec.Basic.GetEmpty()).marshal()


@pytest.fixture
def ask():
    """ask(talk, words...) runs the program against a broker that goes on with talk(peer) after the handshake."""
    brokers = []

    def run(talk, *words):
        def serve(peer):
            peer.accept_publisher()
            talk(peer)
            peer.wait_closed()
        brokers.append(FakeBroker(serve))
        url = brokers[-1].url.replace("//", "//user:secret@")
        return subprocess.run([str(PROGRAM), "parked", *words], env=os.environ | {"CAREBUS_AMQP_ADMIN": url},
                              capture_output=True, text=True, timeout=60, check=False)

    yield run
    for broker in brokers:
        broker.close()


def show(ask, talk):
    return ask(talk, "show", "hospital", "-o", "json")


def test_a_message_in_pieces(ask):
    """Heartbeats and alarms in between, byte by byte, a body in several frames."""
    def talk(peer):
        peer.expect(spec.Basic.Get)
        header = frame.Header(1, 5, spec.BasicProperties(message_id="m", headers={"reason": "r"})).marshal()
        pieces = frame.Method(1, spec.Basic.GetOk(7, True, "e", "k", 1)).marshal() + frame.Heartbeat().marshal() + header
        pieces += frame.Body(1, b"he").marshal() + frame.Method(0, spec.Connection.Blocked("x")).marshal()
        pieces += frame.Body(1, b"llo").marshal()
        for byte in pieces:
            peer.socket.sendall(bytes([byte]))
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(EMPTY)

    shown, = json.loads(show(ask, talk).stdout)["shown"]
    assert (shown["message_id"], shown["reason"], shown["body"], shown["exchange"], shown["redelivered"]) == (
        "m", "r", "hello", "e", True)


NONSENSE = {
    "a frame without an end": EMPTY[:-1] + b"\0",
    "a frame of 4 GiB": raw(1, b"", 0xFFFFFFFF),
    "a body instead of an answer": raw(3, b"x"),
    "another method": frame.Method(1, spec.Basic.Ack(1)).marshal(),
    "half a method": raw(1, b"\0\x3c\0\x47\0\0"),
    "a method of nothing": raw(1, b""),
    "no header": GET_OK + EMPTY,
    "half a header": GET_OK + raw(2, b"\0\x3c\0\0\0\0"),
    "a body of 2^63 bytes": GET_OK + raw(2, b"\0\x3c\0\0\x80\0\0\0\0\0\0\0\0\0"),
    "an empty piece of a body": GET_OK + raw(2, b"\0\x3c\0\0\0\0\0\0\0\0\0\1\0\0") + raw(3, b""),
    "too much of a body": GET_OK + raw(2, b"\0\x3c\0\0\0\0\0\0\0\0\0\1\0\0") + raw(3, b"xy"),
    "a header for a body": GET_OK + raw(2, b"\0\x3c\0\0\0\0\0\0\0\0\0\1\0\0") + raw(2, b"x"),
}


@pytest.mark.parametrize("said", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_ends_the_connection(ask, said):
    def talk(peer):
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(said)

    done = show(ask, talk)
    assert done.returncode == FAULT and "does not belong here" in done.stderr and not done.stdout


@pytest.mark.parametrize("code, said", [(404, "NOT_FOUND"), (403, "ACCESS_REFUSED")])
def test_a_refusal_is_told(ask, code, said):
    def talk(peer):
        peer.expect(spec.Basic.Get)
        peer.send(spec.Channel.Close(code, said, 60, 70))

    done = show(ask, talk)
    assert done.returncode == FAULT and f"{code} {said}" in done.stderr


def test_a_hang_up_is_told(ask):
    def talk(peer):
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(GET_OK)
        peer.socket.close()

    done = show(ask, talk)
    assert done.returncode == FAULT and done.stderr and not done.stdout


def test_silence_is_not_waited_for_ever(ask):
    done = show(ask, lambda peer: peer.expect(spec.Basic.Get))
    assert done.returncode == FAULT and "no answer from the broker within 15 s" in done.stderr


@pytest.mark.parametrize("properties", [b"\xff\xff", b"\x20\0\0\0\0\x05\x01x", b"\x20\0\0\0\0\x03\x01x?", b"\0\1\0\0", b"", b"\0\0zz"],
                         ids=["cut", "cut headers", "unknown kind", "more flags", "none", "a rest"])
def test_properties_that_cannot_be_read_are_shown_and_not_replayed(ask, properties):
    def offer(peer):
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(GET_OK + raw(2, b"\0\x3c\0\0" + struct.pack(">Q", 2) + properties) + raw(3, b"{}"))

    shown, = json.loads(show(ask, offer).stdout)["shown"]
    assert shown["reason"] == "unreadable" and "base64" in shown["properties"] and shown["body"] == "{}"
    said = []
    done = ask(lambda peer: (offer(peer), said.extend(peer.wait_closed())), "replay", "hospital", "--all")
    assert done.returncode == FAULT and "can't be read" in done.stderr
    assert not [method for method in said if isinstance(method, (spec.Basic.Ack, spec.Basic.Publish))]


ANSWERS = {
    "nack": ([spec.Basic.Nack(1)], "did not take"),
    "return": ([spec.Basic.Return(312, "NO_ROUTE", "", "hospital"), spec.Basic.Ack(1)], "no queue hospital"),
    "close": ([spec.Channel.Close(403, "ACCESS_REFUSED", 60, 40)], "ACCESS_REFUSED"),
}


@pytest.mark.parametrize("answers, told", ANSWERS.values(), ids=ANSWERS)
def test_what_is_not_confirmed_is_not_let_go(ask, answers, told):
    said = []

    def talk(peer):
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(message(9, b"{}", message_id="m", type="hospital.blood.request"))
        properties, = peer.take_publishes(1)
        assert properties.message_id == "m"
        for answer in answers:
            peer.send(answer)
            if isinstance(answer, spec.Basic.Return):
                peer.socket.sendall(frame.Header(1, 2, properties).marshal() + frame.Body(1, b"{}").marshal())
        said.extend(peer.wait_closed())

    done = ask(talk, "replay", "hospital", "--all")
    assert done.returncode == FAULT and told in done.stderr
    assert not [method for method in said if isinstance(method, spec.Basic.Ack)]


def test_what_is_confirmed_is_let_go(ask):
    said = []

    def talk(peer):
        peer.expect(spec.Basic.Get)
        peer.socket.sendall(message(9, b"x" * 300000, message_id="m"))
        peer.take_publishes(1)
        peer.send(spec.Basic.Ack(1))
        said.append(peer.expect(spec.Basic.Ack).delivery_tag)

    done = ask(talk, "replay", "hospital", "--all")
    assert done.returncode == DONE and said == [9]
