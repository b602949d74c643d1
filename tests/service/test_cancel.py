"""Cancelling a request at every stage before units are issued, on real servers with both workers."""
import json
import random
import uuid

import pika
import pytest

from blood import IN_VAIN, Chain, bag, given, in_days, share_lanes, unit_id, wish
from servers import wait_until

REQUESTS = 400
HOSPITALS = ("hospital-001", "hospital-002", "hospital-003")
QUEUES = ("hospital", "hospital.emergency", "bloodbank", "bloodbank.emergency")
TABLES = {"hospital": ("request", "allocation", "request_unit", "request_warning", "unit_release", "cancellation"),
          "bloodbank": ("request", "decision", "unit", "stock", "bin", "tombstone")}


def of(body):
    return lambda message: message.body.get("request_id") == body["request_id"]


class Wards(Chain):
    """The chain, and those who change their minds."""

    def cancel(self, body, **properties):
        return self.send({"request_id": body["request_id"], "reason": "no longer needed", "cancelled_by": "dr-2"},
                         "hospital.blood.cancel", **properties)

    def cancelled(self, body):
        self.cancel(body)
        return self.tap.one("hospital.blood.cancelled", where=of(body))

    def released(self, body):
        return self.tap.one("bloodbank.reservation.released", where=of(body))

    def bank_status(self, body, status):
        wait_until(lambda: self.sql("SELECT status FROM request WHERE request_id = %s", (body["request_id"],)) == [(status,)],
                   what=f"the bank to have it {status}")

    def is_quiet(self):
        return (all(self.world.depth(queue) + self.world.held(queue) == 0 for queue in QUEUES)
                and all(self.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL", database=name) == [(0,)]
                        for name in TABLES))

    def wait_quiet(self, timeout=60):
        """Longer than the broker's counts are old."""
        looks = []

        def steady():
            self.tap.connection.process_data_events(time_limit=0.05)
            looks.append(self.is_quiet())
            return len(looks) > 20 and all(looks[-20:])
        wait_until(steady, timeout, "quiet")

    def nothing_held(self, *bodies):
        """At neither side, in the end."""
        for body in bodies:
            assert self.sql("SELECT count(*) FROM unit WHERE request_id = %s", (body["request_id"],)) == [(0,)]
            wait_until(lambda body=body: self.view("request", body["request_id"])["quantity_allocated"] == 0, 10, "no units")
            state = self.view("request", body["request_id"])
            assert (state["status"], state["units"]) == ("cancelled", []) and state["cancelled_at"]


@pytest.fixture
def wards(world):
    made = Wards(world)
    yield made
    made.check_books()
    made.check_hospital()


def test_an_approved_request(wards):
    units = wards.stock(3)
    body = wish(quantity=2)
    cause = wards.send(body)
    held = given(wards.decision(body))
    wards.status(body, "approved")
    told = wards.cancelled(body)
    assert told.body | {"cancelled_at": 0} == {
        "request_id": body["request_id"], "hospital_id": "hospital-001", "urgency": "urgent", "reason": "no longer needed",
        "cancelled_by": "dr-2", "cancelled_at": 0, "version": 3}
    assert told.properties.correlation_id == cause and told.routing_key == "hospital.blood.cancelled"
    released = wards.released(body)
    assert released.body | {"released_at": 0} == {
        "request_id": body["request_id"], "hospital_id": "hospital-001", "unit_ids": held, "reason": "cancelled",
        "quantity_allocated": 0, "backordered": 0, "released_at": 0}
    assert released.properties.correlation_id == cause
    wards.tap.one("bloodbank.inventory.updated", where=lambda message: message.body["available"] == 3 and message.body["version"] > 2)
    wards.nothing_held(body)
    assert wards.sql("SELECT count(*) FROM unit WHERE status = 'available'") == [(3,)]
    assert wards.view("stock", "bank-001/red_cells/O+")["reserved"] == 0
    assert given(wards.ask(wish(quantity=3))) == [unit_id(unit) for unit in sorted(units, key=lambda unit: unit["din"])]


def test_a_partially_approved_request_waits_no_more(wards):
    wards.stock(2)
    body = wish(quantity=4)
    assert wards.ask(body).body["backordered"] == 2
    wards.status(body, "partially_approved")
    wards.cancelled(body)
    assert wards.released(body).body["backordered"] == 0
    wards.stock(4)
    wards.tap.quiet("bloodbank.blood.approved", where=of(body))
    wards.nothing_held(body)
    assert wards.sql("SELECT count(*) FROM unit WHERE status = 'available'") == [(6,)]


def test_a_scheduled_request_is_dropped(wards):
    wards.stock(1)
    body = wish(needed_at=in_days(10))
    wards.send(body)
    wards.bank_status(body, "scheduled")
    wards.cancelled(body)
    wards.bank_status(body, "cancelled")
    wards.sql("UPDATE request SET allocate_at = now()")
    wards.tap.quiet("bloodbank.blood.approved", 6)  # one period of the timer
    wards.nothing_held(body)


def test_a_pending_request(world):
    """The banks hear of it and of its end at the same time."""
    wards = Wards(world, bank=False)
    body, urgent = wish(), wish(urgency="emergency")
    for asked in (body, urgent):
        wards.send(asked)
        wards.status(asked, "pending")
        wards.cancelled(asked)
    wards.status(body, "cancelled")
    world.publish("bloodbank.unit.receive", {"bank_id": "bank-001", "units": [bag(), bag()]})
    world.start_worker("bloodbank")
    wait_until(lambda: wards.sql("SELECT count(*) FROM request") == [(2,)], what="the requests at the bank")
    wards.wait_quiet()
    wards.nothing_held(body, urgent)
    assert wards.sql("SELECT count(*) FROM unit WHERE status = 'available'") == [(2,)]
    wards.check_books()
    wards.check_hospital()


@pytest.mark.parametrize("urgency", ["routine", "emergency"])
@pytest.mark.parametrize("event", ["hospital.blood.request", "hospital.blood.requested"])
def test_a_cancel_before_its_request(wards, event, urgency):
    """Whether the request comes to the hospital or straight to the banks: it is known, but gets nothing."""
    wards.stock(2, group="A+")
    body = wish("A+", urgency=urgency)
    first = wards.cancelled(body)
    assert "hospital_id" not in first.body and first.body["version"] == 1
    wait_until(lambda: wards.sql("SELECT count(*) FROM tombstone") == [(1,)], what="the tombstone")
    wards.send(body, event)
    rejected = wards.decision(body)
    assert rejected.body["reason"] == "cancelled"
    state = wait_until(lambda: wards.view("request", body["request_id"], 3), 10, "the rejected request")
    assert (state["status"], state["reason"], state["hospital_id"]) == ("cancelled", "cancelled", "hospital-001")
    wards.nothing_held(body)
    assert wards.cancelled(body).raw == first.raw
    wards.send(body, event)
    again = wards.decision(body)
    assert (again.id, again.raw) == (rejected.id, rejected.raw)
    assert wards.sql("SELECT status, version FROM request") == [("rejected", 1)]


def test_a_request_straight_to_the_banks_and_its_cancel(wards):
    """Their ways are different, so either may be heard first by either worker."""
    wards.stock(40, group="B+")
    bodies = [wish("B+", urgency="emergency" if number % 2 else "routine") for number in range(40)]
    for number, body in enumerate(bodies):
        steps = [lambda body=body: wards.send(body, "hospital.blood.requested"), lambda body=body: wards.cancel(body)]
        for step in steps if number % 4 < 2 else reversed(steps):
            step()
    wait_until(lambda: wards.sql("SELECT count(*) FROM request") == [(40,)], what="the requests at the bank")
    wards.wait_quiet()
    wards.nothing_held(*bodies)
    assert wards.sql("SELECT count(*) FROM unit WHERE status = 'available'") == [(40,)]


def test_freed_units_go_to_those_who_wait(wards):
    wards.stock(3, group="AB+")
    body, later = wish("AB+", 2), wish("AB+", 3, hospital_id="hospital-002", urgency="routine")
    held = given(wards.ask(body))
    assert wards.ask(later).body["backordered"] == 2
    wards.cancelled(body)
    assert wards.released(body).body["unit_ids"] == held
    more = wards.decision(later)
    assert (more.body["decision"], given(more)) == ("full", held)
    wards.status(later, "approved")
    wards.nothing_held(body)


def test_what_has_ended_otherwise_is_refused(wards):
    rejected, expired = wish("A-"), wish("B-")
    assert wards.ask(rejected).body["reason"] == "no_compatible_stock"
    wards.status(rejected, "rejected")
    wards.stock(1, group="B-")
    wards.ask(expired)
    wards.sql("UPDATE unit SET reserved_until = now() WHERE status = 'reserved'")
    wards.status(expired, "expired")
    for body, state in ((rejected, "rejected"), (expired, "expired")):
        cause = wards.cancel(body)
        refused = wards.tap.one("hospital.blood.refused", where=of(body)).body
        assert (refused["reason"], refused["state"], refused["causation"]) == ("wrong_state", state, cause)
        assert (refused["command"], refused["hospital_id"]) == ("hospital.blood.cancel", "hospital-001")
        assert wards.view("request", body["request_id"])["status"] == state
    wards.tap.quiet("hospital.blood.cancelled")


def test_cancelled_twice(wards):
    wards.stock(1)
    body = wish()
    wards.ask(body)
    wards.status(body, "approved")
    identity = wards.cancel(body)
    first = wards.tap.one("hospital.blood.cancelled")
    released = wards.released(body)
    wards.status(body, "cancelled")
    wards.wait_quiet()
    before = [wards.sql(f"SELECT t::text FROM {table} t ORDER BY 1", database=name) for name in TABLES for table in TABLES[name]]
    assert wards.cancelled(body).raw == first.raw
    wards.cancel(body, message_id=identity)
    again = wards.tap.one("hospital.blood.cancelled")
    assert (again.id, again.raw, again.properties.correlation_id) == (first.id, first.raw, first.properties.correlation_id)
    wards.wait_quiet()
    wards.tap.quiet("bloodbank.reservation.released", where=lambda message: message.id != released.id)
    assert before == [wards.sql(f"SELECT t::text FROM {table} t ORDER BY 1", database=name)
                      for name in TABLES for table in TABLES[name]]


def test_another_body_under_a_known_message(world):
    wards = Wards(world, bank=False)
    body = wish()
    identity = wards.cancel(body)
    wards.cancel(wish(), message_id=identity)
    assert wards.tap.one("hospital.blood.refused").body["reason"] == "id_conflict"
    wait_until(lambda: world.depth("hospital.parked") == 1, what="the parked copy")
    assert world.sql("hospital", "SELECT request_id::text, status FROM request") == [(body["request_id"], "cancelled")]


def test_a_cancel_without_reason_is_parked(world):
    wards = Wards(world, bank=False)
    wards.send({"request_id": str(uuid.uuid4())}, "hospital.blood.cancel")
    wait_until(lambda: world.depth("hospital.parked") == 1, what="the parked copy")
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(0,)]


def traffic(chance):
    """Requests, arrivals and cancels, [(event, body)]: a cancel comes soon before or after its request, sometimes twice."""
    steps, ended = [], []
    for number in range(REQUESTS):
        body = wish(chance.choice(("O+", "A+", "B+")), chance.randint(1, 3), component="whole_blood",
                    urgency=chance.choice(("emergency", "urgent", "routine")), hospital_id=chance.choice(HOSPITALS))
        steps.append((number, "hospital.blood.request" if number % 2 else "hospital.blood.requested", body))
        if chance.random() < 0.5:
            ended.append(body)
            for _ in range(chance.choice((1, 1, 2))):
                steps.append((number + chance.uniform(-3, 30), "hospital.blood.cancel",
                              {"request_id": body["request_id"], "reason": "another plan"}))
    for number in range(0, REQUESTS, 16):
        steps.append((number, "bloodbank.unit.receive", {"bank_id": f"bank-00{1 + number // 16 % 2}", "units": [
            bag(chance.choice(("O+", "A+", "B+")), "whole_blood", chance.randint(1, 15)) for _ in range(12)]}))
    return [step[1:] for step in sorted(steps, key=lambda step: step[0])], ended


def test_cancels_among_requests_in_two_processes_each(world):
    """Whatever overtakes what: nothing is reserved for those who cancelled, nobody waits in vain, and the books balance."""
    share_lanes(world)
    wards = Wards(world)
    workers = [wards.bank, wards.hospital, world.start_worker("bloodbank", env={"INSTANCE": "2"}),
               world.start_worker("hospital", env={"INSTANCE": "2"})]
    steps, ended = traffic(random.Random(20261128))
    for event, body in steps:
        world.publish(event, body)
    wait_until(lambda: wards.sql("SELECT count(*) FROM request") == [(REQUESTS,)], 30, "all requests at the bank")
    wards.wait_quiet()
    for worker in workers:
        assert worker.is_ready()
        samples = {name.split("{")[0]: value for name, value in worker.metrics().items() if "_bucket" not in name}
        assert samples["carebus_conflicts_total"] == 0, worker.log_tail()
    wards.check_books()
    wards.check_hospital()
    assert wards.sql(IN_VAIN) == []
    names = [body["request_id"] for body in ended]
    states = dict(wards.sql("SELECT request_id::text, status FROM request WHERE request_id::text = ANY (%s)", (names,), "hospital"))
    assert set(states) == set(names) and set(states.values()) <= {"cancelled", "rejected"}
    banks = wards.sql("SELECT request_id::text, status FROM request WHERE request_id::text = ANY (%s)", (names,))
    assert {status for name, status in banks if states[name] == "cancelled"} == {"cancelled", "rejected"}
    others = wards.sql("SELECT count(*) FROM request WHERE status = 'cancelled' AND request_id::text <> ALL (%s)", (names,))
    assert others == [(0,)]
    assert wards.sql("SELECT count(*) FROM tombstone") > [(0,)], "no cancel overtook its request"
    assert wards.sql("SELECT count(*) FROM request WHERE status = 'cancelled' AND quantity_lapsed > 0") > [(20,)]
    assert wards.sql("SELECT count(*) FROM decision WHERE body::jsonb ->> 'allocation_no' > '1'") > [(0,)]


def test_a_day_told_again_changes_nothing(world):
    """Even where the inbox has forgotten it all."""
    wards = Wards(world)
    steps, _ = traffic(random.Random(7))
    for event, body in steps[:200]:
        world.publish(event, body)
    wards.wait_quiet()
    before = {(name, table): wards.sql(f"SELECT t::text FROM {table} t ORDER BY 1", database=name)
              for name in TABLES for table in TABLES[name]}
    said = list(wards.tap.messages)
    known = {message.id for message in said}
    assert before["bloodbank", "tombstone"] and before["hospital", "cancellation"]
    for name in TABLES:
        world.sql(name, "TRUNCATE inbox, outbox")
    channel = world.connect("admin").channel()
    wards.tap.messages.clear()
    for message in said:
        channel.basic_publish(message.exchange, message.routing_key, message.raw, pika.BasicProperties(
            message_id=message.id, type=message.type, user_id="admin", delivery_mode=2,
            correlation_id=message.properties.correlation_id))
    wards.wait_quiet()
    new = [message for message in wards.tap.messages if message.id not in known]
    assert not new, [(message.type, json.loads(message.raw)) for message in new][:3]
    for (name, table), expected in before.items():
        after = wards.sql(f"SELECT t::text FROM {table} t ORDER BY 1", database=name)
        assert after == expected, f"{name}.{table} changed: {sorted(set(after) ^ set(expected))[:4]}"
    wards.check_books()
