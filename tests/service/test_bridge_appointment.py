"""Appointments through the HTTP door, on real servers: every path, every refusal, and who may what."""
import concurrent.futures
import datetime
import json
import signal
import uuid

import pytest

from clinic import Clinic
from door import Door
from servers import wait_until
from test_bridge import problem
from test_stream import Listener


@pytest.fixture
def clinic(world):
    return Clinic(world)


@pytest.fixture
def door(world, clinic):
    """The door before a provider's hours."""
    clinic.publish()
    return Door(world)


def hours(clinic, **changes):
    return {"provider_id": "dr-brown", "clinic_id": "clinic-002", "slot_minutes": 60,
            "weekly": [{"weekday": day, "from": "09:00", "to": "12:00"} for day in range(1, 8)],
            "from": str(clinic.day(1, "clinic-002")), "to": str(clinic.day(5, "clinic-002"))} | changes


def good(answer):
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return answer.json()


def book(door, slot_id, patient="patient-1", token=None, **more):
    return door.post("/v1/appointments", {"slot_id": slot_id, "patient_ref": patient} | more, token)


def day(door, clinic, ahead=2, provider="dr-adams"):
    return good(door.get(f"/v1/slots?provider_id={provider}&date={clinic.day(ahead)}"))


def states(door, clinic, ahead=2):
    return {slot["slot_id"].split(".")[2]: slot["state"] for slot in day(door, clinic, ahead)["slots"]}


def staff(door, *clinics):
    """A token for each clinic, known to the door."""
    tokens = [door.token("clinic", clinic) for clinic in clinics]
    wait_until(lambda: door.get("/v1/blood-stock?bank_id=bank-001", tokens[-1]).status_code != 401, what="the tokens to be known")
    return tokens


# --- the life of an appointment


def test_hours_are_published_and_a_day_is_seen(door, clinic):
    published = good(door.post("/v1/schedules", hours(clinic)))
    assert (published["zone"], published["slots_added"], published["version"]) == ("America/New_York", 15, 1)
    found = day(door, clinic)
    assert list(states(door, clinic)) == ["0900", "0930", "1000", "1030", "1100", "1130"]
    assert (found["provider_id"], found["date"], found["source"]) == ("dr-adams", str(clinic.day()), "database")
    assert found["version"] >= 1 and found["as_of"] and {slot["state"] for slot in found["slots"]} == {"free"}


def test_a_slot_is_booked_moved_and_cancelled(door, clinic):
    answer = book(door, clinic.slot("0930"), reason="cough", orders=[{"medicine_id": "amox-500", "quantity": 21}])
    booked = good(answer)
    assert answer.headers["Location"] == f"/v1/appointments/{booked['appointment_id']}"
    assert (booked["status"], booked["clinic_id"], booked["zone"], booked["version"]) == ("booked", "clinic-001", "Europe/London", 1)
    read = door.get(answer.headers["Location"])
    assert good(read).items() >= booked.items() and read.headers["ETag"] == '"1"' and read.json()["as_of"]
    assert door.get(answer.headers["Location"], headers={"If-None-Match": '"1"'}).status_code == 304
    moved = good(door.post(answer.headers["Location"] + "/move", {"slot_id": clinic.slot("1000")}))
    assert (moved["slot_id"], moved["from_slot_id"], moved["version"]) == (clinic.slot("1000"), clinic.slot("0930"), 2)
    assert moved["by"] == "admin-of-x"
    assert states(door, clinic)["0930"] == "free" and states(door, clinic)["1000"] == "booked"
    cancelled = good(door.post(answer.headers["Location"] + "/cancellation", {"reason": "feels better"}))
    assert (cancelled["status"], cancelled["ended_by"], cancelled["reason"]) == ("cancelled", "admin-of-x", "feels better")
    assert states(door, clinic)["1000"] == "free"
    assert good(book(door, clinic.slot("1000")))["appointment_id"] != booked["appointment_id"], "free for the same patient too"
    clinic.check_books()


def test_a_hold_is_booked_or_released_by_its_token(door, clinic):
    slot = clinic.slot("1100")
    held = good(door.post(f"/v1/slots/{slot}/hold", {"patient_ref": "patient-1", "hold_seconds": 60}))
    assert held["slot_id"] == slot and held["held_until"] and len(held["hold_token"]) >= 16
    assert problem(book(door, slot, "patient-2"), 409, "held")["state"] == "held"
    problem(book(door, slot, "patient-2", hold_token=held["hold_token"]), 403, "not_owner")
    problem(book(door, slot, hold_token="0" * 32), 403, "not_owner")
    problem(door.post(f"/v1/slots/{slot}/release", {"hold_token": "0" * 32}), 403, "not_owner")
    assert good(book(door, slot, hold_token=held["hold_token"]))["slot_id"] == slot
    problem(door.post(f"/v1/slots/{slot}/release", {"hold_token": held["hold_token"]}), 409, "hold_expired")
    other = clinic.slot("1130")
    token = good(door.post(f"/v1/slots/{other}/hold", {"patient_ref": "patient-2"}))["hold_token"]
    assert good(door.post(f"/v1/slots/{other}/release", {"hold_token": token}))["reason"] == "released"
    assert states(door, clinic)["1130"] == "free"


def test_a_hold_that_is_repeated_gives_its_token_again(door, clinic):
    path, headers = f"/v1/slots/{clinic.slot('1000')}/hold", {"Idempotency-Key": "hold 1"}
    first = good(door.post(path, {"patient_ref": "patient-1"}, headers=headers))
    assert good(door.post(path, {"patient_ref": "patient-1"}, headers=headers)) == first


def test_a_visit_is_seen_through(door, clinic):
    path = book(door, clinic.slot("0900")).headers["Location"]
    assert problem(door.post(path + "/completion"), 409, "wrong_state")["state"] == "booked"
    arrived = good(door.post(path + "/arrival", {"by": "staff-0007"}))
    assert arrived["status"] == "arrived" and arrived["arrived_at"]
    completed = good(door.post(path + "/completion", {"by": "staff-0007"}))
    assert (completed["status"], completed["ended_by"]) == ("completed", "staff-0007")
    assert problem(door.post(path + "/cancellation", {"reason": "no"}), 409, "wrong_state")["state"] == "completed"


def test_who_waits_is_offered_what_becomes_free(door, clinic):
    booked = good(book(door, clinic.slot("0900")))
    entries = [good(door.post("/v1/waitlist", {"provider_id": "dr-adams", "patient_ref": f"patient-{number}", "priority": 9 - number}))
               for number in (2, 3, 4)]
    assert [entry["priority"] for entry in entries] == [7, 6, 5]
    problem(door.post(f"/v1/waitlist/{entries[0]['waitlist_id']}/decline"), 409, "wrong_state")
    good(door.post(f"/v1/appointments/{booked['appointment_id']}/cancellation", {"reason": "ill"}))
    clinic.tap.one("appointment.slot.offered", where=lambda message: message.body["patient_ref"] == "patient-2")
    problem(door.post(f"/v1/waitlist/{entries[0]['waitlist_id']}/decline", {"patient_ref": "patient-9"}), 403, "not_owner")
    assert good(door.post(f"/v1/waitlist/{entries[0]['waitlist_id']}/decline"))["slot_id"] == clinic.slot("0900")
    clinic.tap.one("appointment.slot.offered", where=lambda message: message.body["patient_ref"] == "patient-3")
    assert problem(book(door, clinic.slot("0900"), "patient-4"), 409, "held")
    assert good(book(door, clinic.slot("0900"), "patient-3"))["patient_ref"] == "patient-3"
    assert good(door.call("DELETE", f"/v1/waitlist/{entries[2]['waitlist_id']}"))["reason"] == "left"
    assert problem(door.call("DELETE", f"/v1/waitlist/{entries[1]['waitlist_id']}"), 409, "wrong_state")["state"] == "booked"
    problem(door.call("DELETE", f"/v1/waitlist/{uuid.uuid4()}"), 404, "unknown_entry")
    problem(door.post("/v1/waitlist", {"provider_id": "dr-nobody", "patient_ref": "patient-2"}), 404, "unknown_provider")
    clinic.check_books()


def test_an_absence_flags_and_deletes_nothing(door, clinic):
    booked = good(book(door, clinic.slot("0900")))
    begin = datetime.datetime.combine(clinic.day(), datetime.time(0), datetime.timezone.utc)
    period = {"from": begin.isoformat().replace("+00:00", "Z"), "to": (begin + datetime.timedelta(days=1)).isoformat().replace("+00:00", "Z")}
    blocked = good(door.post("/v1/schedules/blocks", {"provider_id": "dr-adams", "reason": "ill"} | period))
    assert [item["appointment_id"] for item in blocked["flagged"]] == [booked["appointment_id"]]
    assert problem(book(door, clinic.slot("0930"), "patient-2"), 409, "blocked")["state"] == "blocked"
    assert good(door.get(f"/v1/appointments/{booked['appointment_id']}"))["is_flagged"] is True
    backwards = {"from": period["to"], "to": period["from"]}
    problem(door.post("/v1/schedules/blocks", {"provider_id": "dr-adams", "reason": "ill"} | backwards), 422, "bad_period")
    problem(door.post("/v1/schedules/blocks", {"provider_id": "dr-nobody", "reason": "ill"} | period), 404, "unknown_provider")


def test_lists_go_on(door, clinic):
    made = [good(book(door, clinic.slot(clock)))["appointment_id"] for clock in ("0900", "0930", "1000", "1030", "1100")]
    good(book(door, clinic.slot("1130"), "patient-2"))

    def pages(path):
        seen = []
        while path:
            answer = door.get(path)
            assert good(answer)["as_of"] and len(answer.json()["items"]) <= 2
            seen += [item["appointment_id"] for item in answer.json()["items"]]
            path = answer.links["next"]["url"] if "next" in answer.links else None
        return seen
    assert pages("/v1/appointments?patient_ref=patient-1&limit=2") == made[::-1]
    assert len(pages(f"/v1/appointments?clinic_id=clinic-001&date={clinic.day()}&limit=2")) == 6
    assert pages(f"/v1/appointments?clinic_id=clinic-001&date={clinic.day(3)}&limit=2") == []


# --- bad input


def test_what_cannot_be_looked_up(door, clinic):
    problem(door.get(f"/v1/slots?provider_id=dr-nobody&date={clinic.day()}"), 404, "unknown_provider")
    problem(door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day(-3)}"), 422, "too_late")
    problem(door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day(400)}"), 422, "beyond_horizon")
    assert day(door, clinic, 60)["slots"] == [] and day(door, clinic, 60)["version"] == 0
    for query in ("provider_id=dr-adams", "date=2030-03-04", "provider_id=dr-adams&date=2030-02-30", "provider_id=DR&date=2030-03-04"):
        assert problem(door.get(f"/v1/slots?{query}"), 422, "invalid")["errors"]
    problem(door.get("/v1/appointments"), 400, "missing_parameter")
    problem(door.get("/v1/appointments?clinic_id=clinic-001"), 400, "missing_parameter")
    problem(door.get("/v1/appointments?date=2030-03-04"), 422, "invalid")
    problem(door.get("/v1/appointments?patient_ref=patient-1&date=2030-03-04"), 400, "unknown_parameter")
    problem(door.get("/v1/appointments?patient_ref=patient-1&cursor=odd"), 400, "malformed")
    problem(door.get(f"/v1/appointments/{uuid.uuid4()}"), 404, "not_found")
    problem(door.get("/v1/appointments/odd"), 404, "not_found")


def test_what_cannot_be_booked(door, clinic):
    good(book(door, clinic.slot("0900")))
    clinic.publish("dr-clark", hours=(("09:00", "10:00"),))
    clinic.publish("dr-davis", notice_minutes=4 * 24 * 60)
    clinic.publish("dr-evans", horizon_days=3)
    before = clinic.sql("SELECT count(*) FROM appointment")
    assert problem(book(door, clinic.slot("0900"), "patient-2"), 409, "taken")["state"] == "booked"
    problem(book(door, clinic.slot("0900", "dr-clark")), 409, "patient_overlap")
    problem(book(door, clinic.slot("0905")), 404, "unknown_slot")
    problem(book(door, clinic.slot("0900", "dr-davis"), "patient-3"), 409, "too_late")
    problem(book(door, clinic.slot("0900", "dr-evans", 6), "patient-3"), 409, "beyond_horizon")
    body = problem(door.post("/v1/appointments", {"slot_id": "nonsense"}), 422, "invalid")
    assert {fault["field"] for fault in body["errors"]} == {"/slot_id", "/patient_ref"}
    problem(door.post("/v1/slots/nonsense/hold", {"patient_ref": "patient-1"}), 404, "not_found")
    assert clinic.sql("SELECT count(*) FROM appointment") == before
    clinic.check_books()


def test_hours_that_cannot_be(door, clinic):
    elsewhere = hours(clinic, provider_id="dr-adams", weekly=[{"weekday": number, "from": "00:00", "to": "23:00"} for number in range(1, 8)])
    before = clinic.sql("SELECT count(*) FROM slot")
    problem(door.post("/v1/schedules", elsewhere), 409, "overlapping_schedule")
    problem(door.post("/v1/schedules", hours(clinic, clinic_id="clinic-999")), 422, "unknown_clinic")
    problem(door.post("/v1/schedules", hours(clinic, to=str(clinic.day(-9)))), 422, "bad_period")
    problem(door.post("/v1/schedules", hours(clinic, slot_minutes=1)), 422, "invalid")
    assert clinic.sql("SELECT count(*) FROM slot") == before


def test_what_cannot_be_changed(door, clinic):
    good(book(door, clinic.slot("0900"), "patient-2"))
    path = book(door, clinic.slot("1000")).headers["Location"]
    problem(door.post(path + "/move", {"slot_id": clinic.slot("0900")}), 409, "taken")
    assert states(door, clinic)["1000"] == "booked", "the old slot is kept"
    problem(door.post(path + "/move", {"slot_id": clinic.slot("0905")}), 404, "unknown_slot")
    problem(door.post(path + "/cancellation", {"reason": "mine", "patient_ref": "patient-2"}), 403, "not_owner")
    problem(door.post(path + "/cancellation", {"reason": "mine", "facility_id": "clinic-002"}), 403, "not_owner")
    problem(door.post(path + "/cancellation"), 422, "invalid")
    problem(door.post(f"/v1/appointments/{uuid.uuid4()}/cancellation", {"reason": "gone"}), 404, "unknown_appointment")
    problem(door.post(f"/v1/appointments/{uuid.uuid4()}/arrival"), 404, "unknown_appointment")
    problem(door.post("/v1/appointments/odd/arrival"), 404, "not_found")
    assert good(door.get(path))["version"] == 1
    clinic.check_books()


def test_a_thousand_books_of_one_slot(door, clinic):
    """Exactly one succeeds; each of the others is told so."""
    slot = clinic.slot("0900")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: book(door, slot, f"patient-{number}"), range(1000)))
    assert sorted({answer.status_code for answer in answers}) == [200, 409]
    assert [answer.status_code for answer in answers].count(200) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"taken"}
    assert clinic.sql("SELECT count(*) FROM appointment") == [(1,)]
    clinic.check_books()


def test_yesterdays_messages_do_nothing_again(world, door, clinic):
    """Also when the inbox has forgotten them."""
    headers = {"Idempotency-Key": "yesterday"}
    booked = good(door.post("/v1/appointments", {"slot_id": clinic.slot("0900"), "patient_ref": "patient-1"}, headers=headers))
    again = door.post("/v1/appointments", {"slot_id": clinic.slot("0900"), "patient_ref": "patient-1"}, headers=headers)
    assert good(again) == booked
    problem(door.post("/v1/appointments", {"slot_id": clinic.slot("0930"), "patient_ref": "patient-1"}, headers=headers), 422, "id_conflict")
    good(door.post(f"/v1/appointments/{booked['appointment_id']}/cancellation", {"reason": "ill"}))
    world.sql("appointment", "DELETE FROM inbox")
    late = door.post("/v1/appointments", {"slot_id": clinic.slot("0900"), "patient_ref": "patient-1"}, headers=headers)
    assert late.status_code == 202 and states(door, clinic)["0900"] == "free"
    assert good(door.get(late.headers["Location"]))["status"] == "cancelled"
    clinic.check_books()


# --- who may what


def test_staff_act_for_their_own_clinic(door, clinic):
    ours, theirs, reader, hospital = (*staff(door, "clinic-001", "clinic-002"), door.token("reader", "clinic-001"),
                                      door.token("hospital", "hospital-001"))
    wait_until(lambda: door.get("/v1/blood-stock?bank_id=bank-001", hospital).status_code != 401, what="the tokens to be known")
    path = book(door, clinic.slot("0900"), token=ours).headers["Location"]
    for lie in ({}, {"role": "admin"}, {"patient_ref": "patient-1"}, {"facility_id": "clinic-001"}, {"by": "patient-1"}):
        described = {"reason": "x", "by": "staff-1"} | lie
        problem(door.post(path + "/cancellation", described, theirs), 403, "not_owner")
        problem(door.post(path + "/move", {"slot_id": clinic.slot("0930")} | lie, theirs), 403, "not_owner")
        problem(door.post(path + "/arrival", lie, theirs), 403, "not_owner")
    problem(door.get(path, theirs), 403, "forbidden")
    problem(door.post("/v1/schedules", hours(clinic, clinic_id="clinic-001", facility_id="clinic-001"), theirs), 403, "not_owner")
    period = {"from": f"{clinic.day()}T00:00:00Z", "to": f"{clinic.day(3)}T00:00:00Z"}
    problem(door.post("/v1/schedules/blocks", {"provider_id": "dr-adams", "reason": "x"} | period, theirs), 403, "not_owner")
    for token in (reader, hospital):
        problem(book(door, clinic.slot("0930"), token=token), 403, "forbidden")
        problem(door.call("DELETE", f"/v1/waitlist/{uuid.uuid4()}", token), 403, "forbidden")
        assert door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day()}", token).status_code == 200
    problem(door.get("/v1/appointments?patient_ref=patient-1", hospital), 403, "forbidden")
    assert good(door.get(path, reader))["status"] == "booked"
    assert good(door.post(path + "/cancellation", {"reason": "asked for it", "patient_ref": "patient-7"}, ours))["status"] == "cancelled"


def test_a_clinic_sees_its_own_of_a_patient(door, clinic):
    ours, theirs = staff(door, "clinic-001", "clinic-002")
    good(door.post("/v1/schedules", hours(clinic), theirs))
    here = good(book(door, clinic.slot("0900"), token=ours))
    there = good(book(door, clinic.slot("0900", "dr-brown", 3, "clinic-002"), token=theirs))
    listed = {token: [item["appointment_id"] for item in good(door.get("/v1/appointments?patient_ref=patient-1", token))["items"]]
              for token in (None, ours, theirs)}
    assert listed == {None: [there["appointment_id"], here["appointment_id"]], ours: [here["appointment_id"]], theirs: [there["appointment_id"]]}
    first = door.get("/v1/appointments?patient_ref=patient-1&limit=1", ours)
    assert [item["appointment_id"] for item in good(first)["items"]] == [here["appointment_id"]] and "next" not in first.json()
    assert there["appointment_id"] not in first.text + str(first.headers), "no place in the list tells of another clinic"
    assert len(good(door.get(f"/v1/appointments?date={clinic.day()}", ours))["items"]) == 1, "the clinic is the token's"
    problem(door.get(f"/v1/appointments?clinic_id=clinic-001&date={clinic.day()}", theirs), 403, "forbidden")


def test_clinics_watch_their_own(door, clinic):
    ours, theirs = (Listener(door, "?types=appointment.*", token) for token in staff(door, "clinic-001", "clinic-002"))
    held = good(door.post(f"/v1/slots/{clinic.slot('0900')}/hold", {"patient_ref": "patient-1"}))
    good(book(door, clinic.slot("0900"), hold_token=held["hold_token"]))
    period = {"from": f"{clinic.day()}T00:00:00Z", "to": f"{clinic.day(3)}T00:00:00Z"}
    good(door.post("/v1/schedules/blocks", {"provider_id": "dr-adams", "reason": "ill"} | period))
    good(door.post("/v1/schedules", hours(clinic)))
    wait_until(lambda: "appointment.schedule.published" in theirs.types(), what="the other clinic to hear")
    wait_until(lambda: "appointment.schedule.blocked" in ours.types(), what="the clinic to hear")
    assert ours.types() == ["appointment.slot.held", "appointment.slot.booked", "appointment.schedule.blocked"]
    assert theirs.types() == ["appointment.schedule.published"]
    assert not [data for _, data, _ in ours.heard if held["hold_token"] in json.dumps(data)], "the token is the asker's alone"


# --- the worker is away


def test_the_callers_own_booking_is_never_404(world, door, clinic):
    worker = world.workers[0]
    worker.signal(signal.SIGSTOP)
    answer = book(door, clinic.slot("0900"))
    assert answer.status_code == 202 and answer.headers["Retry-After"] == "1"
    assert (answer.json()["status"], answer.json()["version"]) == ("pending", 0)
    shown = good(door.get(answer.headers["Location"]))
    assert (shown["status"], shown["slot_id"]) == ("pending", clinic.slot("0900"))
    problem(door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day()}"), 503, "unavailable")
    worker.signal(signal.SIGCONT)
    wait_until(lambda: good(door.get(answer.headers["Location"]))["status"] == "booked", what="the owner's own word")


def test_a_booking_is_waited_for(world, door, clinic):
    worker = world.workers[0]
    worker.signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(book, door, clinic.slot("0900"))
        assert waiting.result().status_code == 202
        slow = pool.submit(door.post, "/v1/appointments", {"slot_id": clinic.slot("0930"), "patient_ref": "patient-1"}, None,
                           headers={"Prefer": "wait=20"})
        with pytest.raises(concurrent.futures.TimeoutError):
            slow.result(timeout=3)
        worker.signal(signal.SIGCONT)
        answer = slow.result()
    assert good(answer)["status"] == "booked" and answer.headers["Preference-Applied"] == "wait=20"
