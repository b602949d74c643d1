"""One private RabbitMQ, PostgreSQL and Redis for a test run, and a world of its own for each test.

A world is a virtual host with the topology applied, a copy of the migrated databases, and an emptied Redis.
"""
import json
import os
import pathlib
import random
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import psycopg2
import redis
import requests

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CAREBUS_BUILD", PROJECT / "build"))
DATABASES = ("hospital", "bloodbank", "notification", "appointment")
DOORS = ("bridge",)
AMQP_USERS = ("admin", *DATABASES, "bridge", "bridge-listener", "appointment-listener", "upstream", "operator")
SECRETS = ([f"amqp-{user}" for user in AMQP_USERS]
           + [f"{server}-{user}" for server in ("postgres", "redis") for user in ("admin", *DATABASES)]
           + [f"{kind}-{door}" for door in DOORS for kind in ("redis", "idempotency")] + ["installation"])
PORTS = ("AMQP_PORT", "DIST_PORT", "EPMD_PORT", "MANAGEMENT_PORT", "PROMETHEUS_PORT", "POSTGRES_PORT", "REDIS_PORT")
START_SECONDS = 60
QUICK = {"STATISTICS_MS": "300"}  # for tests, which wait for counts of queues
MEMORY_BYTES_MIN = 8 * 1024**3


def wait_until(condition, timeout=10, what="the condition", interval=0.02):
    """Poll `condition` until it returns something true, and return that; fail with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain for {what}")
        pause.wait(interval)


def free_ports(count):
    """Free loopback ports below the range from which the kernel takes ports for outgoing connections."""
    found = []
    while len(found) < count:
        port = random.SystemRandom().randrange(10000, 20000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


def missing_programs():
    """What has to be installed before servers can be started here: a list of names, empty when all is there."""
    programs = {"rabbitmq-server": pathlib.Path("/usr/lib/rabbitmq/bin/rabbitmq-server").exists(),
                "postgresql": any(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres")),
                "redis-server": shutil.which("redis-server"), "psql": shutil.which("psql"),
                "chpst (runit)": os.getuid() != 0 or shutil.which("chpst")}
    return [name for name, there in programs.items() if not there]


def memory_folder():
    """A folder in memory, where there is room: tests make and drop hundreds of databases, and each waits for the disk. What a
    server has written survives its kill there as well; None where there is none. Benches keep to the disk."""
    folder = pathlib.Path("/dev/shm")
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < MEMORY_BYTES_MIN:
        return None
    return folder


class Servers:
    """The servers of one test run. `kill` and `start` are for tests that take one away; `url`s never change."""

    def __init__(self, parent=None, **environment):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="carebus-test-", dir=parent))
        self.folder.chmod(0o755)
        self.secrets = self.folder / "secrets"
        self.port = dict(zip(PORTS, free_ports(len(PORTS))))
        self.worlds = 0
        self._write_secrets()
        self._write_plan(environment)
        self.guard = subprocess.Popen([sys.executable, str(pathlib.Path(__file__).with_name("guard.py")),
                                       str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, start_new_session=True)
        self.http = requests.Session()
        self.http.auth = ("admin", self.secret("amqp-admin"))

    def secret(self, name):
        return (self.secrets / name).read_text(encoding="ascii")

    def _write_secrets(self):
        self.secrets.mkdir(mode=0o700)
        for name in SECRETS:
            (self.secrets / name).write_text(secrets.token_hex(16), encoding="ascii")

    def _write_plan(self, further):
        plan = {}
        for name in ("rabbitmq", "postgres", "redis"):
            environment = {key: str(value) for key, value in self.port.items()}
            environment |= {"DATA": str(self.folder / name), "SECRETS": str(self.secrets)} | further
            plan[name] = {"command": [str(PROJECT / "compose" / f"server-{name}")], "environment": environment}
        (self.folder / "servers.json").write_text(json.dumps(plan), encoding="utf-8")

    def _order(self, *words):
        print(*words, file=self.guard.stdin, flush=True)
        answer = self.guard.stdout.readline().strip()
        assert answer, f"the guard of the servers is gone ({' '.join(map(str, words))})"
        return answer

    def start(self, *names):
        """Start servers and wait until each answers."""
        for name in names:
            self._order("start", name)
        for name in names:
            try:
                wait_until(getattr(self, f"_{name}_answers"), START_SECONDS, f"{name} to answer", 0.05)
            except AssertionError as fault:
                log = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"{fault}; its log ends:\n{log[-3000:]}") from None

    def signal(self, name, number):
        self._order("signal", name, int(number))

    def sync_queues(self):
        """Writes the broker's register of quorum queues to disk, as compose/up does; see compose/sync-queues."""
        environment = os.environ | {"DATA": str(self.folder / "rabbitmq"), "EPMD_PORT": str(self.port["EPMD_PORT"])}
        subprocess.run([str(PROJECT / "compose" / "sync-queues")], env=environment, check=True, timeout=60)

    def kill(self, name, number=9):
        """End a server by a signal and wait until it is gone."""
        if name == "rabbitmq":
            self.sync_queues()
        self.signal(name, number)
        self._order("wait", name)

    def stop(self):
        if self.guard.poll() is None:
            self.guard.stdin.close()
            self.guard.wait()

    def _rabbitmq_answers(self):
        """The AMQP port answers a protocol header (it listens before it can), and the management API is up."""
        try:
            with socket.create_connection(("127.0.0.1", self.port["AMQP_PORT"]), timeout=1) as link:
                link.sendall(b"AMQP\x00\x00\x09\x01")
                if not link.recv(1):
                    return False
            return self.http.get(self.management("overview"), timeout=2).ok
        except (OSError, requests.RequestException):
            return False

    def _postgres_answers(self):
        try:
            self.connect("postgres").close()
            return True
        except psycopg2.OperationalError:
            return False

    def _redis_answers(self):
        try:
            return self.redis().ping()
        except redis.RedisError:
            return False

    def management(self, path):
        return f"http://127.0.0.1:{self.port['MANAGEMENT_PORT']}/api/{path}"

    def connect(self, database, user="postgres", password="postgres-admin"):
        """A psycopg2 connection in autocommit mode, as the superuser if not told otherwise."""
        link = psycopg2.connect(host="127.0.0.1", port=self.port["POSTGRES_PORT"], dbname=database, user=user,
                                password=self.secret(password), connect_timeout=5)
        link.autocommit = True
        return link

    def redis(self, user="admin"):
        return redis.Redis(port=self.port["REDIS_PORT"], username=user, password=self.secret(f"redis-{user}"),
                           decode_responses=True)

    def migrate(self):
        """Make the template databases, from which each world's are copied."""
        environment = os.environ | {"PGHOST": "127.0.0.1", "PGPORT": str(self.port["POSTGRES_PORT"]),
                                    "PGUSER": "postgres", "PGPASSWORD": self.secret("postgres-admin"),
                                    "SECRETS": str(self.secrets)}
        done = subprocess.run([str(PROJECT / "sql" / "migrate"), "--demo", *DATABASES], env=environment, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"migrations failed:\n{done.stderr}"

    def definitions(self):
        """The broker's definitions as the contract's generator makes them, with this run's passwords."""
        generator = PROJECT / "amqp-topology" / "generate.py"
        passwords = self.folder / "passwords.json"
        passwords.write_text(json.dumps({user: self.secret(f"amqp-{user}") for user in AMQP_USERS}), encoding="utf-8")
        done = subprocess.run(["/usr/bin/python3", str(generator), "definitions", "--passwords", str(passwords)],
                              check=False, capture_output=True, text=True)
        assert done.returncode == 0, f"no definitions from {generator}:\n{done.stderr}"
        return json.loads(done.stdout)

    def apply_topology(self, vhost):
        """Make a virtual host and put the contract's topology into it instead of into `carebus`."""
        if not hasattr(self, "_definitions"):
            self._definitions = self.definitions()
        body = dict(self._definitions)
        for part, items in body.items():
            if isinstance(items, list):
                body[part] = [{**item, "vhost": vhost} if "vhost" in item else item for item in items]
        body["vhosts"] = [{"name": vhost}]
        answer = self.http.post(self.management("definitions"), json=body, timeout=30)
        assert answer.ok, f"topology refused: {answer.text}"


def start_servers(parent=None, **environment):
    """All three, started together, with the template databases migrated, in a folder below `parent`. `environment`: more of what
    compose/server-* read; nothing for benches, which measure what users run."""
    servers = Servers(parent, **environment)
    try:
        servers.start("rabbitmq", "postgres", "redis")
        servers.migrate()
    except BaseException:
        servers.stop()
        raise
    return servers
