"""A cache of slot lists that is no worker: it registers, hears and acknowledges over the bus, as the bridge does, or keeps silent."""
import json
import random
import time
import uuid

import pika

from servers import wait_until


class Cache:
    """Speaks as the bridge and hears as its listener. What it hears is in `heard`; it acknowledges if and when it is told to."""

    def __init__(self, world):
        self.world = world
        self.name = f"bridge.{uuid.uuid4()}"
        self.numbers = random.SystemRandom().randrange(1, 1 << 40)
        self.channel = world.connect("bridge-listener").channel()
        self.queue = self.channel.queue_declare(f"bridge.{uuid.uuid4()}", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, "caches", f"appointment.cache.{self.name}")
        self.channel.queue_bind(self.queue, "answers", f"appointment.answer.{self.name}")
        self.incarnation = self.generation = self.timeline = None
        self.heard = []

    def look(self):
        """Take what waits; return the answers to questions among it."""
        answers = []
        while True:
            method, properties, raw = self.channel.basic_get(self.queue, auto_ack=True)
            if method is None:
                return answers
            body = json.loads(raw)
            if properties.type == "appointment.cache.invalidate":
                self.heard.append(body)
            else:
                answers.append(body)

    def ask(self, **more):
        """A request for a lease; return the answer."""
        self.numbers += 1
        self.world.publish("appointment.query.lease", {"cache": self.name, "number": self.numbers} | more, user="bridge",
                           exchange="questions", reply_to=self.name)
        answer = wait_until(self.look, 5, "an answer about a lease")[0]
        assert (answer["cache"], answer["number"]) == (self.name, self.numbers)
        return answer

    def register(self, **more):
        answer = self.ask(**more)
        assert answer["granted"]
        self.incarnation, self.generation, self.timeline = (answer[key] for key in ("incarnation", "generation", "timeline"))
        return self

    def renew(self):
        return self.ask(renew=self.incarnation)["granted"]

    def hear(self, timeout=5):
        """The next invalidation."""
        def some():
            self.look()
            return self.heard
        wait_until(some, timeout, f"{self.name} to be told", 0.002)
        return self.heard.pop(0)

    def acknowledge(self, heard, **other):
        body = {"write": heard["write"], "incarnation": heard["incarnation"]} | other
        key = f"appointment.cache.{heard['writer']}"
        self.world._publisher("bridge").basic_publish("caches", key, json.dumps(body).encode(), pika.BasicProperties(
            type="appointment.cache.acknowledge", content_type="application/json", message_id=str(uuid.uuid4()), user_id="bridge"))


class Timed:
    """How long a with-block took."""

    def __enter__(self):
        self.begun = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.begun
