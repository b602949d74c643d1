"""Where the figures of slot lists and bookings are taken: schedules, workers and bridges with caches of a chosen size, and who asks."""
import contextlib
import itertools
import os
import pathlib
import random
import subprocess
import threading

from cache import measure
from clinic import Clinic
from door import Door
from door_stage import DoorStage, serve
from servers import BUILD, wait_until
from world import World

BARE = BUILD / "tests" / "bench" / "bare-memory"
ASK = BUILD / "tests" / "bench" / "bench-ask"
LRU = BUILD / "tests" / "bench" / "bench-lru"
PATHS_SCRIPT = pathlib.Path(__file__).with_name("slots.lua")
DAYS = 28
READ_PROVIDERS = 30  # each day of theirs has 16 slots
BOOKED_PER_DAY = 144  # slots of a provider who is booked: DAYS of them are what one publication may bring
WARM_DAYS = 100
FLUSH_S = 0.05  # far less than it takes to ask for all days once
REGISTER_S = 10

# Where a list comes from: what the caches are allowed to hold, and whether Redis is emptied all the time.
LAYERS = {
    "lru": {"entries": 10000, "is_flushed": False},
    "redis": {"entries": 1, "is_flushed": False},
    "database": {"entries": 1, "is_flushed": True},
    "none": {"entries": 0, "is_flushed": False},
}


class Flusher(threading.Thread):
    """Empties Redis again and again."""

    def __init__(self, redis):
        super().__init__(daemon=True)
        self.redis, self.is_over = redis, threading.Event()
        self.start()

    def run(self):
        while not self.is_over.wait(FLUSH_S):
            self.redis.flushall()

    def close(self):
        self.is_over.set()
        self.join()


class SlotStage(DoorStage):
    """Days to look at, and `bookings` slots to book, each taken once."""

    def __init__(self, servers, bookings):  # pylint: disable=super-init-not-called
        self.servers = servers
        self.world = World(servers)
        self.clinic = Clinic(self.world, start=False)
        self.patients = itertools.count(1)
        self.door = None
        with self.running(entries=0):
            self._publish(-(-bookings // (DAYS * BOOKED_PER_DAY)))
        self.clinic.tap.connection.close()
        self.days = [(f"dr-read-{provider}", str(self.clinic.day(1 + ahead)))
                     for ahead in range(DAYS) for provider in range(READ_PROVIDERS)]
        self.world.sql("appointment", "VACUUM ANALYZE")
        rows = self.world.sql("appointment", "SELECT slot_id FROM slot WHERE provider_id LIKE 'dr-book-%' ORDER BY 1")
        self.free = [slot for slot, in rows]
        random.Random(1).shuffle(self.free)

    def _publish(self, providers):
        """Schedules of those whose days are looked at, and of so many who are booked."""
        schedules = [(f"dr-read-{number}", "09:00", "17:00", 30) for number in range(READ_PROVIDERS)]
        schedules += [(f"dr-book-{number}", "08:00", "20:00", 5) for number in range(providers)]
        for provider, begin, end, minutes in schedules:
            self.clinic.publish(provider, hours=((begin, end),), minutes=minutes, last=DAYS)

    # -- processes

    def _rows(self):
        return self.world.sql("appointment", "SELECT count(*) FROM cache WHERE NOT is_fenced")[0][0]

    def wait_registered(self, count):
        wait_until(lambda: self._rows() == count, REGISTER_S, f"{count} caches with a lease")

    def start_worker(self, entries):
        number = len(self.world.workers) + 1
        return self.world.start_worker("appointment", {"CACHE_ENTRIES": entries, "LOG_LEVEL": "warning", "INSTANCE": number})

    def start_door(self, entries):
        return Door(self.world, env={"CACHE_ENTRIES": entries, "LOG_LEVEL": "warning"})

    @contextlib.contextmanager
    def running(self, entries, with_door=False, is_flushed=False):
        """One appointment worker, and a bridge if it is wanted, with caches of so many lists. Yields the worker."""
        with contextlib.ExitStack() as stack:
            worker = self.start_worker(entries)
            stack.callback(self._stop_all)
            if entries:
                wait_until(lambda: measure(worker, "registrations") >= 1, REGISTER_S, "a lease")
            self.door = self.start_door(entries) if with_door else None
            if with_door and entries:
                self.wait_registered(2)
            if is_flushed:
                stack.enter_context(contextlib.closing(Flusher(self.world.redis())))
            yield worker

    def add_caches(self, count):
        """Further caches beside a worker's: bridges. Returns their processes."""
        added = []
        while len(added) < count:
            added.append(self.start_door(10000).worker)
            self.wait_registered(len(added) + 1)
        return added

    def _stop_all(self):
        for worker in self.world.workers:
            worker.stop()
        self.world.sql("appointment", "DELETE FROM cache")
        self.world.redis().flushall()

    # -- who asks

    def ask(self, plan, how, number):
        """Give bench-ask a plan; return ([(milliseconds, outcome)], seconds)."""
        environment = os.environ | {"AMQP_URL": self.world.environment("appointment")["AMQP_URL"], "ASK_USER": "admin",
                                    "ASK_PASSWORD": self.servers.secret("amqp-admin")}
        done = subprocess.run([str(ASK), how, str(number)], env=environment, check=False, capture_output=True, text=True,
                              input="".join(line + "\n" for line in plan))
        assert done.returncode == 0, done.stderr
        *lines, total = done.stdout.splitlines()
        assert len(lines) == len(plan)
        answers = [(int(taken) / 1000, outcome) for taken, outcome in map(str.split, lines)]
        return answers, int(total) / 1e6

    def look_up(self, layer, count):
        """Ask the worker for lists, one after the other; see `ask`."""
        days = itertools.islice(itertools.cycle(self.days if LAYERS[layer]["is_flushed"] else self.days[:WARM_DAYS]), count)
        return self.ask([f"slots {provider} {date}" for provider, date in days], "window", 1)

    def take_slots(self, count):
        assert len(self.free) >= count, "not enough slots were published"
        taken, self.free = self.free[:count], self.free[count:]
        return taken

    def plan_bookings(self, slots):
        """Each by another patient."""
        return [f"book {slot} patient-{next(self.patients)}" for slot in slots]

    @contextlib.contextmanager
    def serving_bare(self):
        """The bare server of one list, as the bridge answers it, with nothing beside it. Yields its port and its process id."""
        with self.running(entries=10000, with_door=True):
            provider, date = self.days[0]
            answer = self.door.get(f"/v1/slots?provider_id={provider}&date={date}")
            assert answer.status_code == 200, answer.text
        headers = "".join(f"{name}: {value}\n" for name, value in answer.headers.items()
                          if name not in ("Date", "Content-Length", "Connection"))
        file = self.world.folder / "answer"
        file.write_text(f"{headers}\n{answer.text}", encoding="utf-8")
        with serve(BARE, {"ANSWER": str(file)}) as (port, pid):
            yield port, pid

    def read(self, layer, seconds, port=None):
        """wrk reads lists through the bridge, or at that port; see read_report. Where one list is kept, so many that few ask for the
        same at once."""
        days = self.days if LAYERS[layer]["entries"] == 1 else self.days[:WARM_DAYS]
        paths = self.world.folder / "paths"
        paths.write_text("".join(f"/v1/slots?provider_id={provider}&date={date}\n"
                                 for provider, date in days), encoding="ascii")
        os.environ["PATHS"] = str(paths)
        return self.wrk(port or self.door.port, "/", seconds, "-t", "2", "-s", str(PATHS_SCRIPT))

    # -- books

    def check_booked(self, slots):
        """Each of the slots has one appointment, and the books balance."""
        found = self.world.sql("appointment", """SELECT count(*), count(DISTINCT slot_id) FROM appointment
            WHERE status = 'booked' AND slot_id = ANY(%s)""", [slots])
        assert found == [(len(slots), len(slots))], found
        self.clinic.check_books()
        assert self.world.parked("appointment") == []


def lookup_in_process_us():
    """Of the map, the clock and the lease together, in the process itself: the median (tests/bench/lru.c)."""
    done = subprocess.run([str(LRU)], check=True, capture_output=True, text=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("map, clock and lease"))
    return float(line.split()[-2]) / 1000
