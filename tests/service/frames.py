"""A proxy before the broker that counts a client's AMQP frames, and kills the client at the one that a test names."""
import socket
import threading


class FrameProxy:
    """
    `kill_at` is the number of a frame of the first connection (the protocol header is number 0), or a kind, whose first is meant;
    `is_passed` tells whether the broker still gets it. `kill()` is called then; the broker's side is closed only after it. `sent` lists each frame's kind. Connections
    after the first pass through.
    """

    def __init__(self, port, kill_at=None, is_passed=False, kill=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.broker_port, self.kill_at, self.is_passed, self.kill = port, kill_at, is_passed, kill
        self.sent = []
        self.is_over = threading.Event()  # the first connection
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            self._serve(client)
            self.is_over.set()
            self.kill_at = None

    def _serve(self, client):
        with client, socket.create_connection(("127.0.0.1", self.broker_port)) as broker:
            back = threading.Thread(target=self._pass_back, args=(broker, client), daemon=True)
            back.start()
            try:
                self._pass_on(client, broker)
                broker.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the broker hung up
            back.join(10)

    @staticmethod
    def _pass_back(broker, client):
        try:
            while piece := broker.recv(65536):
                client.sendall(piece)
        except OSError:
            pass  # the client was killed

    def _pass_on(self, client, broker):
        received, count = b"", 0
        while True:
            frame, received = take_frame(received, count)
            if frame is None:
                try:
                    piece = client.recv(65536)
                except OSError:
                    return
                if not piece:
                    return
                received += piece
                continue
            is_last = self.kill_at in (count, kind_of(frame))
            count += 1
            if not self.is_over.is_set():
                self.sent.append(kind_of(frame))
            if not is_last or self.is_passed:
                broker.sendall(frame)
            if is_last:
                self.kill()
                return

    def wait(self):
        assert self.is_over.wait(20), "the client is still connected"

    def close(self):
        self.listener.close()


def take_frame(received, number):
    """(a whole frame or None, the rest)"""
    length = 8 if number == 0 else 7 + int.from_bytes(received[3:7], "big") + 1
    if len(received) < max(length, 8):
        return None, received
    return received[:length], received[length:]


def kind_of(frame):
    """"basic.publish"; the frame's type where it is no method, or one of the handshake."""
    if frame[0] != 1:
        return {2: "header", 3: "body", 8: "heartbeat"}.get(frame[0], "protocol")
    method = (int.from_bytes(frame[7:9], "big"), int.from_bytes(frame[9:11], "big"))
    return {(60, 40): "basic.publish", (60, 70): "basic.get", (60, 80): "basic.ack"}.get(method, "other")
