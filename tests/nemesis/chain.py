"""The whole chain under load: hospital and blood bank, many requests for too few units, and what must hold in the end."""
import json
import os
import subprocess
import uuid

import pika

import bodies
from servers import wait_until

GROUPS = ("O-", "O+", "A-", "A+")
UNITS = 600
UNITS_A_MESSAGE = 200  # of the contract
SETTLE_SECONDS = 60
WORKERS = ("hospital", "bloodbank")
# Small batches: more of them are under way when something breaks.
SLOW = {"BATCH_MAX": 4, "PREFETCH": 40, "SWEEP_AFTER_MS": 1000, "LOG_LEVEL": "warning"}


def control(servers, *words):
    """rabbitmqctl, for the run's own broker; returns what it says."""
    folder = servers.folder / "rabbitmq"
    environment = os.environ | {"HOME": str(folder), "ERL_EPMD_PORT": str(servers.port["EPMD_PORT"]),
                                "RABBITMQ_NODENAME": "carebus@localhost", "RABBITMQ_CONF_ENV_FILE": str(folder / "environment")}
    return subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-q", *words], env=environment, check=True, text=True,
                          stdout=subprocess.PIPE, timeout=60).stdout


def forget_connections(world):
    """The test's own, after their server was killed: the next use opens new ones."""
    world._links.clear()  # pylint: disable=protected-access
    world._counter = None  # pylint: disable=protected-access
    world.publishers.clear()
    world.connections.clear()
    world.is_vhost_kept = True


class Chain:
    """`copies` processes of each worker: {(name, number): process}."""

    def __init__(self, world, copies=1):
        self.world = world
        self.workers = {}
        self.requests = []
        self.seats = [(name, number) for name in WORKERS for number in range(1, copies + 1)]
        self.start_all()

    def start(self, seat, ready=True):
        self.workers[seat] = self.world.start_worker(seat[0], SLOW | {"INSTANCE": seat[1]}, ready=ready)

    def start_all(self):
        for seat in self.seats:
            self.start(seat)

    def stock(self, units=UNITS):
        """Fill the banks, and wait until it is done."""
        for number, first in enumerate(range(0, units, UNITS_A_MESSAGE)):
            arrival = [bodies.unit(serial, group=GROUPS[serial % len(GROUPS)]) for serial in range(first, first + UNITS_A_MESSAGE)]
            self.world.publish("bloodbank.unit.receive", {"bank_id": f"bank-00{number % 2 + 1}", "units": arrival})
        wait_until(lambda: self.sql("bloodbank", "SELECT count(*) FROM unit")[0][0] == units, 30, "the stock")

    def load(self, count):
        """Send so many requests, one in ten an emergency; they are in the queues when this returns."""
        for worker in self.workers.values():  # or the first would be done before the last is sent
            worker.stop()
        channel = self.world.connect("upstream").channel()
        for number in range(count):
            urgency = "emergency" if number % 10 == 0 else "routine"
            body = bodies.request(uuid.uuid4().hex, group=GROUPS[number % len(GROUPS)], urgency=urgency, quantity=number % 3 + 1)
            key = "hospital.blood.request" + (".emergency" if urgency == "emergency" else "")
            channel.basic_publish("hospital", key, json.dumps(body).encode(), pika.BasicProperties(
                message_id=str(uuid.uuid4()), user_id="upstream", delivery_mode=2, type="hospital.blood.request"))
            self.requests.append(body["request_id"])
        wait_until(lambda: self.world.depth("hospital") + self.world.depth("hospital.emergency") == count, 30, "the load")
        self.start_all()

    def restart_server(self, server):
        """kill -9, and up again. The test's own connections to it are gone too."""
        self.world.servers.kill(server)
        self.world.servers.start(server)
        if server != "redis":
            forget_connections(self.world)

    def sql(self, database, query, arguments=None):
        return self.world.sql(database, query, arguments)

    def decided(self):
        return self.sql("hospital", "SELECT count(*) FROM request WHERE status NOT IN ('pending', 'scheduled')")[0][0]

    def wait_decided(self, count):
        wait_until(lambda: self.decided() >= count, SETTLE_SECONDS, f"{count} decisions")

    def is_done(self):
        return (self.decided() == len(self.requests)
                and all(self.sql(name, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)] for name in WORKERS)
                and not any(self.world.depth(queue) + self.world.held(queue)
                            for name in WORKERS for queue in (name, f"{name}.emergency")))

    def settle(self):
        wait_until(self.is_done, SETTLE_SECONDS, "all to be decided and said", 0.1)

    def check(self):
        """No accepted request lost, each decided once, no unit given twice, nobody parked, and both sides say the same."""
        requests = {row[0]: row[1] for row in self.sql("hospital", "SELECT request_id, status FROM request")}
        assert set(requests) == set(self.requests)
        first = self.sql("bloodbank", "SELECT request_id, count(*) FROM decision GROUP BY 1")
        assert {row[0] for row in first} == set(self.requests)
        self.check_units()
        for name in WORKERS:
            for queue in (name, f"{name}.emergency"):
                assert not self.world.parked(queue), queue
            twice = self.sql(name, "SELECT message_id FROM outbox WHERE exchange IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
            assert not twice, f"{name} recorded outputs twice: {twice[:3]}"
            assert self.sql(name, "SELECT count(*) FROM attempt WHERE attempts > 3") == [(0,)]

    def check_units(self):
        given = {}
        for request_id, body in self.sql("bloodbank", "SELECT request_id, body FROM decision WHERE event = 'bloodbank.blood.approved'"):
            for unit in json.loads(body)["units"]:
                assert given.setdefault(unit["unit_id"], request_id) == request_id, f"{unit['unit_id']} was given twice"
        reserved = dict(self.sql("bloodbank", "SELECT unit_id, request_id FROM unit WHERE status = 'reserved'"))
        assert given == reserved
        held = dict(self.sql("hospital", "SELECT unit_id, request_id FROM request_unit"))
        assert held == given
        assert self.sql("bloodbank", "SELECT sum(available), sum(reserved) FROM stock")[0] == (
            self.sql("bloodbank", "SELECT count(*) FROM unit WHERE status = 'available'")[0][0], len(reserved))
