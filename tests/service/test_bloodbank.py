"""The blood bank on real servers: units come in, requests are decided, time takes its due."""
import json

import pytest

from blood import bag, in_days, in_hours, unit_id, wish
from servers import wait_until


class Bank:
    """A running worker, a tap, and short words."""

    def __init__(self, world):
        self.world = world
        self.tap = world.tap()
        self.worker = world.start_worker("bloodbank")

    def receive(self, *units, bank_id="bank-001", answer="bloodbank.unit.received"):
        message_id = self.world.publish("bloodbank.unit.receive", {"bank_id": bank_id, "units": list(units)})
        return self.tap.one(answer, where=lambda message: message.properties.headers["causation_id"] == message_id)

    def stock(self, count, group="O+", **facts):
        units = [bag(group, **facts) for _ in range(count)]
        self.receive(*units)
        return units

    def ask(self, body, **properties):
        self.world.publish("hospital.blood.requested", body, **properties)
        return self.decision(body)

    def decision(self, body, event=None):
        found = []

        def look():
            self.tap.connection.process_data_events(time_limit=0.02)
            found.extend(message for message in self.tap.messages if message.body
                         and message.type in ("bloodbank.blood.approved", "bloodbank.blood.rejected")
                         and message.body["request_id"] == body["request_id"])
            return found
        wait_until(look, 10, "a decision")
        self.tap.messages.remove(found[0])
        assert event is None or found[0].type == event
        return found[0]

    def sql(self, query, args=None):
        return self.world.sql("bloodbank", query, args)

    def check_books(self):
        """The counters are what the units say."""
        assert self.sql("""SELECT s.* FROM stock s LEFT JOIN
            (SELECT bank_id, component, blood_group, count(*) FILTER (WHERE status = 'available') AS available,
                count(*) FILTER (WHERE status = 'reserved') AS reserved FROM unit GROUP BY 1, 2, 3) u
            USING (bank_id, component, blood_group)
            WHERE (s.available, s.reserved) IS DISTINCT FROM (coalesce(u.available, 0), coalesce(u.reserved, 0))
            """) == []
        assert self.sql("""SELECT * FROM bin b FULL JOIN
            (SELECT bank_id, component, blood_group, profile, count(*) FROM unit
             WHERE status = 'available' AND designated_for IS NULL GROUP BY 1, 2, 3, 4) u
            USING (bank_id, component, blood_group, profile)
            WHERE coalesce(b.available, 0) <> coalesce(u.count, 0)""") == []
        assert self.sql("""SELECT r.request_id FROM request r LEFT JOIN
            (SELECT request_id, count(*) FROM unit WHERE status = 'reserved' GROUP BY 1) u USING (request_id)
            WHERE r.quantity_allocated <> coalesce(u.count, 0)""") == []


@pytest.fixture
def bank(world):
    made = Bank(world)
    yield made
    made.check_books()


def test_receive_and_approve(bank):
    units = [bag(age=age) for age in (3, 20, 11)]
    received = bank.receive(*units)
    assert [unit["unit_id"] for unit in received.body["units"]] == [unit_id(unit) for unit in units]
    assert {unit["status"] for unit in received.body["units"]} == {"available"}
    updated = bank.tap.one("bloodbank.inventory.updated")
    assert updated.body | {"version": 0} == {
        "bank_id": "bank-001", "component": "red_cells", "group": "O+", "available": 3, "reserved": 0,
        "expiring_24h": 0, "days_of_stock": None, "level": "low", "version": 0}
    body = wish(quantity=2)
    approved = bank.ask(body)
    assert approved.type == "bloodbank.blood.approved" and approved.routing_key == "bloodbank.blood.approved"
    assert approved.body["decision"] == "full" and approved.body["allocation_no"] == 1
    assert [unit["unit_id"] for unit in approved.body["units"]] == [unit_id(units[1]), unit_id(units[2])]
    updated = bank.tap.one("bloodbank.inventory.updated")
    assert (updated.body["available"], updated.body["reserved"]) == (1, 2)


def test_emergency_takes_its_own_lane(bank):
    bank.stock(2)
    approved = bank.ask(wish(urgency="emergency"))
    assert approved.routing_key == "bloodbank.blood.approved.emergency" and approved.type == "bloodbank.blood.approved"
    plain = bank.ask(wish(urgency="emergency"), emergency=False)
    assert plain.routing_key == "bloodbank.blood.approved.emergency"


def test_rejections(bank):
    assert bank.ask(wish(hospital_id="hospital-999")).body["reason"] == "unknown_facility"
    assert bank.ask(wish()).body["reason"] == "no_compatible_stock"
    assert bank.ask(wish(group="unknown")).body["reason"] == "group_required"
    assert bank.ask(wish(needed_at=in_days(-2))).body["reason"] == "needed_in_past"
    bank.stock(2)
    assert bank.ask(wish(quantity=3, accept_partial=False)).body["reason"] == "insufficient_stock"


def test_same_request_again_hears_the_same(bank):
    bank.stock(4)
    body = wish(quantity=2)
    first = bank.ask(body)
    again = bank.ask(body | {"requested_at": in_days(0), "version": 7})
    assert (again.raw, again.properties.message_id) == (first.raw, first.properties.message_id)
    bank.world.publish("hospital.blood.requested", body | {"quantity": 1})
    bank.ask(wish())
    bank.tap.quiet("bloodbank.blood.approved", where=lambda message: message.body["request_id"] == body["request_id"])
    assert bank.sql("SELECT count(*) FROM unit WHERE status = 'reserved'") == [(3,)]


def test_units_are_all_taken_in_or_none(bank):
    first, second = bag(), bag(collected_at=in_days(1))
    refused = bank.receive(first, second, answer="bloodbank.unit.refused")
    assert refused.body["reason"] == "collected_in_future" and refused.body["unit_ids"] == [unit_id(second)]
    assert bank.sql("SELECT count(*) FROM unit") == [(0,)]
    bank.receive(first)
    assert bank.receive(first).body["units"][0]["status"] == "available"
    conflict = bank.receive(first | {"group": "A+"}, answer="bloodbank.unit.refused")
    assert (conflict.body["reason"], conflict.body["state"]) == ("duplicate_conflict", "available")
    late = bank.receive(bag(expires_at=in_days(50)), answer="bloodbank.unit.refused")
    assert late.body["reason"] == "expiry_above_maximum"
    old = bank.receive(bag(age=60), answer="bloodbank.unit.refused")
    assert old.body["reason"] == "expired"
    orphan = bank.receive(bag(parents=["A999926999999-E0336-00"]), answer="bloodbank.unit.refused")
    assert orphan.body["reason"] == "unknown_parent"
    nowhere = bank.receive(bag(), bank_id="bank-999", answer="bloodbank.unit.refused")
    assert nowhere.body["reason"] == "unknown_facility"
    assert bank.sql("SELECT count(*) FROM unit") == [(1,)]


def test_lists_of_a_unit_come_back_as_they_were(bank):
    unit = bag(attributes=["irradiated", "own_code"], antigens=["K-", 'Fy"a\\+', "a,b"], designated_for="patient-1",
               volume_ml=280, initial_status="quarantined", donor_ref="donor-1")
    bank.receive(unit)
    assert bank.sql("SELECT attributes, antigens, status, designated_for FROM unit") == [
        (unit["attributes"], unit["antigens"], "quarantined", "patient-1")]
    bank.receive(unit)
    bank.receive(unit | {"antigens": ["K-"]}, answer="bloodbank.unit.refused")


def test_designated_unit_is_for_its_patient(bank):
    (kept,) = bank.stock(1, designated_for="patient-1")
    assert bank.ask(wish(patient={"ref": "patient-2"})).body["reason"] == "no_compatible_stock"
    approved = bank.ask(wish(patient={"ref": "patient-1"}))
    assert approved.body["units"][0]["unit_id"] == unit_id(kept)


def test_back_orders_are_filled_by_priority(bank):
    bank.stock(2, group="A+")
    body = wish(group="A+", quantity=4)
    partial = bank.ask(body, correlation_id="workflow-1")
    assert (partial.body["decision"], partial.body["backordered"]) == ("partial", 2)
    bank.receive(bag("A+"))
    second = bank.decision(body)
    assert (second.body["allocation_no"], second.body["quantity_allocated"], second.body["backordered"]) == (2, 3, 1)
    assert second.properties.correlation_id == "workflow-1"
    bank.receive(bag("A+"), bag("A+"), bank_id="bank-002")
    third = bank.decision(body)
    assert (third.body["decision"], third.body["allocation_no"], len(third.body["units"])) == ("full", 3, 1)
    assert bank.sql("SELECT status, quantity_allocated FROM request") == [("settled", 4)]


def test_emergency_back_order_goes_first(bank):
    bank.stock(2, group="B+")
    routine, emergency = wish("B+", 2), wish("B+", 2, urgency="emergency")
    bank.ask(routine)
    bank.stock(1, group="B+")
    assert bank.ask(emergency).body["backordered"] == 1
    waiting = wish("B+", 2, urgency="routine")
    assert bank.ask(waiting).body["reason"] == "no_compatible_stock"
    bank.receive(bag("B+"))
    assert bank.decision(emergency).body["decision"] == "full"


def test_scheduled_request_is_allocated_when_due(bank):
    (unit,) = bank.stock(1, group="AB+")
    body = wish("AB+", needed_at=in_days(10))
    bank.world.publish("hospital.blood.requested", body, correlation_id="workflow-2")
    wait_until(lambda: bank.sql("SELECT status FROM request") == [("scheduled",)], what="the request")
    bank.tap.quiet("bloodbank.blood.approved")
    bank.sql("UPDATE request SET allocate_at = now()")
    approved = bank.decision(body)
    assert approved.body["units"][0]["unit_id"] == unit_id(unit)
    assert approved.properties.correlation_id == "workflow-2"


def test_reservation_that_ends_sets_its_unit_free(bank):
    (unit,) = bank.stock(1, group="A-")
    body = wish("A-")
    bank.ask(body)
    bank.sql("UPDATE unit SET reserved_until = now()")
    released = bank.tap.one("bloodbank.reservation.released")
    assert released.body | {"released_at": 0} == {
        "request_id": body["request_id"], "hospital_id": "hospital-001", "unit_ids": [unit_id(unit)],
        "reason": "expired", "quantity_allocated": 0, "backordered": 0, "released_at": 0}
    assert bank.sql("SELECT status FROM unit") == [("available",)]
    assert bank.sql("SELECT status, quantity_lapsed FROM request") == [("settled", 1)]
    assert bank.ask(wish("A-")).body["units"][0]["unit_id"] == unit_id(unit)


def test_lost_unit_is_replaced(bank):
    old, fresh = bag("B-", age=30), bag("B-")
    bank.receive(old, fresh)
    body = wish("B-")
    assert bank.ask(body).body["units"][0]["unit_id"] == unit_id(old)
    bank.sql("UPDATE unit SET expires_at = now(), reserved_until = now() WHERE status = 'reserved'")
    assert bank.tap.one("bloodbank.unit.expired").body["unit_id"] == unit_id(old)
    released = bank.tap.one("bloodbank.reservation.released")
    assert (released.body["quantity_allocated"], released.body["backordered"]) == (0, 1)
    approved = bank.decision(body)
    assert (approved.body["allocation_no"], approved.body["decision"]) == (2, "full")
    assert approved.body["units"][0]["unit_id"] == unit_id(fresh)


def test_unit_expires_on_the_shelf(bank):
    (unit,) = bank.stock(1)
    bank.tap.one("bloodbank.inventory.updated")
    bank.sql("""WITH u AS (UPDATE unit SET expires_at = now())
        UPDATE stock SET expiring = 0, expiring_until = '2000-01-01Z'""")
    assert bank.tap.one("bloodbank.unit.expired").body["unit_id"] == unit_id(unit)
    assert bank.tap.one("bloodbank.inventory.updated").body["available"] == 0


def test_stock_is_told(bank):
    bank.stock(3, expires_at=in_hours(10))
    bank.stock(2, group="A-")
    bank.sql("UPDATE stock SET demand_28_days = 56 WHERE blood_group = 'A-'")
    answer = bank.world.ask("bloodbank.query.stock", {"bank_id": "bank-001", "component": "red_cells"})
    items = {item["group"]: item for item in answer.body["items"]}
    assert len(items) == 8
    assert (items["O+"]["available"], items["O+"]["expiring_24h"], items["O+"]["days_of_stock"]) == (3, 3, None)
    assert (items["A-"]["available"], items["A-"]["expiring_24h"], items["A-"]["days_of_stock"]) == (2, 0, 1.0)
    assert (items["O+"]["level"], items["A-"]["level"], items["B+"]["level"]) == ("low", "critical", "critical")


def test_blind_o_negative_is_counted_over_requests(bank):
    bank.stock(6, group="O-")
    facts = {"urgency": "emergency", "patient": {"ref": "patient-9", "sex": "female", "age_years": 30}}
    assert bank.ask(wish("unknown", 2, **facts)).body["warnings"] == []
    warned = bank.ask(wish("unknown", 1, **facts))
    assert "blind_o_negative_limit" in [warning["code"] for warning in warned.body["warnings"]]


def test_no_unit_is_given_twice(bank):
    """Two processes, both lanes, hundreds of requests: as many units are reserved as were approved, each once."""
    bank.stock(150, group="O+")
    bank.stock(150, group="O+")
    bank.world.start_worker("bloodbank", env={"INSTANCE": "2"})
    bodies = [wish("O+", 1 + number % 3, urgency="emergency" if number % 2 else "urgent",
                   hospital_id=f"hospital-00{1 + number % 3}") for number in range(220)]
    for body in bodies:
        bank.world.publish("hospital.blood.requested", body)

    def decided():
        return bank.sql("SELECT count(*) FROM request WHERE status IN ('settled', 'waiting', 'rejected')") == [(220,)]
    wait_until(decided, 30, "all decisions")
    given = bank.sql("SELECT request_id, body FROM decision WHERE event = 'bloodbank.blood.approved'")
    units = [unit["unit_id"] for _, body in given for unit in json.loads(body)["units"]]
    assert len(units) == len(set(units)) == 300
    assert bank.sql("SELECT count(*) FROM unit WHERE status = 'reserved'") == [(300,)]
