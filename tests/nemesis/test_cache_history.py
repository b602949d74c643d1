"""Readers and bookers at once, while workers are paused and killed and Redis brings back what was: the recorded history is linearizable."""
import json
import random
import re
import signal
import subprocess
import threading
import time
import uuid

import pika
import pytest

from cache import SHARED, start
from servers import BUILD, wait_until
from test_cache_guards import cut_listener

READERS, BOOKERS = 4, 3
CLOCKS = ("0900", "0930", "1000", "1030", "1100", "1130")
ANSWER_S = 12  # longer than a worker is away
SEED = 20260301


class Party:
    """A thread with a connection of its own, which does one thing after the other and writes down what it saw."""

    def __init__(self, run, number):
        self.run, self.name, self.random = run, f"{type(self).__name__.lower()}-{number}", random.Random(SEED + number)
        self.lines, self.fault, self.answers = [], None, {}
        self.connection = run.world.connect("admin")
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.basic_consume(self.queue, self.heard, auto_ack=True)
        self.thread = threading.Thread(target=self.live, daemon=True)

    def heard(self, _channel, _method, properties, raw):
        self.answers[(properties.headers or {}).get("causation_id")] = (properties.type, raw)

    def send(self, exchange, event, body, **properties):
        """Send, and wait for the answer: (type, body), or None. Its begin and end are kept."""
        self.identity, self.begin = str(uuid.uuid4()), time.monotonic_ns()
        self.channel.basic_publish(exchange, event, json.dumps(body).encode(), self.run.properties(
            type=event, message_id=self.identity, user_id="admin", content_type="application/json", delivery_mode=2, **properties))
        deadline = time.monotonic() + ANSWER_S
        while self.identity not in self.answers and time.monotonic() < deadline:
            self.connection.process_data_events(time_limit=0.05)
        self.end = time.monotonic_ns()
        kind, raw = self.answers.pop(self.identity, (None, b"null"))
        self.answers.clear()
        return kind and (kind, json.loads(raw))

    def write(self, kind, clock, *what, end=None):
        self.lines.append(" ".join([self.name, kind, clock, str(self.begin), str(end or self.end), *what]))

    def live(self):
        try:
            while not self.run.is_over.is_set():
                self.act()
        except Exception as fault:  # pylint: disable=broad-except
            self.fault = fault


class Reader(Party):
    def __init__(self, run, number):
        super().__init__(run, number)
        self.channel.queue_bind(self.queue, "appointment", f"appointment.answer.{self.name}")

    def act(self):
        answer = self.send("questions", "appointment.query.slots", self.run.question, reply_to=self.name)
        if answer:
            self.saw(answer[1])

    def saw(self, shown):
        for slot in shown["slots"]:
            self.write("read", slot["slot_id"].split(".")[2], "free" if slot["state"] == "free" else "taken")
        self.run.sources.add(shown["source"])


class Booker(Party):
    def __init__(self, run, number):
        super().__init__(run, number)
        for event in ("booked", "refused", "cancelled"):
            self.channel.queue_bind(self.queue, "appointment", f"appointment.slot.{event}")

    def act(self):
        clock, holder = self.random.choice(self.run.clocks), f"patient-{uuid.uuid4().hex[:12]}"
        body = {"slot_id": self.run.clinic.slot(clock, self.run.provider), "patient_ref": holder}
        answer = self.send("appointment", "appointment.slot.book", body)
        if answer is None:
            self.write("book", clock, holder, "unknown", end="-")
        elif answer[0].endswith("booked"):
            self.write("book", clock, holder, "ok")
            self.cancel(clock, holder, answer[1]["appointment_id"])
        else:
            assert answer[1]["reason"] == "taken", answer
            self.write("book", clock, holder, "refused")

    def cancel(self, clock, holder, appointment_id):
        self.connection.process_data_events(time_limit=self.random.uniform(0, 0.05))
        body = {"appointment_id": appointment_id, "by": holder, "reason": "x"}
        answer = self.send("appointment", "appointment.slot.cancel", body)
        assert answer is None or answer[0].endswith("cancelled"), answer
        self.write("cancel", clock, holder, "ok" if answer else "unknown", end=None if answer else "-")


class Run:
    """One history: who takes part, what is done to them."""
    readers, bookers, provider, clocks = READERS, BOOKERS, "dr-adams", CLOCKS

    def __init__(self, world, guards):
        self.world, self.guards, self.properties = world, guards, pika.BasicProperties
        self.clinic, self.workers = start(world, 2, GUARD_OFF=guards, LOG_LEVEL="warning")
        self.question = {"provider_id": self.provider, "date": str(self.clinic.day())}
        self.random, self.is_over, self.sources = random.Random(SEED), threading.Event(), set()
        self.parties = [Reader(self, number) for number in range(self.readers)] + [Booker(self, number) for number in range(self.bookers)]

    def pause(self):
        worker = self.random.choice(self.workers)
        worker.signal(signal.SIGSTOP)
        self.is_over.wait(self.random.uniform(0.2, 1.6))
        worker.signal(signal.SIGCONT)

    def kill(self):
        place = self.random.randrange(len(self.workers))
        self.workers[place].kill()
        self.workers[place] = self.world.start_worker("appointment", {
            "GUARD_OFF": self.guards, "LOG_LEVEL": "warning", "INSTANCE": 10 + len(self.world.workers)})

    def bring_back(self):
        redis = self.world.redis()
        held = {key: redis.hgetall(key) for key in redis.keys(SHARED)}
        for _ in range(20):
            self.is_over.wait(0.02)
            for key, view in held.items():
                redis.hset(key, mapping=view)

    def forget(self):
        self.world.redis().flushall()

    def cut(self):
        cut_listener(self.world, self.random.choice(self.workers))

    def record(self, faults, seconds):
        for party in self.parties:
            party.thread.start()
        for fault in faults:
            fault(self)
            self.is_over.wait(0.5)
        self.is_over.wait(seconds)
        self.is_over.set()
        for party in self.parties:
            party.thread.join(2 * ANSWER_S + 5)
            assert not party.thread.is_alive() and party.fault is None, party.fault
        return [line for party in self.parties for line in party.lines]


def check(lines, tmp_path):
    """What the checker says: (exit code, reads)."""
    file = tmp_path / "history"
    file.write_text("\n".join(lines) + "\n", "ascii")
    done = subprocess.run([str(BUILD / "tests" / "history" / "check-history"), str(file)], capture_output=True, text=True, check=False)
    return done.returncode, sum(re.match(r"\S+ read ", line) is not None for line in lines), done.stdout


def test_readers_and_bookers_under_faults(world, tmp_path):
    run = Run(world, "")
    lines = run.record([Run.pause, Run.bring_back, Run.kill, Run.pause, Run.forget, Run.cut, Run.bring_back, Run.pause, Run.kill], 1)
    code, reads, said = check(lines, tmp_path)
    booked = sum(line.endswith(" ok") for line in lines)
    assert code == 0, said
    assert reads > 2000 and booked > 50 and run.sources == {"lru", "redis", "database"}, (reads, booked, run.sources)
    run.clinic.check_books()


@pytest.mark.parametrize("guard, faults", [("drop", []), ("floor", [Run.bring_back] * 4)], ids=["drop", "floor"])
def test_the_checker_sees_a_guard_that_is_off(world, tmp_path, guard, faults):
    code, _, said = check(Run(world, guard).record(faults, 2), tmp_path)
    assert code == 1 and "violation" in said, said


def test_everybody_gets_an_answer(world):
    """No deadlock between writers that are caches of each other."""
    run = Run(world, "")
    lines = run.record([], 4)
    assert not [line for line in lines if line.endswith("unknown")]
    waits = [worker.metrics()["carebus_cache_fenced_total" + "{" + f'instance_id="{place + 1}",worker="appointment"' + "}"]
             for place, worker in enumerate(run.workers)]
    assert waits == [0, 0]
    wait_until(lambda: run.clinic.sql("SELECT count(*) FROM cache") == [(2,)], 5, "two rows")
