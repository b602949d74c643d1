"""HTTP by hand: bytes as a test wants them, answers taken apart one by one."""
import json
import socket


class Answer:
    """`headers` by lower-case name."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.body[:300]!r}"


class Raw:
    """One connection to a door."""

    def __init__(self, door, timeout=10):
        self.token = door.admin
        self.socket = socket.create_connection(("127.0.0.1", door.port), timeout=timeout)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, method, target, *headers, body=None, token=None, version="1.1"):
        """Sends a request: with a Host, a token (False: none) and the body's length, besides `headers`."""
        lines = [f"{method} {target} HTTP/{version}", "Host: x", *headers]
        if token is not False:
            lines.append(f"Authorization: Bearer {token or self.token}")
        if body is not None:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        self.send("\r\n".join([*lines, "", ""]).encode() + (body or b""))
        return self

    def _receive(self):
        piece = self.socket.recv(65536)
        self.received += piece
        return piece

    def answer(self, has_body=True):
        """The next answer; of one without a length, the head."""
        while b"\r\n\r\n" not in self.received:
            if not self._receive():
                raise EOFError(f"closed after {self.received!r}")
        head, _, rest = self.received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        length = int(headers.get("content-length", 0)) if has_body else 0
        while len(rest) < length:
            piece = self._receive()
            if not piece:
                raise EOFError(f"closed after {rest!r}")
            rest += piece
        self.received = rest[length:]
        return Answer(int(first.split()[1]), headers, rest[:length])

    def is_closed(self):
        """Whether the other side closes within the time limit; what it still sends goes to `received`."""
        try:
            while self._receive():
                pass
            return True
        except ConnectionResetError:
            return True
        except socket.timeout:
            return False

    def is_ended(self):
        """Whether a body that comes in chunks ends within the time limit, or its connection."""
        try:
            while not self.received.endswith(b"0\r\n\r\n") and self._receive():
                pass
            return True
        except socket.timeout:
            return False
