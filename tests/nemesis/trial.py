"""One trial of the sweep: a worker is killed at a crash point in the middle of a batch, started again, and compared with a worker
that nobody disturbed. What is compared is all that others can see: events, views, parked messages, rows."""
import collections
import dataclasses
import json
import re
import signal
import time

import bodies
from servers import PROJECT, wait_until

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
SETTLE_SECONDS = 20
SWEEP_AFTER_MS = 500
STEADY_SECONDS = 0.4  # longer than the broker's counts are old
TABLES = {"hospital": ("request", "allocation", "request_unit", "request_warning", "unit_release", "cancellation"),
          "bloodbank": ("request", "decision", "unit", "stock", "bin", "tombstone"),
          "notification": ("notification", "shelf", "digest_window"),
          "appointment": ("schedule", "block", "slot", "day", "appointment", "waitlist", "offer", "command")}
LANELESS = ("appointment",)  # no emergencies there
# One such event or view sums up a whole batch, and a batch writes a row once, so how many there are, and their versions, depend on
# how the messages were batched.
SUMMARIES = ("bloodbank.inventory.updated", "bloodbank.stock.low", "bloodbank.stock.critical", "bloodbank.stock.recovered")
UNCOMPARED = {"stock": "version", "unit": "version", "day": "version", "notification": "position"}  # position: as it came about
SUMMARY_VIEWS = "view:stock:"


def crash_points():
    """The names of lib/crash.h, so that a new one is swept too."""
    text = (PROJECT / "lib" / "crash.h").read_text(encoding="utf-8")
    return re.findall(r'X\(CRASH_\w+, "(\w+)"\)', text)


def queues_of(worker):
    return (worker,) if worker in LANELESS else (worker, f"{worker}.emergency")


def timeless(text):
    """Without the worker's clock, which differs from run to run."""
    return MOMENT.sub("T", text)


def counter(worker, name, **labels):
    """The sum of a worker's samples of this name and these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(value for sample, value in worker.metrics().items()
               if sample.split("{")[0] == name and all(label in sample for label in wanted))


@dataclasses.dataclass
class Plan:
    """What a worker is told. Lists of arguments for World.publish. The order within a list does not matter for the outcome,
    because what is delivered again may come in another order."""
    worker: str
    before: list  # in peace
    batch: list  # at once: it is killed in the middle of these
    late: list  # while it is dead
    parked: list  # ids of messages that are to be parked


def command(event, label, body, user="upstream"):
    return (event, body, {"user": user, "message_id": bodies.identity(label)})


def asked(label, **changes):
    return command("hospital.blood.request", label, bodies.request(label, **changes))


def hospital_plan():
    """Good requests beside a doubled one, a known id with another body, an unreadable one, a refused one, decisions, and cancels: of
    a request, of one that comes later, and of one that has ended."""
    before = [asked("early"), asked("known"), asked("alarm", urgency="emergency"), asked("regretted"),
              command("bloodbank.blood.rejected", "declined", bodies.rejection("lost"), "bloodbank")]
    batch = [asked(label) for label in ("one", "two", "three", "four", "five")] + [
        asked("two"),
        command("hospital.blood.request", "known", bodies.request("known", quantity=7)),
        asked("bad", quantity=101),
        asked("stranger", hospital_id="hospital-999"),
        command("bloodbank.blood.approved", "yes", bodies.approval("early", 1), "bloodbank"),
        command("bloodbank.blood.rejected", "no", bodies.rejection("unheard"), "bloodbank"),
        command("hospital.blood.requested", "straight", bodies.request("straight")),
        command("hospital.blood.cancel", "regret", bodies.cancel("regretted")),
        command("hospital.blood.cancel", "haste", bodies.cancel("unsaid")),
        command("hospital.blood.cancel", "too late", bodies.cancel("lost")),
    ]
    late = [asked("urgent", urgency="emergency"), asked("one"), asked("six"), asked("unsaid")]
    return Plan("hospital", before, batch, late, [bodies.identity("bad"), bodies.identity("known")])


def requested(label, **changes):
    return command("hospital.blood.requested", label, bodies.request(label, **changes))


def received(label, *arguments, **changes):
    return command("bloodbank.unit.receive", label, bodies.receive(*arguments, **changes))


def bloodbank_plan():
    """Requests that no two can serve with the same units, one that waits for an arrival, the same faults, and cancels: of a request
    whose units another one waits for, and of one that comes later."""
    platelets = {"component": "platelets", "group": "A+", "product_code": "E2846"}
    whole = {"component": "whole_blood", "product_code": "E0001"}
    plasma = {"component": "plasma", "group": "AB+"}
    before = [received("stock", 1, 6), received("two's", 10, 2, group="A-", **whole),
              received("three's", 20, 2, group="B-", **whole), received("alarms", 40, 4, **platelets),
              received("little", 50, 1, group="AB-", **whole), requested("much", group="AB-", quantity=3, component="whole_blood"),
              received("few", 80, 3, product_code="E0701", **plasma), requested("regretted plasma", quantity=2, **plasma),
              requested("heir", quantity=2, **plasma)]
    batch = [
        requested("one"),
        requested("two", group="A-", component="whole_blood"),
        requested("three", group="B-", component="whole_blood", quantity=2),
        received("later", 51, 4, group="AB-", **whole),
        requested("two", group="A-", component="whole_blood"),
        received("stock", 1, 5),
        command("bloodbank.unit.receive", "bad", bodies.receive(60, 1, component="soup")),
        requested("nothing", component="cryo", group="AB+"),
        requested("stranger", hospital_id="hospital-999"),
        received("new", 70, 1, group="O-", **whole),
        command("hospital.blood.cancelled", "regret told", bodies.cancel("regretted plasma"), "hospital"),
        command("hospital.blood.cancelled", "haste told", bodies.cancel("unspoken"), "hospital"),
    ]
    late = [requested("urgent", urgency="emergency", component="platelets", group="A+"), requested("one"),
            requested("unspoken")]
    return Plan("bloodbank", before, batch, late, [bodies.identity("bad"), bodies.identity("stock")])


def told(event, label, body, user=None):
    return command(event, label, body, user or event.split(".", maxsplit=1)[0])


def acknowledged(label, **members):
    return command("notification.message.acknowledge", label, {"notification_id": bodies.notification("known")} | members)


def notification_plan():
    """Facts that one or several are told of, one told twice, one unreadable, changes of stock, and acknowledgements of what was told in
    peace: a good one, a stranger's, one of nothing, and another under a known id. No emergency in the batch: it would be one of its own."""
    before = [requested("known"), requested("read", urgency="emergency"), acknowledged("ack", by="nurse-1"),
              told("bloodbank.inventory.updated", "counted", bodies.stock(12, 3))]
    batch = [requested(label) for label in ("one", "two", "three")] + [
        requested("bad", quantity=101),
        told("bloodbank.blood.rejected", "denied", bodies.rejection("one")),
        told("hospital.blood.cancelled", "ended", {"request_id": bodies.identity("request two"), "hospital_id": "hospital-001",
                                                   "reason": "not needed"}),
        told("bloodbank.stock.low", "low", bodies.alert(7)),
        told("bloodbank.inventory.updated", "newer stock", bodies.stock(11, 5)),
        told("bloodbank.inventory.updated", "older stock", bodies.stock(99, 4)),
        requested("two"),  # a second one begins a new batch
        acknowledged("ack", by="nurse-2"),
        acknowledged("not mine", facility_id="hospital-002"),
        command("notification.message.acknowledge", "nothing", {"notification_id": bodies.identity("nothing")}),
    ]
    late = [requested("urgent", urgency="emergency"), requested("one"), told("bloodbank.stock.recovered", "better", bodies.alert(8)),
            told("bloodbank.blood.approved", "granted", bodies.approval("read", 1) | {"urgency": "emergency"})]
    return Plan("notification", before, batch, late, [bodies.identity("bad"), bodies.identity("ack")])


def booked(label, clock, **changes):
    return command("appointment.slot.book", f"book {label}", bodies.booking(label, clock, **changes))


def changed(verb, label, of, **members):
    """A command about the appointment that was booked under a label."""
    return command(f"appointment.{verb}", label, {"appointment_id": bodies.identity(f"book {of}")} | members)


def appointment_plan():
    """Bookings of slots that nobody else wants, one told twice, one unreadable, one under a known id, refused ones; a cancel whose slot
    is offered to one who waits, a move, a visit, a hold, hours published anew and an absence."""
    before = [command("appointment.schedule.publish", f"hours of {provider}", bodies.hours(provider))
              for provider in ("dr-adams", "dr-baker")] + [
        booked("known", "0900"), booked("regretted", "0930"), booked("restless", "1000", ahead=6), booked("early", "1030"),
        booked("away", "0900", provider="dr-baker"),
        command("appointment.waitlist.join", "waiting", {
            "provider_id": "dr-adams", "patient_ref": "patient waiting", "from": str(bodies.day(5)), "to": str(bodies.day(5))}),
    ]
    batch = [booked(label, clock, ahead=6) for label, clock in (("one", "0900"), ("two", "0930"), ("three", "1030"))] + [
        booked("known", "1130"),
        command("appointment.slot.book", "bad", bodies.booking("bad", "0900") | {"slot_id": "soup"}),
        booked("nowhere", "2300"),
        booked("too slow", "0900"),
        changed("slot.cancel", "regret", "regretted", by="patient regretted", reason="feels better"),
        changed("slot.cancel", "not theirs", "early", by="patient one", reason="spite"),
        changed("slot.move", "restless moves", "restless", slot_id=bodies.slot_id("1100", ahead=7), by="patient restless"),
        changed("visit.arrive", "early comes", "early"),
        command("appointment.slot.hold", "hold", {"slot_id": bodies.slot_id("1000", ahead=8), "patient_ref": "x", "hold_seconds": 900}),
        command("appointment.waitlist.join", "waits too", {"provider_id": "dr-baker", "patient_ref": "patient too"}),
        command("appointment.schedule.block", "ill", {"provider_id": "dr-baker", "from": f"{bodies.day(4)}T00:00:00Z",
                                                      "to": f"{bodies.day(6)}T00:00:00Z", "reason": "ill"}),
        booked("two", "0930", ahead=6),  # begins a new batch
    ]
    late = [booked("four", "1130", ahead=6), booked("one", "0900", ahead=6), changed("visit.complete", "early goes", "nobody"),
            command("appointment.schedule.publish", "more hours", bodies.hours("dr-castro", clinic_id="clinic-002"))]
    return Plan("appointment", before, batch, late, [bodies.identity("bad"), bodies.identity("book known")])


PLANS = {"hospital": hospital_plan, "bloodbank": bloodbank_plan, "notification": notification_plan,
         "appointment": appointment_plan}


class Trial:
    """One world in which one worker carries out a plan."""

    def __init__(self, world, plan, build=None, with_tap=True):
        self.world = world
        self.plan = plan
        self.build = build
        self.worker = None
        self.steady_since = None
        self.heard_before = set()
        self.patience = SETTLE_SECONDS
        self.tap = world.tap() if with_tap else None

    def start(self, crash_at=None, env=None):
        self.worker = self.world.start_worker(self.plan.worker, {"SWEEP_AFTER_MS": SWEEP_AFTER_MS, **(env or {})}, crash_at,
                                              self.build, ready=crash_at is None)

    def publish(self, messages):
        for event, body, keywords in messages:
            self.world.publish(event, body, **keywords)

    def crash_in_batch(self, at, until=None):
        """Kill a worker that works in peace, at a passage of the point while it handles the whole batch at once. With `until`, it
        stands there until that has returned: of what a dying client sent a moment ago, the broker may lose anything."""
        armed = self.world.folder / f"armed {at}"
        self.start(at, {"CRASH_WHILE": armed, **({"CRASH_STOPS": 1} if until else {})})
        self.publish(self.plan.before)
        self.settle(len(self.plan.before), sent=False)
        self.listen()
        self.heard_before = set(self.heard())
        self.worker.signal(signal.SIGSTOP)
        self.publish(self.plan.batch)
        self.see_delivered()
        armed.touch()
        self.worker.signal(signal.SIGCONT)
        if until:
            wait_until(self.worker.is_stopped, self.patience, f"it to stand {at}; the log ends:\n{self.worker.log_tail()}")
            until(self)
            self.worker.signal(signal.SIGKILL)
        self.expect_death(at)

    def crash(self, at):
        """Start a worker that kills itself at a passage of the point, which must come."""
        self.start(at)
        self.expect_death(at)

    def may_crash(self, at):
        """The same, but there may be nothing left to do that leads there."""
        self.start(at)
        self.steady_since = None
        wait_until(lambda: self.worker.process.poll() is not None or self.is_steady(0), self.patience,
                   f"a crash {at} or the end of the work")
        assert self.worker.stop() in (0, -signal.SIGKILL), self.worker.log_tail()

    def expect_death(self, at):
        ended = wait_until(self.worker.process.poll, self.patience, f"the crash {at}; the log ends:\n{self.worker.log_tail()}")
        assert ended == -signal.SIGKILL, f"{at}: ended with {ended}:\n{self.worker.log_tail()}"

    def rows(self, query, arguments=None):
        return self.world.sql(self.plan.worker, query, arguments)

    def unsent(self):
        return self.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL")[0][0]

    def queues(self):
        return queues_of(self.plan.worker)

    def waiting(self):
        """Deliveries that are not acknowledged, by the exact count of a broker whose consumer is dead."""
        return sum(map(self.world.depth, self.queues()))

    def see_delivered(self):
        """Until all that is in the queues lies in the socket of a worker that is stopped, so that it reads it at once."""
        sizes = collections.deque(maxlen=5)

        def all_delivered():
            sizes.append(self.worker.unread_bytes())
            return self.waiting() == 0 and len(sizes) == sizes.maxlen and len(set(sizes)) == 1 and sizes[0] > 0
        wait_until(all_delivered, self.patience, "all to be delivered")

    def find_waiting(self, messages, what):
        """Until just these inputs lie in the queues of a worker that is dead, by their ids: beside them may be what it sent to
        itself. They are left there."""
        wanted = collections.Counter(keywords["message_id"] for _, _, keywords in messages)
        found = collections.Counter()
        connection = self.world.connect("admin")
        channel = connection.channel()

        def take(_channel, _method, properties, _body):
            if properties.message_id in wanted:
                found[properties.message_id] += 1

        def all_found():
            connection.process_data_events(time_limit=0.02)
            return found == wanted
        for queue in self.queues():  # a queue with a single active consumer knows no basic.get
            channel.basic_consume(queue, take)
        try:
            wait_until(all_found, self.patience, what)
        except AssertionError as fault:
            raise AssertionError(f"{fault}: missing {wanted - found}, too many {found - wanted}") from None
        finally:
            connection.close()

    def is_quiet(self, seen):
        """Every input acknowledged, and so many messages known."""
        return (self.waiting() == 0 and sum(map(self.world.held, self.queues())) == 0
                and self.rows("SELECT count(*) FROM inbox")[0][0] >= seen)

    def is_steady(self, seen, sent=True):
        """Quiet, and every output marked as sent, by two looks so far apart that the broker's counts are new."""
        if (sent and self.unsent() > 0) or not self.is_quiet(seen):
            self.steady_since = None
        elif self.steady_since is None:
            self.steady_since = time.monotonic()
        return self.steady_since is not None and time.monotonic() > self.steady_since + STEADY_SECONDS

    def settle(self, seen=0, sent=True):
        assert self.worker.process.poll() is None, self.worker.log_tail()
        self.steady_since = None
        wait_until(lambda: self.is_steady(seen, sent), self.patience,
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
        wait_until(all_heard, self.patience, "every output to be heard")
        outputs = self.outputs()
        for message_id, what in self.heard().items():
            assert outputs.get(message_id) == what, f"published {what}, recorded {outputs.get(message_id)}"

    def listen_for_the_batch(self):
        """Until some output of the batch was heard."""
        def some_heard():
            self.tap.connection.process_data_events(time_limit=0.02)
            return set(self.outputs()) & set(self.heard()) - self.heard_before
        wait_until(some_heard, self.patience, "an output of the batch to be heard")

    def views(self):
        """{key: (version, body)}; of summaries without their version, once that was seen to be the row's."""
        store = self.world.redis()
        views = {key: (store.hget(key, "version"), timeless(store.hget(key, "body"))) for key in sorted(store.keys("view:*"))}
        for key in filter(lambda key: key.startswith(SUMMARY_VIEWS), views):
            version, body = views[key]
            shelf = key.removeprefix(SUMMARY_VIEWS).split("/")
            assert self.rows("SELECT version FROM stock WHERE (bank_id, component, blood_group) = (%s, %s, %s)", shelf) == [
                (int(version),)], f"{key} is not the current state"
            views[key] = ("of the row", body.replace(f'"version":{version}', '"version":"of the row"'))
        return views

    def table(self, name):
        without = f"- '{UNCOMPARED[name]}'" if name in UNCOMPARED else ""
        return sorted(timeless(json.dumps(row, sort_keys=True)) for row, in self.rows(
            f"SELECT to_jsonb(t) {without} FROM {name} t"))

    def state(self):
        """Everything that may be seen from outside, without clocks."""
        self.listen()
        events = {message_id: (*what[:3], timeless(what[3])) for message_id, what in self.outputs().items()
                  if what[2] not in SUMMARIES}
        tables = {table: self.table(table) for table in TABLES[self.plan.worker]}
        inbox = sorted(self.rows("SELECT message_id FROM inbox"))
        return {"events": events, "tables": tables, "inbox": inbox, "parked": self.parked(), "views": self.views()}


def undisturbed(world, plan):
    """The state that a worker reaches when nobody kills it."""
    trial = Trial(world, plan)
    trial.start()
    for part in (plan.before, plan.batch, plan.late):
        trial.publish(part)
        trial.settle(len(plan.before))
    state = trial.state()
    assert state["parked"] == sorted(plan.parked), "the plan parks what it is meant to"
    return state


def difference(found, expected):
    if not isinstance(found, list) or not isinstance(expected, list):
        return f"{found}\ninstead of\n{expected}"
    return "\n".join([f"found {row}" for row in found if row not in expected]
                     + [f"expected {row}" for row in expected if row not in found])


def compare(found, expected):
    for part, there in expected.items():
        here = found[part]
        if isinstance(there, dict):
            for key in sorted({*there, *here}, key=str):
                assert here.get(key) == there.get(key), f"{part} {key}:\n{difference(here.get(key), there.get(key))}"
        else:
            assert here == there, part
