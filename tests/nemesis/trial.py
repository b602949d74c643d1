"""One trial of the sweep: a worker is killed at a crash point in the middle of a batch, started again, and compared with a worker
that nobody disturbed. What is compared is all that others can see: events, views, parked messages, rows."""
import dataclasses
import json
import pathlib
import re
import signal

import bodies
from servers import PROJECT, wait_until

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
SETTLE_SECONDS = 20
SWEEP_AFTER_MS = 400
TABLES = {"hospital": ("request", "allocation", "request_unit", "request_warning", "unit_release"),
          "bloodbank": ("request", "decision", "unit", "stock", "bin")}
# One such event sums up a whole batch, so how many there are depends on how the messages were batched.
SUMMARIES = ("bloodbank.inventory.updated",)


def crash_points():
    """The names of lib/crash.h, so that a new one is swept too."""
    text = (PROJECT / "lib" / "crash.h").read_text(encoding="utf-8")
    return re.findall(r'X\(CRASH_\w+, "(\w+)"\)', text)


def timeless(text):
    """Without the worker's clock, which differs from run to run."""
    return MOMENT.sub("T", text)


@dataclasses.dataclass
class Plan:
    """What a worker is told: `before` it is disturbed, and then. Each an argument list of World.publish."""
    worker: str
    before: list
    batch: list
    parked: list  # message ids
    prepare: object = None  # called between the two, with the world


def hospital_plan():
    """Requests of both lanes among a doubled message, a known id with another body, an unreadable one, and decisions."""
    named = {label: bodies.request(label) for label in ("one", "two", "three", "four", "five")}
    batch = [("hospital.blood.request", body, {"message_id": bodies.identity(label)}) for label, body in named.items()]
    batch += [
        ("hospital.blood.request", bodies.request("urgent", urgency="emergency"), {"message_id": bodies.identity("urgent")}),
        ("hospital.blood.request", named["two"], {"message_id": bodies.identity("two")}),
        ("hospital.blood.request", named["three"] | {"quantity": 7}, {"message_id": bodies.identity("three")}),
        ("hospital.blood.request", bodies.request("bad", quantity=101), {"message_id": bodies.identity("bad")}),
        ("hospital.blood.request", bodies.request("stranger", hospital_id="hospital-999"),
         {"message_id": bodies.identity("stranger")}),
        ("bloodbank.blood.approved", bodies.approval("one", 1), {"user": "bloodbank", "message_id": bodies.identity("yes")}),
        ("bloodbank.blood.rejected", bodies.rejection("unheard"), {"user": "bloodbank", "message_id": bodies.identity("no")}),
        ("hospital.blood.requested", bodies.request("straight"), {"message_id": bodies.identity("straight")}),
    ]
    before = [("hospital.blood.request", bodies.request("early"), {"message_id": bodies.identity("early")})]
    return Plan("hospital", before, batch, [bodies.identity("bad"), bodies.identity("three")])


def requested(label, **changes):
    return ("hospital.blood.requested", bodies.request(label, **changes), {"message_id": bodies.identity(label)})


def received(label, *arguments, **changes):
    return ("bloodbank.unit.receive", bodies.receive(*arguments, **changes), {"message_id": bodies.identity(label)})


def let_one_end(world):
    """A unit's time is up, a reservation's too: work for the timer."""
    world.sql("bloodbank", "UPDATE unit SET expires_at = now() - interval '1 second' WHERE unit_id = %s", [bodies.unit_id(30)])


def bloodbank_plan():
    """Requests of both lanes, for more than there is; arrivals that fill the rest; a doubled and an unreadable message."""
    platelets = {"component": "platelets", "group": "A+", "product_code": "E2846"}
    before = [received("stock", 1, 6), received("other", 30, 1, group="B+"), received("emergencies", 40, 3, **platelets)]
    batch = [requested(label) for label in ("one", "two", "three")]
    batch += [
        requested("much", group="A+", quantity=3),
        requested("urgent", urgency="emergency", component="platelets", group="A+"),
        received("later", 50, 4, group="A+"),
        received("bad", 60, 1, component="soup"),
        requested("two"),
        received("stock", 1, 5),
        requested("nothing", component="cryo", group="AB+"),
        requested("stranger", hospital_id="hospital-999"),
    ]
    return Plan("bloodbank", before, batch, [bodies.identity("bad"), bodies.identity("stock")], let_one_end)


PLANS = {"hospital": hospital_plan, "bloodbank": bloodbank_plan}


class Trial:
    """One world in which one worker carries out a plan."""

    def __init__(self, world, plan, build=None):
        self.world = world
        self.plan = plan
        self.build = build
        self.worker = None
        self.tap = world.tap()

    def start(self, crash_at=None):
        self.worker = self.world.start_worker(self.plan.worker, {"SWEEP_AFTER_MS": SWEEP_AFTER_MS}, crash_at, self.build,
                                              ready=crash_at is None)

    def publish(self, messages):
        for event, body, keywords in messages:
            self.world.publish(event, body, **keywords)

    def prepare(self):
        """Lets an undisturbed worker do what comes before, and stops it."""
        self.start()
        self.publish(self.plan.before)
        self.settle(len(self.plan.before))
        assert self.worker.stop() == 0
        if self.plan.prepare:
            self.plan.prepare(self.world)

    def crash(self, at, must=True):
        """Runs the worker until it kills itself. False: it had nothing more to do and never came there."""
        self.start(at)
        ended = wait_until(lambda: self.worker.process.poll() or (not must and self.is_settled()), SETTLE_SECONDS,
                           f"the crash {at}; the log ends:\n{self.worker.log_tail()}")
        if ended is True:
            self.worker.stop()
            return False
        assert ended == -signal.SIGKILL, f"{at}: ended with {ended}:\n{self.worker.log_tail()}"
        return True

    def rows(self, query, arguments=None):
        return self.world.sql(self.plan.worker, query, arguments)

    def unsent(self):
        return self.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0]

    def queues(self):
        return (self.plan.worker, f"{self.plan.worker}.emergency")

    def waiting(self):
        """Deliveries that are not acknowledged, by the exact count of a broker whose consumer is dead."""
        return sum(map(self.world.depth, self.queues()))

    def is_settled(self, seen=0):
        """Every input acknowledged, every output marked as sent, and so many messages known."""
        return (self.unsent() == 0 and self.waiting() == 0 and sum(map(self.world.held, self.queues())) == 0
                and self.rows("SELECT count(*) FROM inbox")[0][0] >= seen)

    def settle(self, seen=0):
        assert self.worker.process.poll() is None, self.worker.log_tail()
        wait_until(lambda: self.is_settled(seen), SETTLE_SECONDS,
                   f"{self.plan.worker} to settle; unsent {self.unsent()}, waiting {self.waiting()}, held "
                   f"{[self.world.held(queue) for queue in self.queues()]}; its log ends:\n{self.worker.log_tail()}")

    def parked(self):
        return sorted({message["properties"].get("message_id") for queue in self.queues()
                       for message in self.world.parked(queue)})

    def outputs(self):
        """Events as the outbox has them: {message id: (exchange, key, type, body)}."""
        found = self.rows("SELECT message_id, exchange, routing_key, type, body FROM outbox WHERE exchange IS NOT NULL")
        for message_id, *rest in found:
            again = [row[1:] for row in found if row[0] == message_id]
            assert all(row == tuple(rest) for row in again), f"{message_id} has two bodies: {again}"
        return {row[0]: row[1:] for row in found}

    def heard(self):
        """What the bus carried in the worker's name, by message id. The same id must always have the same bytes."""
        heard = {}
        for message in self.tap.messages:
            if message.properties.app_id == self.plan.worker:
                what = (message.exchange, message.routing_key, message.type, message.raw.decode())
                assert heard.setdefault(message.id, what) == what, f"{message.id} was published with two bodies"
        return heard

    def listen(self):
        """Until everything that the outbox holds was heard; nothing else may be."""
        def all_heard():
            self.tap.connection.process_data_events(time_limit=0.02)
            return set(self.outputs()) <= set(self.heard())
        wait_until(all_heard, SETTLE_SECONDS, "every output to be heard")
        outputs = self.outputs()
        for message_id, what in self.heard().items():
            assert outputs.get(message_id) == what, f"published {what}, recorded {outputs.get(message_id)}"

    def views(self):
        store = self.world.redis()
        return {key: (store.hget(key, "version"), timeless(store.hget(key, "body"))) for key in sorted(store.keys("view:*"))}

    def state(self):
        """Everything that may be seen from outside, without clocks."""
        self.listen()
        events = {message_id: (*what[:3], timeless(what[3])) for message_id, what in self.outputs().items()
                  if what[2] not in SUMMARIES}
        tables = {table: sorted(timeless(json.dumps(row[0], sort_keys=True)) for row in self.rows(
            f"SELECT to_jsonb(t) FROM {table} t")) for table in TABLES[self.plan.worker]}
        inbox = sorted(self.rows("SELECT message_id FROM inbox"))
        return {"events": events, "tables": tables, "inbox": inbox, "parked": self.parked(), "views": self.views()}


def undisturbed(world, plan):
    """The state that a worker reaches when nobody kills it."""
    trial = Trial(world, plan)
    trial.prepare()
    trial.publish(plan.batch)
    trial.start()
    trial.settle(len(plan.before) + 1)
    state = trial.state()
    assert state["parked"] == sorted(plan.parked), "the plan parks what it is meant to"
    return state


def compare(found, expected):
    for part, there in expected.items():
        here = found[part]
        if isinstance(there, dict):
            for key in sorted({*there, *here}, key=str):
                assert here.get(key) == there.get(key), f"{part} {key}"
        else:
            assert here == there, part


def log_of(folder):
    return "\n".join(path.read_text(encoding="utf-8", errors="replace")[-2000:] for path in sorted(pathlib.Path(folder).glob("*.log")))
