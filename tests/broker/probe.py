"""The broker probe (probe.c) as an object: commands in, lines out."""
import os
import re
import selectors
import subprocess
import time

from servers import BUILD

PROBE = BUILD / "tests" / "broker" / "broker-probe"


class Probe:
    """The probe's commands and its lines."""

    def __init__(self, url, user, password):
        environment = os.environ | {"AMQP_URL": url, "AMQP_USER": user, "AMQP_PASSWORD": password}
        self.process = subprocess.Popen([str(PROBE)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.process.stdout, selectors.EVENT_READ)
        self.lines, self.rest = [], b""

    def do(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def read(self, timeout):
        if self.selector.select(timeout):
            piece = os.read(self.process.stdout.fileno(), 65536)
            assert piece, f"the probe is gone; it said {self.lines}"
            *lines, self.rest = (self.rest + piece).split(b"\n")
            self.lines += [line.decode() for line in lines]

    def expect(self, start, timeout=10, count=1):
        """The next `count` lines that begin with `start`, taken out."""
        deadline = time.monotonic() + timeout
        while len(found := [line for line in self.lines if line.startswith(start)][:count]) < count:
            left = deadline - time.monotonic()
            assert left > 0, f"no {start!r} in {timeout} s ({len(found)} of {count}), but {self.lines[-20:]}"
            self.read(left)
        for line in found:
            self.lines.remove(line)
        return found

    def ask(self, command, answer, timeout=10):
        self.do(command)
        return self.expect(answer, timeout)[0]

    def deliveries(self, count, timeout=10):
        return [fields(line) for line in self.expect("delivery", timeout, count)]

    def state(self):
        return {name: int(value) for name, value in fields(self.ask("state", "state")).items()}

    def settled(self, timeout=20):
        return {name: int(value) for name, value in fields(self.expect("settled", timeout)[0]).items() if value != "0"}

    def send(self, count, exchange, key, odd_key=None, size=10):
        self.do(f"send {count} {exchange} {key} {odd_key or key} {size}")
        return self.settled()

    def end(self):
        """Close its input; it must end by itself."""
        self.process.stdin.close()
        assert self.process.wait(15) == 0
        self.process.stdout.close()


def fields(line):
    return dict(re.findall(r"(\w+)=(\S*)", line))
