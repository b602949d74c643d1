"""How long something takes while something else goes on: asked again and again in a thread of its own."""
import threading
import time


class Pulse:
    """`with Pulse(look) as pulse: ...`; then `pulse.slowest` seconds of `pulse.count` calls. What `look` raises fails the test."""

    def __init__(self, look, every=0.05):
        self.look, self.every = look, every
        self.count, self.slowest, self.fault = 0, 0.0, None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self.over.is_set() and self.fault is None:
            begun = time.monotonic()
            try:
                self.look()
            except (AssertionError, OSError) as fault:
                self.fault = fault
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.count += 1
            self.over.wait(self.every)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join(60)
        if kind is None and self.fault is not None:
            raise AssertionError(f"after {self.count} calls: {self.fault}") from self.fault
