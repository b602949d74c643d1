"""Where the benchmark plays: full shelves, one queue for all outputs, and the two programs to compare."""
import contextlib
import os
import pathlib
import signal
import subprocess
import threading
import time

from figures import milliseconds, peak_memory_mb, percentile
from servers import BUILD
from world import World

OUTPUTS = "bench"
SHARES = {"A+": 37, "O+": 35, "B+": 9, "A-": 6, "O-": 6, "AB+": 4, "B-": 2, "AB-": 1}  # percent, as in load.c
NEAREST = {"bank-001": 2, "bank-002": 1}  # of the three demo hospitals
SPARE = 300  # units of each group at each bank that nobody is going to ask for
LOAD = BUILD / "tests" / "bench" / "bench-load"
BARE = BUILD / "tests" / "bench" / "bare-loop"

SHELVES = """
SELECT setseed(0.5);
INSERT INTO unit (unit_id, din, product_code, division, bank_id, component, blood_group, profile, status,
    initial_status, collected_at, expires_at)
SELECT din || '-E0382-00', din, 'E0382', '00', bank_id, 'red_cells', blood_group, 0, 'available', 'available',
    date_trunc('minute', now()) + age - interval '42 days', date_trunc('minute', now()) + age
FROM (SELECT bank_id, blood_group, age, 'A999926' || lpad(row_number() OVER (ORDER BY age)::text, 6, '0') AS din
    FROM (SELECT bank_id, blood_group, interval '10 days' + random() * interval '31 days' AS age
        FROM unnest(%(banks)s, %(groups)s, %(counts)s) g (bank_id, blood_group, wanted),
            generate_series(1, wanted)) u) n
ORDER BY age;
INSERT INTO bin (bank_id, component, blood_group, profile, available)
SELECT bank_id, component, blood_group, profile, count(*) FROM unit GROUP BY 1, 2, 3, 4;
UPDATE stock s SET available = b.available FROM bin b
WHERE (s.bank_id, s.component, s.blood_group) = (b.bank_id, b.component, b.blood_group)
"""

# What must hold when `requests` were decided: name -> (statement, expected).
COUNTS = {
    "inbox": "SELECT count(*) FROM inbox",
    "requests": "SELECT count(*) FROM request WHERE status = 'settled' AND quantity = quantity_allocated",
    "decisions": "SELECT count(*) FROM decision WHERE event = 'bloodbank.blood.approved'",
    "approvals sent": """
        SELECT count(*) FROM outbox WHERE type = 'bloodbank.blood.approved' AND sent_at IS NOT NULL""",
}
FAULTS = {
    "units not reserved for their request": """
        SELECT (SELECT coalesce(sum(quantity), 0) FROM request)
            - (SELECT count(*) FROM unit WHERE status = 'reserved')""",
    "counters that differ from their units": """
        SELECT count(*) FROM stock s WHERE available <> (SELECT count(*) FROM unit u WHERE status = 'available'
            AND (u.bank_id, u.component, u.blood_group) = (s.bank_id, s.component, s.blood_group))
        OR reserved <> (SELECT count(*) FROM unit u WHERE status = 'reserved'
            AND (u.bank_id, u.component, u.blood_group) = (s.bank_id, s.component, s.blood_group))""",
    "outputs not marked as sent": "SELECT count(*) FROM outbox WHERE sent_at IS NULL",
}


# What both programs must leave behind, but for times, ids that are secret, and what depends on the size of a batch.
# First in, first out: each request gets the same units from both.
MASKED = r"""'"(decided_at|reserved_until)":"[^"]*"', '', 'g'"""
TRACES = {
    "inbox": "SELECT consumer, message_id, encode(body_sha256, 'hex') FROM inbox ORDER BY message_id",
    "request": "SELECT to_jsonb(r) - 'received_at' - 'body' || body::jsonb FROM request r ORDER BY request_id",
    "decision": f"""
        SELECT request_id, version, event, regexp_replace(body, {MASKED}) FROM decision ORDER BY request_id""",
    "unit": "SELECT to_jsonb(u) - 'reserved_until' FROM unit u ORDER BY unit_id",
    "stock": """
        SELECT to_jsonb(s) - 'version' - 'expiring_until' FROM stock s ORDER BY bank_id, component, blood_group""",
    "bin": "SELECT * FROM bin ORDER BY bank_id, component, blood_group, profile",
    "approved": f"""SELECT to_jsonb(o) - '{{message_id,body,created_at,sent_at,attempts,next_try_at}}'::text[],
            regexp_replace(body, {MASKED})
        FROM outbox o WHERE type = 'bloodbank.blood.approved' ORDER BY cause_id""",
    "updated": """SELECT DISTINCT exchange, routing_key, type, correlation_id IS NULL, causation_id = cause_id,
            traceparent, schema_version, sent_at IS NULL, array(SELECT json_object_keys(body::json))
        FROM outbox WHERE type <> 'bloodbank.blood.approved'""",
}


def fill_shelves(servers, requests):
    """Put enough units for `requests` into the database that each stage's is a copy of."""
    places = [(bank, group) for bank in NEAREST for group in SHARES]
    wanted = [int(requests * 1.6 * NEAREST[bank] / 3 * SHARES[group] / 100) + SPARE for bank, group in places]
    with contextlib.closing(servers.connect("bloodbank")) as link, link.cursor() as cursor:
        cursor.execute(SHELVES, {"banks": [bank for bank, _ in places], "groups": [group for _, group in places],
                                 "counts": wanted})
        cursor.execute("VACUUM ANALYZE")


def assert_durable(servers):
    with contextlib.closing(servers.connect("postgres")) as link, link.cursor() as cursor:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            cursor.execute(f"SHOW {setting}")
            assert cursor.fetchone()[0] == "on", f"{setting} is off: this would measure nothing"


def cpu_seconds(pid):
    """Of a process and of its ended children."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def machine_seconds():
    """CPU seconds that this machine has spent since it was started, those that its host took away included."""
    user, nice, system, _idle, _wait, interrupts, soft, stolen = map(int, pathlib.Path("/proc/stat").read_text(
        encoding="ascii").split()[1:9])
    return (user + nice + system + interrupts + soft + stolen) / os.sysconf("SC_CLK_TCK")


def processes_below(pid):
    """A process and all its living descendants."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            head, _, tail = stat.read_text(encoding="utf-8").rpartition(")")
            children.setdefault(int(tail.split()[1]), []).append(int(head.split()[0]))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def cpu_by_part(servers, pid):
    """CPU seconds so far: of the measured program, PostgreSQL, RabbitMQ, and all that runs on this machine."""
    parts = {"program": cpu_seconds(pid), "postgres": 0.0, "rabbitmq": 0.0,
             "machine": machine_seconds()}
    for process in processes_below(servers.guard.pid):
        with contextlib.suppress(OSError):
            name = pathlib.Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
            if name == "postgres":
                parts["postgres"] += cpu_seconds(process)
            elif name != "redis-server":
                parts["rabbitmq"] += cpu_seconds(process)
    return parts


@contextlib.contextmanager
def cpu_of(servers, pid, requests):
    """Yields a dict that is filled at the end: CPU time for each request, cores that others kept busy, memory."""
    found = {}
    started, before = time.monotonic(), cpu_by_part(servers, pid)
    yield found
    used = {part: seconds - before[part] for part, seconds in cpu_by_part(servers, pid).items()}
    others = used.pop("machine") - sum(used.values())
    found.update({f"cpu_us_{part}": seconds / requests * 1e6 for part, seconds in used.items()})
    found["others_cores"] = others / (time.monotonic() - started)
    found["memory_mb"] = peak_memory_mb(pid)


class Depth(threading.Thread):
    """Watches how many messages a queue holds: samples of (time, messages)."""

    def __init__(self, world, queue):
        super().__init__(daemon=True)
        self.queue = queue
        self.channel = world.connect("admin").channel()
        self.samples = []
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            count = self.channel.queue_declare(self.queue, passive=True).method.message_count
            self.samples.append((time.monotonic(), count))

    def settled(self, seconds=1.5):
        """Whether something came, and nothing since then for so long."""
        count = self.samples[-1][1] if self.samples else 0
        return count > 0 and self.samples[-1][0] - self.reached(count) > seconds

    def reached(self, count):
        """When it first held so many."""
        return next(at for at, held in self.samples if held >= count)

    def stop(self):
        self.over.set()
        self.join()


class Stage:
    """A world in which only requests for the bloodbank travel; decisions and stock go to the queue `bench`."""

    def __init__(self, servers):
        self.servers = servers
        self.world = World(servers)
        self._bind()

    def _bind(self):
        channel = self.world.connect("admin").channel()
        channel.queue_declare(OUTPUTS, durable=True, arguments={"x-queue-type": "quorum"})
        for binding in self.world.management("queues/{vhost}/hospital/bindings"):
            if binding["source"]:
                channel.queue_unbind("hospital", binding["source"], binding["routing_key"])
        channel.queue_bind(OUTPUTS, "bloodbank", "bloodbank.#")

    def environment(self):
        """Of the programs that take passwords by value."""
        secret = self.servers.secret
        return self.world.environment("bloodbank", LOG_LEVEL="info") | {
            "AMQP_PASSWORD": secret("amqp-bloodbank"), "DATABASE_PASSWORD": secret("postgres-bloodbank"),
            "REDIS_PASSWORD": secret("redis-bloodbank"),
            "SEND_USER": "upstream", "SEND_PASSWORD": secret("amqp-upstream"),
            "HEAR_USER": "admin", "HEAR_PASSWORD": secret("amqp-admin"), "HEAR_QUEUE": OUTPUTS}

    def load(self, *words):
        """Run bench-load; return its lines."""
        done = subprocess.run([str(LOAD), *map(str, words)], env=self.environment(), check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    @contextlib.contextmanager
    def running(self, program):
        """A program while it runs: "bloodbank", or "bare" for the bare loop. Yields its process id."""
        if program == "bloodbank":
            worker = self.world.start_worker("bloodbank", env={"LOG_LEVEL": "info"}, ready=False)
            yield worker.pid
            status, log = worker.stop(), worker.log_tail
        else:
            log_file = self.world.folder / "bare.log"
            with open(log_file, "wb") as file:
                process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", str(BARE)],
                                           env=self.environment(), stderr=file)
            yield process.pid
            process.send_signal(signal.SIGTERM)
            status, log = process.wait(10), log_file.read_text
        assert status == 0, f"{program} ended with {status}:\n{log()}"

    def assert_decided(self, requests):
        """Every request was decided once, and every row says so."""
        for name, statement in COUNTS.items():
            found = self.world.sql("bloodbank", statement)[0][0]
            assert found == requests, f"{name}: {found} instead of {requests}"
        for name, statement in FAULTS.items():
            found = self.world.sql("bloodbank", statement)[0][0]
            assert found == 0, f"{found} {name}"
        assert not self.world.parked("bloodbank"), "messages were parked"

    def traces(self):
        """{table: its rows as text}."""
        return {name: [repr(row) for row in self.world.sql("bloodbank", statement)]
                for name, statement in TRACES.items()}

    def close(self):
        self.world.close()


def measure_latency(servers, program, rate, seconds):
    """Milliseconds from the moment a request was due to be sent to its approval, at a fixed rate."""
    stage = Stage(servers)
    with contextlib.closing(stage):
        with stage.running(program) as pid, cpu_of(servers, pid, rate * seconds) as cpu:
            lines = stage.load("rate", rate, rate * seconds)
        latencies = milliseconds(lines)
        return {"p50_ms": percentile(latencies, 0.5), "p99_ms": percentile(latencies, 0.99),
                "max_ms": max(latencies), **cpu}
