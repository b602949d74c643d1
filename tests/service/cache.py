"""Caches of slot lists for tests: workers with theirs, and one that is no worker: it speaks over the bus, as the bridge does, or is silent."""
import json
import random
import time
import uuid

import pika

from clinic import Clinic
from servers import wait_until

SILENT_S, LEASE_S = 0.1, 1.0
DELAY_S = 1.2  # by a silent cache, at most, beyond what a booking takes by itself
LIMIT_S = 1.5  # of such a booking, where it is tried once and a busy machine may stretch it
SHARED = "view:slots:*"


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


class Asker:
    """Asks without waiting for each answer."""

    def __init__(self, world, clinic):
        self.world, self.clinic, self.asked = world, clinic, 0
        self.channel = world.connect("operator").channel()
        self.queue = self.channel.queue_declare("operator.many", exclusive=True).method.queue
        self.channel.queue_bind(self.queue, "feed", "appointment.answer.operator.many")

    def ask(self, times):
        for _ in range(times):
            self.world.publish("appointment.query.slots", {"provider_id": "dr-adams", "date": str(self.clinic.day())}, user="operator",
                               exchange="questions", reply_to="operator.many")
        self.asked += times

    def answers(self):
        found = []

        def look():
            method, _, raw = self.channel.basic_get(self.queue, auto_ack=True)
            if method:
                found.append(json.loads(raw))
            return len(found) == self.asked
        wait_until(look, 10, f"{self.asked} answers", 0.005)
        return found


def start(world, count=1, **env):
    """That many appointment workers with a lease, one clinic with a schedule."""
    clinic = Clinic(world, start=False)
    workers = [world.start_worker("appointment", env | {"INSTANCE": number + 1}) for number in range(count)]
    for worker in workers:
        wait_until(lambda one=worker: measure(one, "registrations") >= 1, 10, "a lease")
    clinic.publish()
    return clinic, workers


def measure(worker, name, layer=None):
    """A counter of the worker's cache."""
    return worker.metric(f"carebus_cache_{name}_total", f'layer="{layer}"' if layer else "")


def asked(clinic, times):
    return [clinic.slots() for _ in range(times)]


def state(answer, clock="0900"):
    return next(slot["state"] for slot in answer["slots"] if slot["slot_id"].endswith(f".{clock}"))


def rows(clinic):
    return clinic.sql("SELECT incarnation, is_fenced FROM cache ORDER BY incarnation")


def resurrect(world, clinic):
    """Return a function that gives Redis back what it holds now."""
    redis = world.redis()
    key = wait_until(lambda: redis.keys(SHARED), 5, "a list in Redis")[0]
    held = redis.hgetall(key)
    assert clinic.day().isoformat() in key
    return lambda: redis.hset(key, mapping=held)


def book_slowly(clinic, clock="0900"):
    """Send a booking; return the id of its message."""
    return clinic.send("slot.book", {"slot_id": clinic.slot(clock), "patient_ref": f"patient-{clock}"})


def is_committed(clinic, clock="0900"):
    return clinic.sql("SELECT appointment_id IS NOT NULL FROM slot WHERE slot_id = %s", [clinic.slot(clock)]) == [(True,)]
