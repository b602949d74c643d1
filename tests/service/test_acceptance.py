"""
From a hospital's request to its status, through the bus: the rules that a transfusion service insists on, and the
faults of the systems that this one replaces.
"""
import signal
import uuid

import pytest
from blood import MOMENT, Chain, bag, codes, given, in_days, in_hours, in_seconds, moments, unit_id, wish
from servers import wait_until


@pytest.fixture
def chain(world):
    made = Chain(world)
    yield made
    made.check_books()
    made.check_hospital()


# -- the chain itself

def test_a_request_is_followed_to_its_end(chain):
    units = chain.stock(3)
    body = wish(quantity=2)
    cause = chain.send(body, correlation_id="workflow-7")
    requested = chain.tap.one("hospital.blood.requested")
    approved = chain.tap.one("bloodbank.blood.approved")
    pending, settled = chain.tap.expect("hospital.request.updated", count=2)
    assert requested.headers["causation_id"] == cause and approved.headers["causation_id"] == requested.id
    assert settled.headers["causation_id"] == approved.id
    assert {message.properties.correlation_id for message in (requested, approved, pending, settled)} == {"workflow-7"}
    assert (pending.body["status"], settled.body["status"]) == ("pending", "approved")
    assert (pending.body["version"], settled.body["version"]) == (1, 2)
    assert given(approved) == [unit_id(unit) for unit in units[:2]]
    assert approved.body["quantity_requested"] == approved.body["quantity_allocated"] == 2
    assert approved.body["backordered"] == 0 and approved.body["warnings"] == [] and approved.body["rules_version"]
    assert {unit["match_status"] for unit in approved.body["units"]} == {"not_crossmatched"}
    view = chain.status(body, "approved")
    assert view == settled.body | {"stored_version": 2}
    assert view["units"] == approved.body["units"] and view["decided_at"] == approved.body["decided_at"]
    assert (view["quantity_issued"], view["quantity_received"]) == (0, 0)
    for message in (requested, approved, pending, settled):
        assert all(MOMENT.match(moment) for moment in moments(message.body)), message.body


def test_a_status_never_stays_pending(chain):
    """Of the replaced systems one never listened to the decision."""
    chain.stock(3, group="A+")
    full, partial, none = wish("A+", 2), wish("A+", 3), wish("B-")
    for body in (full, partial, none):
        chain.send(body)
    assert chain.status(full, "approved")["quantity_allocated"] == 2
    assert chain.status(partial, "partially_approved")["quantity_allocated"] == 1
    assert chain.status(none, "rejected")["reason"] == "no_compatible_stock"
    answer = chain.world.ask("hospital.query.request", {"request_id": none["request_id"]})
    assert answer.body["request"]["status"] == "rejected"


def test_an_upstream_system_asks_the_bank_itself(chain):
    chain.stock(2)
    body = wish()
    approved = chain.ask(body, event="hospital.blood.requested", message_id=None)
    assert chain.status(body, "approved")["units"] == approved.body["units"]
    again = chain.ask(body)
    assert (again.id, again.raw) == (approved.id, approved.raw)
    nowhere = wish(hospital_id="hospital-999")
    assert chain.reason(nowhere, event="hospital.blood.requested") == "unknown_facility"
    assert chain.status(nowhere, "rejected")["reason"] == "unknown_facility"
    assert chain.sql("SELECT count(*) FROM unit WHERE status = 'reserved'") == [(1,)]


def test_the_same_request_twice_and_another_under_its_id(chain):
    """A redelivery deducted again."""
    chain.stock(5)
    body = wish(quantity=2)
    first_id = chain.send(body)
    first = chain.decision(body)
    for message_id in (first_id, str(uuid.uuid4())):
        again = chain.ask(body, message_id=message_id)
        assert (again.id, again.raw) == (first.id, first.raw)
    chain.send(body | {"quantity": 3})
    refused = chain.tap.one("hospital.blood.refused").body
    assert (refused["reason"], refused["state"]) == ("duplicate_conflict", "approved")
    chain.send(body | {"quantity": 3}, event="hospital.blood.requested")
    assert chain.tap.one("hospital.blood.refused").body["command"] == "hospital.blood.requested"
    chain.ask(wish(quantity=3))
    chain.tap.quiet("bloodbank.blood.approved", where=lambda message: message.body["request_id"] == body["request_id"])
    assert chain.sql("SELECT quantity, quantity_allocated FROM request WHERE request_id = %s",
                     (body["request_id"],)) == [(2, 2)]


def test_a_decision_overtakes_its_request(world):
    """The request waits in the plain lane, its decision comes by the emergencies' lane."""
    chain = Chain(world, hospital=False)
    (unit,) = chain.stock(1)
    body = wish(urgency="emergency")
    chain.ask(body, event="hospital.blood.requested", emergency=False)
    wait_until(lambda: (world.depth("hospital"), world.depth("hospital.emergency")) == (1, 1), what="both to wait")
    world.start_worker("hospital")
    early, filled = chain.tap.expect("hospital.request.updated", count=2)
    assert early.body["status"] == filled.body["status"] == "approved"
    assert "component" not in early.body and filled.body["component"] == "red_cells"
    assert filled.body["units"][0]["unit_id"] == unit_id(unit)
    chain.check_hospital()


# -- who gets what

def test_expired_units_are_never_given(chain):
    """The oldest first, but not what is over: the replaced systems gave expired units first."""
    soon, later, fresh = (bag(expires_at=in_hours(hours)) for hours in (1, 6, 90))
    chain.receive(fresh, soon, later)
    assert given(chain.ask(wish(needed_at=in_hours(2)))) == [unit_id(later)]
    chain.sql("UPDATE unit SET expires_at = now() WHERE unit_id = %s", (unit_id(soon),))
    chain.sql("UPDATE stock SET expiring = 0, expiring_until = '2000-01-01Z'")
    assert given(chain.ask(wish(urgency="emergency"))) == [unit_id(fresh)]
    assert chain.reason(wish(urgency="emergency")) == "no_compatible_stock"
    chain.tap.one("bloodbank.unit.expired")


def test_exactly_what_was_asked_is_deducted(chain):
    """Deducting from every batch that is large enough; approving and deducting nothing."""
    for _ in range(3):
        chain.stock(4, group="A-")
    approved = chain.ask(wish("A-", 3))
    assert len(given(approved)) == 3 and approved.body["decision"] == "full"
    assert chain.sql("SELECT status, count(*) FROM unit GROUP BY 1 ORDER BY 1") == [("available", 9), ("reserved", 3)]
    assert sorted(given(approved)) == sorted(row[0] for row in chain.sql(
        "SELECT unit_id FROM unit WHERE status = 'reserved'"))


def test_the_floor_is_kept_for_the_urgent(chain):
    chain.stock(5)
    routine = wish(quantity=3, urgency="routine")
    assert len(given(chain.ask(routine))) == 1
    assert chain.reason(wish(urgency="routine")) == "insufficient_stock"
    assert chain.reason(wish(urgency="replenishment")) == "insufficient_stock"
    assert len(given(chain.ask(wish(quantity=3)))) == 3
    assert len(given(chain.ask(wish(urgency="emergency")))) == 1
    assert chain.reason(wish(urgency="emergency")) == "no_compatible_stock"


def test_where_units_come_from(chain):
    """bank-001 is near, bank-002 is far and has the older units."""
    def banks(body):
        return [unit["bank_id"] for unit in chain.ask(body).body["units"]]
    chain.stock(2, age=2)
    chain.stock(5, age=9, bank_id="bank-002")
    assert banks(wish(quantity=2, urgency="emergency")) == ["bank-001"] * 2
    chain.stock(2, age=2)
    assert banks(wish(quantity=3)) == ["bank-002"] * 3
    assert banks(wish(quantity=2)) == ["bank-001"] * 2
    chain.stock(1, age=2)
    pooled = chain.ask(wish(quantity=3)).body["units"]
    assert [unit["bank_id"] for unit in pooled] == ["bank-002", "bank-002", "bank-001"]
    assert [unit["expires_at"] for unit in pooled] == sorted(unit["expires_at"] for unit in pooled)


def test_the_same_rejection_again(chain):
    body = wish()
    first = chain.ask(body)
    chain.stock(3)
    again = chain.ask(body)
    assert (again.type, again.id, again.raw) == ("bloodbank.blood.rejected", first.id, first.raw)
    assert chain.status(body, "rejected")["version"] == 2


def test_an_unknown_group(chain):
    chain.stock(2, group="O-")
    chain.stock(2, group="O+")
    chain.stock(1, group="A+", component="plasma", age=30)
    chain.stock(1, group="AB+", component="plasma", age=30)
    for urgency in ("urgent", "routine", "replenishment"):
        assert chain.reason(wish("unknown", urgency=urgency)) == "group_required"
    assert chain.reason(wish("unknown", urgency="routine", needed_at=in_days(9))) == "group_required"
    assert chain.reason(wish("unknown", component="whole_blood", urgency="emergency")) == "group_required"
    blind = {"urgency": "emergency", "group": "unknown"}
    woman = chain.ask(wish(patient={"sex": "female", "age_years": 30}, **blind))
    assert [unit["group"] for unit in woman.body["units"]] == ["O-"] and codes(woman) == []
    man = chain.ask(wish(patient={"sex": "male", "age_years": 40}, **blind))
    assert [unit["group"] for unit in man.body["units"]] == ["O+"]
    nobody = chain.ask({name: value for name, value in wish(quantity=2, **blind).items() if name != "signed_by"})
    assert sorted(unit["group"] for unit in nobody.body["units"]) == ["O+", "O-"]
    assert sorted(codes(nobody)) == ["rhd_mismatch", "signature_pending"]
    plasma = chain.ask(wish(component="plasma", quantity=2, **blind))
    assert [unit["group"] for unit in plasma.body["units"]] == ["AB+", "A+"] and codes(plasma) == ["abo_minor_mismatch"]


def test_d_positive_cells_for_a_d_negative_patient(chain):
    chain.stock(1, group="A+")
    girl = {"sex": "female", "age_years": 12}
    assert chain.reason(wish("A-", patient=girl)) == "no_compatible_stock"
    man = {"sex": "male", "age_years": 60}
    assert chain.reason(wish("A-", patient=man)) == "no_compatible_stock"
    with_anti_d = girl | {"antibodies": ["anti-D"]}
    assert chain.reason(wish("A-", patient=with_anti_d, urgency="emergency")) == "no_compatible_stock"
    saved = chain.ask(wish("A-", patient=girl, urgency="emergency"))
    assert codes(saved) == ["rhd_mismatch", "substituted"]
    chain.stock(1, group="A+")
    allowed = chain.ask(wish("A-", patient=man, overrides=[{"code": "rhd_mismatch", "by": "dr-2", "reason": "stock"}]))
    assert "rhd_mismatch" in codes(allowed)


def test_a_neonate(chain):
    special = {"attributes": ["cmv_negative", "k_negative", "hbs_negative"]}
    plain, old, young = bag("O-"), bag("O-", age=9, **special), bag("O-", age=2, **special)
    chain.receive(plain, old, young, bag("A-", age=1, **special))
    infant = {"ref": "patient-5", "age_days": 12, "mother": {"ref": "patient-4", "group": "O+"}}
    assert given(chain.ask(wish("A-", patient=infant))) == [unit_id(young)]
    assert given(chain.ask(wish("A-", patient={"ref": "patient-6", "age_days": 119}))) == [unit_id(old)]
    assert chain.reason(wish("O-", patient=infant)) == "no_compatible_stock"
    waived = chain.ask(wish("O-", patient=infant, urgency="emergency"))
    assert given(waived) == [unit_id(plain)] and codes(waived) == ["attributes_waived"]


def test_an_emergency_is_never_refused_on_paper(chain):
    chain.stock(1)
    body = wish(urgency="emergency", needed_at=in_hours(-5), attributes=["irradiated"], max_age_days=1,
                sample={"id": "s-1", "expires_at": in_hours(-1)})
    del body["signed_by"]
    approved = chain.ask(body)
    assert sorted(codes(approved)) == ["attributes_waived", "signature_pending"]
    assert chain.status(body, "approved")["warnings"] == approved.body["warnings"]
    for urgency in ("urgent", "routine", "replenishment"):
        assert chain.reason(wish(urgency=urgency, needed_at=in_hours(-5))) == "needed_in_past"


# -- what comes later

def test_a_back_order_is_filled_under_its_own_workflow(chain):
    (first,) = chain.stock(1, group="B+")
    body = wish("B+", 3, urgency="routine")
    chain.send(body, correlation_id="workflow-8")
    partial = chain.decision(body)
    assert (partial.body["decision"], partial.body["backordered"]) == ("partial", 2)
    chain.status(body, "partially_approved")
    units = chain.stock(3, group="B+", bank_id="bank-002")
    filled = chain.decision(body)
    assert (filled.body["decision"], filled.body["allocation_no"], filled.body["quantity_allocated"]) == ("full", 2, 3)
    assert filled.properties.correlation_id == "workflow-8"
    view = chain.status(body, "approved")
    assert [unit["unit_id"] for unit in view["units"]] == [unit_id(unit) for unit in (first, units[0], units[1])]


def test_back_orders_in_the_order_of_priority(chain):
    """Emergency, urgent, then the routine ones by time, also those of one batch."""
    special = {"attributes": ["irradiated"]}
    bodies = []
    for place, urgency in enumerate(("routine", "routine", "urgent", "emergency")):
        body = wish("B+", 2, urgency=urgency, request_id=str(uuid.uuid4())[:-1] + str(place), accept_partial=True)
        bodies.append(body | {"request_id": f"{'fedc'[place]}{body['request_id'][1:]}"})
    chain.receive(*[bag("B+", designated_for=f"patient-{place}") for place in range(4)])
    chain.bank.signal(signal.SIGSTOP)
    for place, body in enumerate(bodies):
        body["patient"] = {"ref": f"patient-{place}"}
        chain.send(body, event="hospital.blood.requested")
    chain.bank.signal(signal.SIGCONT)
    for body in bodies:
        assert chain.decision(body).body["backordered"] == 1
    for body in (bodies[3], bodies[2], bodies[0], bodies[1]):
        chain.stock(1, group="B+", **special)
        assert chain.decision(body).body["decision"] == "full"


def test_two_back_orders_of_equal_priority_and_time(chain):
    """They crashed the consumer."""
    bodies = [wish("AB-", 2, urgency="routine", patient={"ref": f"patient-{place}"}) for place in range(2)]
    chain.receive(*[bag("AB-", designated_for=f"patient-{place}") for place in range(2)])
    for body in bodies:
        assert chain.ask(body).body["backordered"] == 1
    chain.sql("UPDATE request SET received_at = '2026-11-01T00:00:00Z'")
    chain.stock(2, group="AB-")
    assert {chain.decision(body).body["decision"] for body in bodies} == {"full"}


def test_a_reservation_ends(chain):
    (unit,) = chain.stock(1, group="A-")
    body = wish("A-", sample={"id": "s-1", "expires_at": in_seconds(2)})
    approved = chain.ask(body, correlation_id="workflow-9")
    assert approved.body["units"][0]["reserved_until"] == body["sample"]["expires_at"]
    released = chain.tap.one("bloodbank.reservation.released")
    assert released.properties.correlation_id == "workflow-9" and released.body["unit_ids"] == [unit_id(unit)]
    assert chain.status(body, "expired")["units"] == []
    assert given(chain.ask(wish("A-"))) == [unit_id(unit)]


def test_a_unit_that_expires_is_replaced(chain):
    old, fresh = bag("B-", expires_at=in_seconds(2.5)), bag("B-")
    chain.receive(old, fresh)
    body = wish("B-")
    first = chain.ask(body)
    assert given(first) == [unit_id(old)] and "short_dated" in codes(first)
    second = chain.decision(body)
    assert given(second) == [unit_id(fresh)] and second.body["allocation_no"] == 2
    assert chain.tap.one("bloodbank.unit.expired").body["unit_id"] == unit_id(old)
    assert second.properties.correlation_id == first.properties.correlation_id
    view = wait_until(lambda: chain.view("request", body["request_id"], 4), what="the view")
    assert view["status"] == "approved" and [unit["unit_id"] for unit in view["units"]] == [unit_id(fresh)]


def test_a_scheduled_request(chain):
    (unit,) = chain.stock(1, group="AB+")
    body = wish("AB+", urgency="routine", needed_at=in_seconds(48 * 3600 + 2))
    chain.send(body, correlation_id="workflow-10")
    assert chain.tap.one("hospital.request.updated").body["status"] == "scheduled"
    assert chain.sql("SELECT count(*) FROM unit WHERE status = 'reserved'") == [(0,)]
    approved = chain.decision(body)
    assert given(approved) == [unit_id(unit)] and approved.properties.correlation_id == "workflow-10"
    chain.status(body, "approved")
    now = wish("AB+", urgency="emergency", needed_at=in_days(9))
    assert chain.reason(now) == "no_compatible_stock"


# -- the stock as others see it

def test_stock_is_told_once_for_each_batch(chain):
    """200 units in one command, then 150 requests: at most one event for each line and batch, the last one true."""
    chain.receive(*[bag(group) for _ in range(100) for group in ("O+", "A+")])
    for event in chain.tap.expect("bloodbank.inventory.updated", count=2):
        assert (event.body["available"], event.body["reserved"]) == (100, 0)
    bodies = [wish(("O+", "A+")[place % 2]) for place in range(150)]
    for body in bodies:
        chain.send(body)
    chain.tap.expect("bloodbank.blood.approved", count=150, timeout=20)
    rows = chain.sql("""SELECT bank_id || '/' || component || '/' || blood_group, available, reserved, version
        FROM stock WHERE available > 0""")
    assert sorted(row[1:3] for row in rows) == [(25, 75), (25, 75)]
    for key, available, reserved, version in rows:
        heard = [message for message in chain.tap.messages if message.type == "bloodbank.inventory.updated"
                 and key.endswith("/" + message.body["group"])]
        versions = [message.body["version"] for message in heard]
        assert versions == sorted(set(versions)) and versions[-1] == version
        assert (heard[-1].body["available"], heard[-1].body["reserved"]) == (available, reserved)
        assert len({message.headers["causation_id"] for message in heard}) == len(heard)
        view = wait_until(lambda key=key, version=version: chain.view("stock", key, version), what="the view")
        assert {name: view[name] for name in heard[-1].body} == heard[-1].body


def test_a_view_of_the_stock_that_was_missed_is_made_again(world):
    chain = Chain(world, hospital=False, bank=False)
    world.start_worker("bloodbank", env={"SWEEP_AFTER_MS": 500})
    world.servers.kill("redis")
    chain.stock(3)
    world.servers.start("redis")
    view = wait_until(lambda: chain.view("stock", "bank-001/red_cells/O+"), 20, "the view")
    assert (view["available"], view["reserved"], view["version"]) == (3, 0, 2)


# -- faults of the replaced systems

def test_an_emergency_survives_a_crash(chain):
    """It was lost in memory."""
    chain.stock(40)
    bodies = [wish(urgency="emergency") for _ in range(40)]
    chain.bank.signal(signal.SIGSTOP)
    for body in bodies:
        chain.send(body)
    wait_until(lambda: chain.sql("SELECT count(*) FROM request", database="hospital") == [(40,)], what="the requests")
    chain.bank.kill()
    chain.world.start_worker("bloodbank")
    units = [unit for body in bodies for unit in given(chain.decision(body, timeout=20))]
    assert len(units) == len(set(units)) == 40


def test_nothing_is_told_before_it_is_true(chain):
    """Published before the commit."""
    chain.stock(20)
    for _ in range(20):
        approved = chain.ask(wish(urgency="emergency"))
        assert chain.sql("SELECT status, request_id::text FROM unit WHERE unit_id = %s", (given(approved)[0],)) == [
            ("reserved", approved.body["request_id"])]


def test_a_quantity_has_one_name(world):
    """One service wrote `units_required`, the other read `quantity`: what has no quantity is no request."""
    chain = Chain(world)
    body = wish(quantity=3)
    del body["quantity"]
    chain.send(body | {"units_required": 3})
    parked = wait_until(lambda: world.parked("hospital"), what="the parked copy")
    assert parked[0]["properties"]["headers"]["reason"] == "schema"
    chain.stock(3)
    approved = chain.ask(body | {"quantity": 2, "units_required": 3})
    assert approved.body["quantity_requested"] == len(given(approved)) == 2


def test_a_restart_tells_nothing_again(chain):
    chain.stock(4)
    for body in (wish(), wish(quantity=9), wish("AB-")):
        chain.ask(body)
    chain.wait_hospital()
    wait_until(lambda: all(chain.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL", database=name) == [(0,)]
                           for name in ("hospital", "bloodbank")), what="all outputs to be marked")
    for worker in (chain.bank, chain.hospital):
        assert worker.stop() == 0
    tap = chain.world.tap()
    for name in ("hospital", "bloodbank"):
        chain.world.start_worker(name, env={"SWEEP_AFTER_MS": 200})
    tap.connection.process_data_events(time_limit=2)
    assert [message.type for message in tap.messages] == []
