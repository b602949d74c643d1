"""What a test works with: its own virtual host and databases, the workers it starts, and its doors to them."""
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import time
import urllib.parse
import uuid

import pika
import prometheus_client.parser
import requests

from guard import send_signal
from servers import BUILD, DATABASES, free_ports, wait_until

CONTEXTS = ("hospital", "bloodbank", "appointment", "medication", "inventory", "notification", "identity")
LANED = ("hospital.blood.request", "hospital.blood.requested", "bloodbank.blood.approved", "bloodbank.blood.rejected")
UNSET = object()


@dataclasses.dataclass
class Message:
    """One message as the tap saw it. `body` is the decoded JSON (None when it is none), `raw` its bytes."""
    type: str
    body: object
    raw: bytes
    exchange: str
    routing_key: str
    properties: pika.BasicProperties

    @property
    def id(self):
        return self.properties.message_id

    @property
    def headers(self):
        return self.properties.headers or {}


def to_message(method, properties, raw):
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    return Message(properties.type, body, raw, method.exchange, method.routing_key, properties)


class Tap:
    """Hears every message on every topic exchange from its making on. What `expect` returns is taken out."""

    def __init__(self, connection):
        self.connection = connection
        self.channel = connection.channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        for exchange in (*CONTEXTS, "audit"):
            self.channel.queue_bind(self.queue, exchange, "#")
        self.channel.basic_consume(self.queue, self._heard, auto_ack=True)
        self.messages = []

    def _heard(self, _channel, method, properties, raw):
        self.messages.append(to_message(method, properties, raw))

    def expect(self, event, timeout=10, count=1, where=lambda message: True):
        """Wait for `count` messages of type `event` for which `where` holds; return them in the order heard."""
        deadline = time.monotonic() + timeout
        while True:
            found = [message for message in self.messages if message.type == event and where(message)]
            if len(found) >= count:
                break
            left = deadline - time.monotonic()
            heard = [message.type for message in self.messages]
            assert left > 0, f"heard {len(found)} of {count} {event} in {timeout} s; and of others: {heard[-20:]}"
            self.connection.process_data_events(time_limit=min(left, 0.5))
        found = found[:count]
        self.messages = [message for message in self.messages if message not in found]
        return found

    def one(self, event, timeout=10, where=lambda message: True):
        """The next message of type `event`."""
        return self.expect(event, timeout, 1, where)[0]

    def quiet(self, event, seconds=0.5, where=lambda message: True):
        """Assert that no message of type `event` is heard for so long."""
        self.connection.process_data_events(time_limit=0)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.connection.process_data_events(time_limit=max(0.0, deadline - time.monotonic()))
            found = [message for message in self.messages if message.type == event and where(message)]
            assert not found, f"heard {event}, which should not have come: {found}"


class Worker:
    """A running worker. It dies with the test run (setpriv), or earlier with the world."""

    def __init__(self, name, program, environment, log):
        self.name = name
        self.log = log
        self.metrics_port = int(environment["METRICS_PORT"])
        with open(log, "ab") as file:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", str(program)], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=file, stderr=file, cwd="/")
        self.pid = self.process.pid

    def get(self, path, timeout=2):
        return requests.get(f"http://127.0.0.1:{self.metrics_port}{path}", timeout=timeout)

    def is_ready(self):
        assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}:\n{self.log_tail()}"
        try:
            return self.get("/readyz").status_code == 200
        except requests.RequestException:
            return False

    def answers(self):
        """Whether it answers at all, ready or not."""
        try:
            return self.get("/healthz").status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, timeout=15):
        wait_until(self.is_ready, timeout, f"{self.name} to be ready; its log:\n{self.log_tail()}")
        return self

    def metrics(self):
        """Samples by name; with labels as `name{a="b"}`, in the order of the labels' names."""
        samples = {}
        for family in prometheus_client.parser.text_string_to_metric_families(self.get("/metrics", timeout=10).text):
            for sample in family.samples:
                labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
                samples[sample.name + (f"{{{labels}}}" if labels else "")] = sample.value
        return samples

    def metric(self, name, label=""):
        """The samples of one name, with this label if one is given, together."""
        return sum(value for sample, value in self.metrics().items() if sample.partition("{")[0] == name and label in sample)

    def signal(self, number):
        send_signal(self.process, number)

    def is_stopped(self):
        """Whether SIGSTOP holds it."""
        return pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] == "T"

    def wait(self, timeout=15):
        """Wait for the end; return the exit status (negative: the signal that killed it)."""
        return self.process.wait(timeout)

    def kill(self):
        """SIGKILL, and wait."""
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def stop(self, timeout=10):
        """SIGTERM, and wait; return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout)

    def unread_bytes(self):
        """What lies in the sockets of a worker that is stopped."""
        sockets = set()
        for entry in pathlib.Path(f"/proc/{self.pid}/fd").iterdir():
            target = os.readlink(entry)
            if target.startswith("socket:["):
                sockets.add(target[len("socket:["):-1])
        lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        fields = [line.split() for line in lines]
        return sum(int(field[4].split(":")[1], 16) for field in fields if field[9] in sockets)

    def log_text(self):
        return pathlib.Path(self.log).read_text(encoding="utf-8", errors="replace")

    def log_tail(self, length=4000):
        return self.log_text()[-length:]


class World:
    """One test's virtual host, databases and processes."""

    def __init__(self, servers):
        self.servers = servers
        servers.worlds += 1
        self.vhost = f"test{servers.worlds}"
        self.folder = servers.folder / self.vhost
        self.folder.mkdir()
        self.workers = []
        self.connections = []
        self.publishers = {}
        self._links = {}
        self._counter = None
        self.is_vhost_kept = False  # RabbitMQ 3.10, killed a moment ago, may break for good when a virtual host is deleted
        servers.apply_topology(self.vhost)
        servers.redis().flushall()
        self._copy_databases()

    def _copy_databases(self):
        with_admin = self.servers.connect("postgres")
        with with_admin.cursor() as cursor:
            for name in DATABASES:
                cursor.execute(f"CREATE DATABASE {self.database(name)} TEMPLATE {name} OWNER {name}_owner")
        with_admin.close()

    def database(self, name):
        return f"{self.vhost}_{name}"

    # -- processes

    def environment(self, name, **extra):
        """The environment of a worker in this world; secrets come by file."""
        secret = self.servers.secrets
        port = self.servers.port
        values = {
            "AMQP_URL": f"amqp://127.0.0.1:{port['AMQP_PORT']}/{self.vhost}", "AMQP_USER": name,
            "AMQP_PASSWORD_FILE": secret / f"amqp-{name}",
            "DATABASE_URL": f"postgresql://{name}@127.0.0.1:{port['POSTGRES_PORT']}/{self.database(name)}",
            "DATABASE_PASSWORD_FILE": secret / f"postgres-{name}",
            "REDIS_URL": f"redis://127.0.0.1:{port['REDIS_PORT']}", "REDIS_USER": name,
            "REDIS_PASSWORD_FILE": secret / f"redis-{name}",
            "INSTALLATION_SECRET_FILE": secret / "installation",
            "LOG_LEVEL": "debug", "INSTANCE": "1", "METRICS_PORT": free_ports(1)[0],
            "PATH": os.environ["PATH"],
        }
        if name == "appointment":
            values["LISTENER_PASSWORD_FILE"] = secret / "amqp-appointment-listener"
        values |= extra
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if key in os.environ:
                values.setdefault(key, os.environ[key])
        return {key: str(value) for key, value in values.items()}

    def start_worker(self, name, env=None, crash_at=None, build=None, ready=True):
        """Start `carebus-<name>` from a build folder (default: the run's, CAREBUS_BUILD).

        `crash_at` names the point at which the worker kills itself (only in a build with crash_points).
        """
        extra = dict(env or {})
        if crash_at is not None:
            extra["CRASH_AT"] = crash_at
        environment = self.environment(name, **extra)
        program = pathlib.Path(build or BUILD) / "workers" / name / f"carebus-{name}"
        log = self.folder / f"{name}-{len(self.workers) + 1}.log"
        worker = Worker(name, program, environment, log)
        self.workers.append(worker)
        return worker.wait_ready() if ready else worker

    # -- the bus

    def connect(self, user="admin"):
        """A pika connection as one of the contract's users."""
        credentials = pika.PlainCredentials(user, self.servers.secret(f"amqp-{user}"))
        connection = pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", self.servers.port["AMQP_PORT"], self.vhost, credentials, heartbeat=0))
        self.connections.append(connection)
        return connection

    def tap(self):
        return Tap(self.connect("admin"))

    def _publisher(self, user):
        channel = self.publishers.get(user)
        if channel is None or not channel.is_open:
            channel = self.connect(user).channel()
            channel.confirm_delivery()
            self.publishers[user] = channel
        return channel

    def publish(self, event, body, user="upstream", message_id=UNSET, emergency=None, correlation_id=None,
                headers=None, mandatory=True, exchange=None, **properties):
        """Publish one message with a confirm; return its message id (None when sent without: message_id=None).

        `body` is encoded unless it is bytes. `emergency` (default: by the body's urgency) picks the lane. Further
        keywords become AMQP properties; type=None leaves the type out.
        """
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if emergency is None:
            emergency = event in LANED and isinstance(body, dict) and body.get("urgency") == "emergency"
        identity = str(uuid.uuid4()) if message_id is UNSET else message_id
        settings = {"type": event, "content_type": "application/json", "delivery_mode": 2, "user_id": user,
                    "message_id": identity, "correlation_id": correlation_id, "headers": headers,
                    "timestamp": int(time.time())} | properties
        self._publisher(user).basic_publish(exchange or event.split(".")[0],
                                            event + (".emergency" if emergency else ""), raw,
                                            pika.BasicProperties(**settings), mandatory=mandatory)
        return identity

    def ask(self, query, body, user="operator", timeout=5):
        """Put a query as `user`, who names itself in reply_to and watches the feed; return the answer as a Message."""
        context = query.split(".")[0]
        asker = f"{user}.{uuid.uuid4().hex[:8]}"
        connection = self.connect(user)
        channel = connection.channel()
        queue = channel.queue_declare(f"{user}.{uuid.uuid4().hex}", exclusive=True).method.queue
        channel.queue_bind(queue, "feed", f"{context}.answer.{asker}")
        self.publish(query, body, user=user, exchange="questions", reply_to=asker)
        heard = []

        def look():
            method, properties, raw = channel.basic_get(queue, auto_ack=True)
            if method:
                heard.append(to_message(method, properties, raw))
            return heard
        return wait_until(look, timeout, f"an answer to {query}")[0]

    # -- looking

    def management(self, path, method="GET", **keywords):
        """The management API as admin; `path` may hold {vhost}. Returns the decoded answer."""
        url = self.servers.management(path.format(vhost=urllib.parse.quote(self.vhost, safe="")))
        answer = self.servers.http.request(method, url, timeout=10, **keywords)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def parked(self, queue):
        """Messages parked for `queue`, left where they are: [{payload, properties, ...}] of the management API."""
        return self.management(f"queues/{{vhost}}/{queue}.parked/get", "POST", json={
            "count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"})

    def depth(self, queue):
        """Messages that wait in a queue, exactly; those delivered and not yet acknowledged are not counted."""
        if self._counter is None or not self._counter.is_open:
            self._counter = self.connect("admin").channel()
        return self._counter.queue_declare(queue, passive=True).method.message_count

    def held(self, queue):
        """Messages in a queue, delivered ones included, as the broker last counted them (every 0.3 s)."""
        port = self.servers.port["PROMETHEUS_PORT"]
        text = requests.get(f"http://127.0.0.1:{port}/metrics/detailed", timeout=5, params={
            "family": "queue_coarse_metrics", "vhost": self.vhost}).text
        for family in prometheus_client.parser.text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == "rabbitmq_detailed_queue_messages" and sample.labels.get("queue") == queue:
                    return int(sample.value)
        return 0

    def sql(self, database, query, args=None):
        """Run one statement as superuser; rows as tuples, or [] when it returns none."""
        link = self._links.get(database)
        if link is None or link.closed:
            link = self._links[database] = self.servers.connect(self.database(database))
        with link.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall() if cursor.description else []

    def forget_databases(self):
        """To be called when PostgreSQL was away: the next look connects anew."""
        self._links.clear()

    def redis(self, user="admin"):
        return self.servers.redis(user)

    # -- the end

    def close(self):
        for worker in self.workers:
            worker.kill()
        for connection in self.connections:
            try:
                connection.close()
            except pika.exceptions.AMQPError:
                pass
        for link in self._links.values():
            link.close()
        if not self.is_vhost_kept:
            self.servers.http.delete(self.servers.management(f"vhosts/{self.vhost}"), timeout=30)
        with_admin = self.servers.connect("postgres")
        with with_admin.cursor() as cursor:
            for name in DATABASES:
                cursor.execute(f"DROP DATABASE {self.database(name)} WITH (FORCE)")
        with_admin.close()
