"""A broker of our own making, which says what a test wants it to say, in the words of pika's codec."""
import socket
import threading

from pika import frame, spec


class FakeBroker:
    """One listening socket; `talk(peer)` runs for each connection in a thread of its own."""

    def __init__(self, talk):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"amqp://127.0.0.1:{self.listener.getsockname()[1]}/carebus"
        self.talk = talk
        self.peers, self.faults = [], []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            peer = Peer(connection)
            self.peers.append(peer)
            threading.Thread(target=self._run, args=(peer,), daemon=True).start()

    def _run(self, peer):
        try:
            self.talk(peer)
        except OSError:
            pass
        except Exception as fault:  # told to the test, which runs in another thread
            self.faults.append(fault)

    def close(self):
        self.listener.close()
        for peer in self.peers:
            peer.socket.close()
        assert not self.faults, self.faults


class Peer:
    """The broker's side of one connection."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(30)
        self.bytes = b""

    def send(self, method, channel=1):
        self.socket.sendall(frame.Method(channel, method).marshal())

    def receive(self):
        """The next frame of the client, heartbeats left out."""
        while True:
            used, found = frame.decode_frame(self.bytes)
            if found is None:
                piece = self.socket.recv(65536)
                if not piece:
                    raise OSError("closed by the client")
                self.bytes += piece
                continue
            self.bytes = self.bytes[used:]
            if not isinstance(found, frame.Heartbeat):
                return found

    def expect(self, kind):
        found = self.receive()
        assert isinstance(found, frame.Method) and isinstance(found.method, kind), f"{found} instead of {kind}"
        return found.method

    def handshake(self, heartbeat=10):
        assert isinstance(self.receive(), frame.ProtocolHeader)
        self.send(spec.Connection.Start(server_properties={}), 0)
        self.login = self.expect(spec.Connection.StartOk)
        self.send(spec.Connection.Tune(channel_max=2047, frame_max=131072, heartbeat=heartbeat), 0)
        self.tuned = self.expect(spec.Connection.TuneOk)
        self.expect(spec.Connection.Open)
        self.send(spec.Connection.OpenOk(), 0)
        self.expect(spec.Channel.Open)
        self.send(spec.Channel.OpenOk())

    def accept_consumer(self, queues=1):
        self.handshake()
        self.expect(spec.Basic.Qos)
        self.send(spec.Basic.QosOk())
        for _ in range(queues):
            self.expect(spec.Queue.Declare)
            self.send(spec.Queue.DeclareOk("queue", 0, 0))
            tag = self.expect(spec.Basic.Consume).consumer_tag
            self.send(spec.Basic.ConsumeOk(tag))

    def accept_publisher(self, heartbeat=10):
        self.handshake(heartbeat)
        self.expect(spec.Confirm.Select)
        self.send(spec.Confirm.SelectOk())

    def take_publishes(self, count):
        """Reads `count` complete publishes; gives their properties."""
        found = []
        for _ in range(count):
            self.expect(spec.Basic.Publish)
            header = self.receive()
            read = 0
            while read < header.body_size:
                read += len(self.receive().fragment)
            found.append(header.properties)
        return found

    def wait_closed(self):
        """Until the client hangs up; gives the methods it still said."""
        said = []
        try:
            while True:
                said.append(getattr(self.receive(), "method", None))
        except OSError:
            return said


def delivery(tag, body, consumer_tag="tag", **properties):
    """A delivery's bytes."""
    method = frame.Method(1, spec.Basic.Deliver(consumer_tag, tag, False, "", "key"))
    header = frame.Header(1, len(body), spec.BasicProperties(**properties))
    bodies = frame.Body(1, body).marshal() if body else b""
    return method.marshal() + header.marshal() + bodies
