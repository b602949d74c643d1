"""The hospital worker on real servers; the banks' decisions are published by the test, as user bloodbank."""
import json
import uuid

import pytest

from servers import wait_until

MANY = 300


@pytest.fixture
def hospital(world):
    return world.start_worker("hospital")


@pytest.fixture
def tap(world, hospital):  # pylint: disable=unused-argument
    return world.tap()


def request(**changes):
    return {"request_id": str(uuid.uuid4()), "hospital_id": "hospital-001", "component": "red_cells", "group": "O-",
            "quantity": 2, "urgency": "routine"} | changes


def unit(number):
    return {"unit_id": f"A999926{number:06d}-RC01-00", "bank_id": "bank-001", "component": "red_cells", "group": "O-",
            "expires_at": "2030-01-01T00:00:00Z", "reserved_until": "2029-01-01T00:00:00Z"}


def approval(asked, allocation_no=1, numbers=(1, 2), decided_at="2026-11-01T00:00:01Z"):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "decision": "full",
            "allocation_no": allocation_no, "quantity_requested": asked["quantity"],
            "quantity_allocated": asked["quantity"], "backordered": 0, "units": [unit(number) for number in numbers],
            "warnings": [], "rules_version": "test", "decided_at": decided_at}


def rejection(asked):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "decision": "rejected",
            "reason": "no_compatible_stock", "detail": "none", "decided_at": "2026-11-01T00:00:01Z"}


def decide(world, event, body, **keywords):
    return world.publish(f"bloodbank.{event}", body, user="bloodbank", **keywords)


def view(world, request_id):
    """The state in Redis, or None."""
    found = world.redis().hgetall(f"view:request:{request_id}")
    return json.loads(found["body"]) | {"stored_version": int(found["version"])} if found else None


def of(asked):
    return lambda message: message.body["request_id"] == asked["request_id"]


@pytest.mark.parametrize("urgency, lane", [("routine", ""), ("emergency", ".emergency")])
def test_a_request_becomes_requested(world, tap, urgency, lane):
    asked = request(urgency=urgency)
    cause = world.publish("hospital.blood.request", asked)
    requested = tap.one("hospital.blood.requested")
    assert requested.routing_key == "hospital.blood.requested" + lane
    assert requested.body.items() >= (asked | {"version": 1, "accept_partial": True}).items()
    assert requested.properties.correlation_id == cause
    assert requested.headers["causation_id"] == cause
    assert requested.properties.user_id == "hospital" and requested.properties.delivery_mode == 2
    updated = tap.one("hospital.request.updated")
    assert (updated.body["status"], updated.body["version"]) == ("pending", 1)
    state = wait_until(lambda: view(world, asked["request_id"]), what="the view")
    assert state == updated.body | {"stored_version": 1}


def test_an_unknown_hospital_is_refused(world, tap):
    asked = request(hospital_id="hospital-404")
    cause = world.publish("hospital.blood.request", asked)
    refused = tap.one("hospital.blood.refused").body
    assert refused["reason"] == "unknown_facility" and refused["causation"] == cause
    assert refused["command"] == "hospital.blood.request"
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(0,)]


def test_the_same_request_again_hears_the_stored_answer(world, tap):
    asked = request()
    first_id = world.publish("hospital.blood.request", asked)
    first = tap.one("hospital.blood.requested")
    tap.one("hospital.request.updated")
    decide(world, "blood.approved", approval(asked))
    approved = tap.one("hospital.request.updated")
    world.publish("hospital.blood.request", asked)
    again, state = tap.one("hospital.blood.requested"), tap.one("hospital.request.updated")
    assert (again.id, again.raw) == (first.id, first.raw)
    assert (state.id, state.raw) == (approved.id, approved.raw)
    assert again.properties.correlation_id == first_id
    assert world.sql("hospital", "SELECT version, status FROM request") == [(2, "approved")]


def test_the_same_message_again_changes_nothing(world, tap):
    asked = request()
    identity = world.publish("hospital.blood.request", asked)
    first = tap.one("hospital.blood.requested")
    world.publish("hospital.blood.request", asked, message_id=identity)
    again = tap.one("hospital.blood.requested")
    assert (again.id, again.raw) == (first.id, first.raw)
    assert world.sql("hospital", "SELECT version FROM request") == [(1,)]


def test_another_request_under_a_known_id_is_refused(world, tap):
    asked = request()
    world.publish("hospital.blood.request", asked)
    tap.one("hospital.blood.requested")
    world.publish("hospital.blood.request", asked | {"quantity": 3})
    refused = tap.one("hospital.blood.refused").body
    assert (refused["reason"], refused["state"]) == ("duplicate_conflict", "pending")
    assert world.sql("hospital", "SELECT quantity, version FROM request") == [(2, 1)]


def test_another_body_under_a_known_message_is_refused_and_parked(world, tap):
    asked = request()
    identity = world.publish("hospital.blood.request", asked)
    tap.one("hospital.blood.requested")
    world.publish("hospital.blood.request", asked | {"quantity": 3}, message_id=identity)
    assert tap.one("hospital.blood.refused").body["reason"] == "id_conflict"
    parked = wait_until(lambda: world.parked("hospital"), what="the parked copy")
    assert parked[0]["properties"]["headers"]["reason"] == "id_conflict"


def test_a_request_without_ids_is_parked_and_one_of_them_is_enough(world, tap):
    asked = request()
    del asked["request_id"]
    world.publish("hospital.blood.request", asked, message_id=None)
    parked = wait_until(lambda: world.parked("hospital"), what="the parked copy")
    assert parked[0]["properties"]["headers"]["reason"] == "no_id"
    identity = world.publish("hospital.blood.request", asked)
    assert tap.one("hospital.blood.requested").body["request_id"] == identity
    named = request()
    world.publish("hospital.blood.request", named, message_id=None)
    assert tap.one("hospital.blood.requested").body["request_id"] == named["request_id"]


def test_a_faulty_request_is_parked_alone(world, tap):
    good = [request() for _ in range(10)]
    for number, asked in enumerate(good):
        world.publish("hospital.blood.request", asked)
        if number == 5:
            world.publish("hospital.blood.request", request(quantity=101))
    requested = tap.expect("hospital.blood.requested", count=10)
    assert {message.body["request_id"] for message in requested} == {asked["request_id"] for asked in good}
    parked = wait_until(lambda: world.parked("hospital"), what="the parked copy")
    assert len(parked) == 1 and parked[0]["properties"]["headers"]["reason"] == "schema"


def test_decisions_reach_the_status(world, tap):
    full, none = request(), request()
    for asked in (full, none):
        world.publish("hospital.blood.request", asked)
        tap.one("hospital.request.updated", where=of(asked))
    decide(world, "blood.approved", approval(full))
    decide(world, "blood.rejected", rejection(none))
    approved = tap.one("hospital.request.updated", where=of(full)).body
    assert (approved["status"], approved["quantity_allocated"]) == ("approved", 2)
    assert [held["unit_id"] for held in approved["units"]] == [unit(1)["unit_id"], unit(2)["unit_id"]]
    rejected = tap.one("hospital.request.updated", where=of(none)).body
    assert (rejected["status"], rejected["reason"]) == ("rejected", "no_compatible_stock")
    wait_until(lambda: view(world, full["request_id"])["status"] == "approved", what="the approved view")


def test_an_approval_counts_once_under_its_number(world, tap):
    asked = request()
    world.publish("hospital.blood.request", asked)
    decide(world, "blood.approved", approval(asked))
    tap.one("hospital.request.updated", where=lambda message: message.body["status"] == "approved")
    decide(world, "blood.approved", approval(asked))
    tap.quiet("hospital.request.updated", where=lambda message: message.body["version"] > 1)
    assert world.sql("hospital", "SELECT count(*) FROM request_unit") == [(2,)]


def test_a_decision_may_overtake_its_request(world, tap):
    asked = request()
    decide(world, "blood.approved", approval(asked))
    early = tap.one("hospital.request.updated").body
    assert (early["status"], early["version"]) == ("approved", 1) and "requested_at" not in early
    world.publish("hospital.blood.requested", asked)
    filled = tap.one("hospital.request.updated").body
    assert (filled["status"], filled["version"], filled["group"]) == ("approved", 2, "O-")


def test_an_upstream_event_is_recorded_and_not_told_again(world, tap):
    asked = request()
    identity = world.publish("hospital.blood.requested", asked)
    assert tap.one("hospital.request.updated").body["status"] == "pending"
    tap.quiet("hospital.blood.requested", where=lambda message: message.id != identity)
    world.publish("hospital.blood.requested", asked | {"quantity": 9})
    assert tap.one("hospital.blood.refused").body["reason"] == "duplicate_conflict"


def test_its_own_event_comes_back_without_effect(world, tap):
    """Known since it was committed, before it was sent; an upstream system's is new."""
    world.publish("hospital.blood.request", request())
    identity = tap.one("hospital.blood.requested").id
    wait_until(lambda: world.depth("hospital") == 0 and world.held("hospital") == 0, what="its acknowledgement")
    assert world.sql("hospital", "SELECT count(DISTINCT received_at) FROM inbox") == [(1,)], "one transaction"
    assert (identity,) in world.sql("hospital", "SELECT message_id::text FROM inbox")
    world.publish("hospital.blood.requested", request())
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM inbox") == [(3,)], what="the upstream system's")


def test_lost_units_are_released(world, tap):
    asked = request()
    world.publish("hospital.blood.request", asked)
    decide(world, "blood.approved", approval(asked))
    tap.one("hospital.request.updated", where=lambda message: message.body["status"] == "approved")
    decide(world, "reservation.released", {"request_id": asked["request_id"], "unit_ids": [unit(1)["unit_id"]],
                                           "reason": "recalled", "backordered": 1, "released_at": "2026-11-02T00:00:00Z"})
    state = tap.one("hospital.request.updated", where=lambda message: message.body["version"] == 3).body
    assert state["status"] == "partially_approved"
    assert [held["unit_id"] for held in state["units"]] == [unit(2)["unit_id"]]
    decide(world, "blood.approved", approval(asked, 2, (3,), "2026-11-02T00:00:00Z"))
    state = tap.one("hospital.request.updated", where=lambda message: message.body["version"] == 4).body
    assert (state["status"], state["quantity_allocated"]) == ("approved", 2)


def test_questions_are_answered(world, tap):
    asked = request()
    world.publish("hospital.blood.request", asked)
    updated = tap.one("hospital.request.updated")
    answer = world.ask("hospital.query.request", {"request_id": asked["request_id"]}).body
    assert answer["found"] and answer["request"] == updated.body and answer["as_of"]
    answer = world.ask("hospital.query.request", {"request_id": str(uuid.uuid4())}).body
    assert not answer["found"] and "request" not in answer


def test_two_processes_and_decisions_that_overtake(world, tap, hospital):
    """Requests and their decisions come at the same time, to two workers: nobody is parked, nothing is lost."""
    world.start_worker("hospital", env={"INSTANCE": "2"})
    asked = [request(urgency="emergency" if number % 3 == 0 else "routine") for number in range(MANY)]
    for number, body in enumerate(asked):
        steps = [lambda body=body: world.publish("hospital.blood.requested", body),
                 lambda body=body, number=number: decide(world, "blood.approved", approval(body, 1, (number,)) | {
                     "urgency": body["urgency"]}),
                 lambda body=body, number=number: decide(world, "blood.approved", approval(body, 2, (MANY + number,)))]
        for step in steps if number % 2 else reversed(steps):
            step()

    def approved():
        return world.sql("hospital", "SELECT count(*) FROM request WHERE status = 'approved' AND content IS NOT NULL")
    wait_until(lambda: approved() == [(MANY,)], 30, "all requests to be approved")
    assert world.sql("hospital", "SELECT DISTINCT version FROM request") == [(3,)]
    assert not world.parked("hospital") and not world.parked("hospital.emergency")
    wait_until(lambda: len(world.redis().keys("view:request:*")) == MANY, what="the views")
    assert {view(world, body["request_id"])["stored_version"] for body in asked} == {3}
    assert hospital.stop() == 0


def test_the_worker_may_change_no_facility(world):
    import psycopg2
    link = world.servers.connect(world.database("hospital"), user="hospital", password="postgres-hospital")
    with link.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute("INSERT INTO hospital VALUES ('hospital-666', 'x')")
    link.close()
