"""lib/broker.h against a peer that answers in odd orders, says nonsense, or says nothing."""
import struct
import time

import pytest
from pika import frame, spec

from fake import FakeBroker, delivery
from probe import Probe
from servers import wait_until


@pytest.fixture
def meet():
    """meet(talk) gives a probe whose broker runs talk(peer) on each connection."""
    made = []

    def start(talk):
        made.append(FakeBroker(talk))
        made.append(Probe(made[0].url, "user", "secret"))
        return made[1]

    yield start
    for each in reversed(made):
        each.end() if isinstance(each, Probe) else each.close()


def test_what_the_login_says(meet):
    seen = {}

    def talk(peer):
        peer.accept_publisher()
        seen.update(peer.login.client_properties, tuned=peer.tuned, response=peer.login.response)
        peer.send(spec.Connection.Blocked("for a test"), 0)
        peer.wait_closed()

    probe = meet(talk)
    assert probe.ask("publisher", "publi") == "publishing"
    wait_until(lambda: seen, what="the peer's notes of the login")
    assert seen["connection_name"] == "probe" and seen["response"] == b"\0user\0secret"
    assert (seen["tuned"].heartbeat, seen["tuned"].frame_max) == (10, 131072)
    for ability in "consumer_cancel_notify", "connection.blocked", "publisher_confirms", "basic.nack":
        assert seen["capabilities"][ability] is True


def test_confirms_in_any_order(meet):
    def talk(peer):
        peer.accept_publisher()
        properties = peer.take_publishes(12)
        peer.send(spec.Basic.Ack(5, False))
        peer.send(spec.Basic.Ack(9, False))
        peer.send(spec.Basic.Ack(3, True))
        peer.send(spec.Basic.Ack(5, False))  # once more: nothing
        peer.send(spec.Basic.Nack(7, True))  # 4, 6 and 7; 5 is settled
        peer.send(spec.Basic.Return(312, "NO_ROUTE", "there", "key"))
        peer.socket.sendall(frame.Header(1, 2, properties[9]).marshal() + frame.Body(1, b"{}").marshal())
        peer.send(spec.Basic.Ack(99, False))  # never sent: nothing
        peer.send(spec.Basic.Ack(0, True))  # everything
        peer.wait_closed()

    probe = meet(talk)
    probe.do("publisher")
    assert probe.send(12, "there", "key") == {"confirmed": 8, "nacked": 3, "returned": 1, "wrong": 4}
    assert probe.state()["room"] == 1024


def test_the_window_ends_at_the_oldest_unanswered(meet):
    def talk(peer):
        peer.accept_publisher()
        peer.take_publishes(1024)
        for tag in range(2, 1025):
            peer.send(spec.Basic.Ack(tag, False))
        peer.take_publishes(0)
        go.append(peer)
        peer.wait_closed()

    go = []
    probe = meet(talk)
    probe.do("publisher")
    probe.do("send 1500 there key key 10")
    deadline = time.monotonic() + 10
    while (state := probe.state())["in_flight"] != 1:
        assert time.monotonic() < deadline, state
    assert state["room"] == 0
    go[0].send(spec.Basic.Ack(1, False))
    while (state := probe.state())["in_flight"] != 476:
        assert time.monotonic() < deadline, state
    go[0].send(spec.Basic.Ack(1500, True))
    assert probe.settled() == {"confirmed": 1500}


def test_blocked_and_unblocked(meet):
    def talk(peer):
        peer.accept_publisher()
        peer.take_publishes(1)
        peer.send(spec.Connection.Blocked("low on memory"), 0)
        peer.send(spec.Basic.Ack(1, False))
        go.append(peer)
        peer.take_publishes(1)
        peer.send(spec.Basic.Ack(2, False))
        peer.wait_closed()

    go = []
    probe = meet(talk)
    probe.do("publisher")
    assert probe.send(1, "there", "key") == {"confirmed": 1}
    probe.do("send 1 there key key 10")
    state = probe.state()
    assert (state["blocked"], state["room"], state["in_flight"]) == (1, 0, 0)
    go[0].send(spec.Connection.Unblocked(), 0)
    assert probe.settled() == {"confirmed": 1}


def test_a_delivery_in_single_bytes(meet):
    def talk(peer):
        peer.accept_consumer()
        for byte in delivery(1, b"slow", message_id="id"):
            peer.socket.sendall(bytes([byte]))
        peer.socket.sendall(delivery(2, b"") + delivery(3, b"fast"))
        peer.wait_closed()

    probe = meet(talk)
    probe.do("consume tag 10 queue")
    assert [(each["tag"], each["id"], each["body"]) for each in probe.deliveries(3)] == [
        ("1", "id", "slow"), ("2", "-", ""), ("3", "-", "fast")]


@pytest.mark.parametrize("nonsense, reason", [
    (frame.Method(1, spec.Basic.Deliver("tag", 1, False, "", "key")).marshal()
     + struct.pack(">BHIHHQH", 2, 1, 19, 60, 0, 0, 0x2000) + struct.pack(">IB", 999, 1) + b"\xce", "malformed"),
    (b"\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x3c\x00", "malformed"),  # no end mark
    (b"\x01\x00\x01\xff\xff\xff\x00", "malformed"),  # longer than any frame
    (b"\x01\x00\x01\x00\x00\x00\x04\x00\xee\x00\x01\xce", "malformed"),  # no such method
    (b"\x02\x00\x01\x00\x00\x00\x0e" + struct.pack(">HHQH", 61, 0, 0, 0) + b"\xce", "malformed"),  # no such class
    (frame.Body(1, b"lost").marshal(), "connection"),
    (frame.Header(1, 4, spec.BasicProperties()).marshal(), "connection"),
    (delivery(1, b"x", consumer_tag="another"), "connection"),
    (frame.Method(1, spec.Basic.Deliver("tag", 1, False, "", "key")).marshal() * 2, "connection"),
    (frame.Method(1, spec.Channel.Close(541, "INTERNAL_ERROR", 0, 0)).marshal(), "connection"),
    (frame.Method(1, spec.Basic.Cancel("tag")).marshal(), "cancelled"),
])
def test_nonsense(meet, nonsense, reason):
    def talk(peer):
        peer.accept_consumer()
        peer.socket.sendall(nonsense)
        peer.wait_closed()

    probe = meet(talk)
    probe.do("consume tag 10 queue")
    probe.expect(f"consumer {reason} ")
    assert probe.state()["consumer"] == 0


def test_the_broker_says_goodbye(meet):
    said = []

    def talk(peer):
        peer.accept_consumer()
        peer.send(spec.Connection.Close(320, "CONNECTION_FORCED - shutdown", 0, 0), 0)
        said.extend(peer.wait_closed())

    probe = meet(talk)
    probe.do("consume tag 10 queue")
    assert "320 CONNECTION_FORCED - shutdown" in probe.expect("consumer connection")[0]
    assert probe.ask("state", "state")
    wait_until(lambda: said, what="the answer to the close")
    assert [type(method) for method in said] == [spec.Connection.CloseOk]


def test_an_orderly_end_sends_everything_first(meet):
    said = []

    def talk(peer):
        peer.accept_consumer()
        peer.socket.sendall(delivery(1, b"x") + delivery(2, b"y"))
        said.append(peer.expect(spec.Basic.Ack))
        said.append(peer.expect(spec.Connection.Close))
        peer.send(spec.Connection.CloseOk(), 0)

    probe = meet(talk)
    probe.do("consume tag 10 queue")
    probe.deliveries(2)
    probe.process.stdin.write(b"ack 2 1\nclose\n")
    probe.process.stdin.flush()
    probe.expect("closed")
    assert said[0].delivery_tag == 2 and said[0].multiple and said[1].reply_code == 200


@pytest.mark.parametrize("talk", [
    lambda peer: peer.wait_closed(),
    lambda peer: (peer.receive(), peer.send(spec.Connection.Start(server_properties={}), 0), peer.wait_closed()),
    lambda peer: (peer.handshake(), peer.expect(spec.Confirm.Select), peer.wait_closed()),
], ids=["from the start", "after its first word", "after the handshake"])
def test_a_peer_that_says_nothing(meet, talk):
    probe = meet(talk)
    began = time.monotonic()
    probe.ask("publisher", "publisher connection", timeout=15)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("steps", [0, 1, 2], ids=["declare", "first binding", "second binding"])
def test_silence_at_a_question_of_a_queue_of_its_own(meet, steps):
    """Nothing is asked after the question that stays open, and the wait for it ends."""
    said = []

    def talk(peer):
        peer.handshake()
        peer.expect(spec.Basic.Qos)
        peer.send(spec.Basic.QosOk())
        for step in range(steps):
            peer.expect(spec.Queue.Bind if step else spec.Queue.Declare)
            peer.send(spec.Queue.BindOk() if step else spec.Queue.DeclareOk("queue", 0, 0))
        said.extend(peer.wait_closed())

    probe = meet(talk)
    began = time.monotonic()
    heard = probe.ask("own tag 10 mine one # two #", "consumer connection", timeout=15)
    assert time.monotonic() - began < 8
    assert ("binding queue mine." if steps else "declaring queue mine.") in heard
    wait_until(lambda: said, what="the last that the peer heard")
    assert [type(method) for method in said] == [spec.Queue.Bind if steps else spec.Queue.Declare]


def test_a_peer_that_falls_silent(meet):
    """Given up after two heartbeats, here of a second each; until then ours are sent."""
    said = []

    def talk(peer):
        peer.accept_publisher(heartbeat=1)
        beats = 0
        peer.socket.settimeout(10)
        while piece := peer.socket.recv(64):
            beats += piece.count(b"\x08\0\0\0\0\0\0\xce")
            said[:] = [beats]

    probe = meet(talk)
    probe.ask("publisher", "publishing")
    began = time.monotonic()
    probe.expect("publisher connection", timeout=6)
    assert 1.5 < time.monotonic() - began < 6
    assert said[0] >= 1


def test_a_close_does_not_wait_for_a_peer_that_ignores_it(meet):
    def talk(peer):
        peer.accept_publisher()
        peer.wait_closed()

    probe = meet(talk)
    probe.ask("publisher", "publishing")
    began = time.monotonic()
    probe.ask("close", "closed")
    assert time.monotonic() - began < 2
