"""The patient and the clinic are told of what becomes of an appointment, each once, on real servers."""
import datetime

import pytest

from clinic import Clinic
from door import Door
from notices import LIFE, check_books
from servers import wait_until


@pytest.fixture
def clinic(world):
    world.start_worker("notification", ready=False)
    made = Clinic(world)
    made.publish()
    return made


def told(clinic, kind, count=2):
    """{role: (recipient, the notification)} of those of a kind."""
    created = clinic.tap.expect("notification.message.created", count=count, where=lambda message: message.body["kind"] == kind)
    return {message.body["role"]: (message.body.get("recipient_ref"), message.body) for message in created}


def settle(world):
    wait_until(lambda: world.depth("notification") == 0 and world.held("notification") == 0 and check_books(world)[1] == 0,
               what="all notifications to be delivered")


def test_a_booking_is_confirmed_to_the_patient_and_the_clinic(world, clinic):
    booked = clinic.book(clinic.slot("0900"), reason="Dr Example sent him")
    created = clinic.tap.expect("notification.message.created", count=2)
    delivered = clinic.tap.expect("notification.message.delivered", count=2)
    by_role = {message.body["role"]: message for message in created}
    assert by_role["patient"].body["recipient_ref"] == "patient-1" and "recipient_ref" not in by_role["clinic"].body
    for message in created:
        assert (message.body["facility_id"], message.body["kind"], message.body["transition"]) == ("clinic-001", "appointment_booked", "booked")
        assert message.body["entity"] == f"appointment:{booked['appointment_id']}" and message.body["is_emergency"] is False
        assert f"{clinic.day()} 09:00 (Europe/London)" in message.body["text"] and "Dr Example" not in message.body["text"]
        assert message.properties.correlation_id == booked["appointment_id"]
    assert {message.body.get("recipient_ref") for message in delivered} == {None, "patient-1"}
    settle(world)


def test_changes_are_told(world, clinic):
    booked = clinic.book(clinic.slot("0900"))
    told(clinic, "appointment_booked")
    for clock, version in (("0930", 2), ("1000", 3)):
        clinic.do("slot.move", "slot.moved", {"appointment_id": booked["appointment_id"], "slot_id": clinic.slot(clock), "by": "patient-1"})
        moved = told(clinic, "appointment_moved")
        assert {body["transition"] for _, body in moved.values()} == {f"moved:{version}"}
        assert moved["patient"][0] == "patient-1" and f"{clinic.day()} {clock[:2]}:{clock[2:]}" in moved["patient"][1]["text"]
    clinic.cancel(booked)
    assert told(clinic, "appointment_cancelled")["patient"][0] == "patient-1"
    clinic.cancel(booked)
    settle(world)
    assert world.sql("notification", "SELECT kind, count(*) FROM notification GROUP BY kind ORDER BY kind") == [
        ("appointment_booked", 2), ("appointment_cancelled", 2), ("appointment_moved", 4)], "cancelling again tells nobody again"


def test_an_offer_goes_to_who_waits(world, clinic):
    booked = clinic.book(clinic.slot("0900"))
    entry = clinic.do("waitlist.join", "waitlist.joined", {"provider_id": "dr-adams", "patient_ref": "patient-2"})
    clinic.cancel(booked)
    offered = told(clinic, "slot_offered")
    assert offered["patient"][0] == "patient-2" and offered["patient"][1]["entity"] == f"waitlist:{entry['waitlist_id']}"
    assert clinic.slot("0900") in offered["clinic"][1]["text"]
    clinic.book(clinic.slot("0900"), "patient-2")
    assert told(clinic, "appointment_booked", 4)["patient"][0] == "patient-2"
    settle(world)


def test_an_absence_is_told_to_those_whom_it_concerns(world, clinic):
    clinic.book(clinic.slot("0900"))
    clinic.book(clinic.slot("0930"), "patient-2")
    clinic.book(clinic.slot("0900", ahead=4), "patient-3")
    begin = datetime.datetime.combine(clinic.day(), datetime.time(0), datetime.timezone.utc)
    period = {"from": begin.strftime("%Y-%m-%dT%H:%M:%SZ"), "to": (begin + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")}
    for _ in range(2):
        clinic.do("schedule.block", "schedule.blocked", {"provider_id": "dr-adams", "reason": "Dr Adams has a cold"} | period)
    away = clinic.tap.expect("notification.message.created", count=4, where=lambda message: message.body["kind"] == "provider_away")
    assert sorted(message.body.get("recipient_ref", "") for message in away) == ["", "", "patient-1", "patient-2"]
    assert not [message for message in away if "cold" in message.body["text"]]
    settle(world)
    assert world.sql("notification", "SELECT count(*) FROM notification WHERE kind = 'provider_away'") == [(4,)], "the second block tells nobody again"


def test_nothing_is_told_twice(world, clinic):
    """The worker is killed, its inbox forgets, and yesterday's events come again."""
    booked = clinic.book(clinic.slot("0900"))
    heard = clinic.tap.messages[:]
    told(clinic, "appointment_booked")
    settle(world)
    worker = next(worker for worker in world.workers if worker.name == "notification")
    worker.kill()
    world.sql("notification", "DELETE FROM inbox")
    event = next(message for message in heard if message.type == "appointment.slot.booked")
    world.publish("appointment.slot.booked", event.body, user="appointment")
    world.publish("appointment.slot.booked", event.body, user="appointment", message_id=event.id)
    world.start_worker("notification")
    settle(world)
    clinic.tap.quiet(LIFE[0])
    assert world.sql("notification", "SELECT count(*) FROM notification") == [(2,)] and booked["version"] == 1


def test_the_clinic_reads_its_own(world, clinic):
    door = Door(world)
    clinic.book(clinic.slot("0900"))
    told(clinic, "appointment_booked")
    settle(world)
    items = door.get("/v1/notifications?facility_id=clinic-001").json()["items"]
    assert {(item["role"], item.get("recipient_ref")) for item in items} == {("clinic", None), ("patient", "patient-1")}
    only = door.get("/v1/notifications?facility_id=clinic-001&role=clinic").json()["items"]
    assert [item["role"] for item in only] == ["clinic"]
    answer = door.post(f"/v1/notifications/{only[0]['notification_id']}/acknowledgement", {"by": "staff-1"})
    assert answer.status_code == 200, answer.text
