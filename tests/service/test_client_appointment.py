"""`carebus slots`, `book`, `cancel` and `schedule`: appointments on the command line, through the bridge."""
import datetime
import json
import signal
import uuid

import pytest

from clinic import Clinic
from door import Door
from servers import wait_until
from test_client import FAULT, NO, NO_ANSWER
from test_client_people import Staff


@pytest.fixture
def clinic(world):
    return Clinic(world)


@pytest.fixture
def door(world, clinic):
    """The door of a clinic; requests for blood have their worker too."""
    world.start_worker("hospital")
    clinic.publish()
    return Door(world)


@pytest.fixture
def staff(door):
    return Staff(door)


def refused(staff, *words):
    """What is said on standard error when the answer is no."""
    process = staff.start(*words)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == NO, f"{words} ended with {process.returncode}: {errors}"
    return errors


def test_a_day_is_shown(staff, clinic):
    day = str(clinic.day())
    text = staff.run("slots", "dr-adams", "--date", day)
    assert text.splitlines()[0].split() == ["SLOT", "STARTS", "ENDS", "CLINIC", "STATE"]
    assert clinic.slot("0900") in text and text.splitlines()[-1].startswith("6, as of ") and "\033" not in text
    (shown,) = staff.json("slots", "dr-adams", "--date", day)["days"]
    assert (shown["date"], len(shown["slots"])) == (day, 6) and shown["source"] in ("lru", "redis", "database")
    clinic.book(clinic.slot("0900"))
    days = staff.json("slots", "dr-adams", "--date", day, "--days", "2", "--free")["days"]
    assert [len(one["slots"]) for one in days] == [5, 6] and days[1]["date"] == str(clinic.day(3))
    today = datetime.datetime.now(datetime.timezone.utc).date()
    assert staff.json("slots", "dr-adams", "--date", "+2d")["days"][0]["date"] in (str(today + datetime.timedelta(days=2)), day)


def test_days_that_cannot_be_shown(staff, clinic):
    assert "unknown_provider" in refused(staff, "slots", "dr-nobody")
    assert "beyond_horizon" in refused(staff, "slots", "dr-adams", "--date", str(clinic.day(400)))
    assert "too_late" in refused(staff, "slots", "dr-adams", "--date", "-9d")
    assert "--date" in staff.run("slots", "dr-adams", "--date", "tomorrow", ends=FAULT)
    assert "--date" in staff.run("slots", "dr-adams", "--date", "2026-02-30", ends=FAULT)
    assert "PROVIDER_ID" in staff.run("slots", ends=FAULT)


def test_a_slot_is_booked_and_cancelled(staff, clinic):
    slot = clinic.slot("0900")
    booked = staff.json("book", slot, "--patient", "patient-1", "--reason", "cough", "--by", "staff-1")
    assert (booked["status"], booked["slot_id"], booked["reason"]) == ("booked", slot, "cough")
    assert "taken" in refused(staff, "book", slot, "--patient", "patient-2")
    text = staff.run("cancel", booked["appointment_id"], "--reason", "feels better", "--by", "staff-1")
    assert text == f"cancelled: appointment {booked['appointment_id']}\n"
    again = staff.json("cancel", booked["appointment_id"], "--reason", "feels better", "--by", "staff-1", "--kind", "appointment")
    assert (again["status"], again["ended_by"]) == ("cancelled", "staff-1")
    text = staff.run("book", slot, "--patient", "patient-1")
    assert text.startswith("booked: appointment ") and booked["appointment_id"] not in text
    clinic.check_books()


def test_asking_again_with_the_key_is_the_same_booking(staff, clinic):
    words = ("book", clinic.slot("0900"), "--patient", "patient-1", "--key", "desk 3, 17")
    assert staff.json(*words) == staff.json(*words)
    assert "id_conflict" in refused(staff, "book", clinic.slot("0930"), "--patient", "patient-1", "--key", "desk 3, 17")


def test_a_held_slot_wants_its_token(staff, clinic, door):
    slot = clinic.slot("1000")
    token = door.post(f"/v1/slots/{slot}/hold", {"patient_ref": "patient-1"}).json()["hold_token"]
    assert "held" in refused(staff, "book", slot, "--patient", "patient-1")
    text = staff.run("book", slot, "--patient", "patient-1", "--hold-token", token, "--watch")
    assert token not in text


def test_a_booking_is_shown_as_its_events(staff, clinic):
    lines = staff.run("book", clinic.slot("0900"), "--patient", "patient-1", "--watch").splitlines()
    assert [line.split()[3] for line in lines[:2]] == ["appointment.slot.book", "appointment.slot.booked"]
    assert all(line.split()[1] == "ms" for line in lines[:2]) and lines[2].startswith("booked after ") and lines[2].endswith(" ms")
    told = staff.json("book", clinic.slot("0900"), "--patient", "patient-2", "--watch", ends=NO)
    assert (told["status"], told["slot_id"]) == ("refused", clinic.slot("0900"))
    assert [event["event"] for event in told["events"]] == ["appointment.slot.book", "appointment.slot.refused"]
    assert told["events"][1]["body"]["reason"] == "taken"


def test_hours_are_published_and_blocked(staff, clinic):
    words = ("schedule", "publish", "--provider", "dr-brown", "--clinic", "clinic-001", "--hours", "1-5=14:00-16:00", "--hours", "6,7=14:00-15:00",
             "--slot-minutes", "60", "--from", "+1d", "--to", "+14d", "--room", "room-2", "--except", str(clinic.day(3)))
    published = staff.json(*words)
    kept = [clinic.day(ahead) for ahead in range(1, 15) if ahead != 3]
    assert published["slots_added"] == sum(1 if day.isoweekday() > 5 else 2 for day in kept)
    assert staff.run(*words) == f"published: 0 slots added, {published['slots_added']} kept, 0 removed\n"
    clinic.book(clinic.slot("1400", "dr-brown"))
    text = staff.run("schedule", "block", "--provider", "dr-brown", "--from", f"{clinic.day()}T00:00:00Z", "--to",
                     f"{clinic.day(3)}T00:00:00Z", "--reason", "ill", "--by", "staff-1")
    assert text.startswith("blocked: ") and text.endswith("1 appointments flagged\n")
    assert "overlapping_schedule" in refused(staff, *words[:5], "clinic-002", "--hours", "1-7=00:00-23:00", *words[10:])
    assert "unknown_provider" in refused(staff, "schedule", "block", "--provider", "dr-nobody", "--from", "+1h", "--to", "+2h", "--reason", "x")


@pytest.mark.parametrize("words, said", [
    (("schedule", "publish", "--provider", "x", "--from", "+1d", "--to", "+2d"), "--clinic"),
    (("schedule", "publish", "--provider", "x", "--from", "+1d", "--to", "+2d", "--clinic", "c", "--hours", "8=09:00-10:00"), "--hours"),
    (("schedule", "publish", "--provider", "x", "--from", "+1d", "--to", "+2d", "--clinic", "c", "--hours", "5-1=09:00-10:00"), "--hours"),
    (("schedule", "publish", "--provider", "x", "--from", "+1d", "--to", "+2d", "--clinic", "c", "--hours", "1=09:00"), "--hours"),
    (("schedule", "publish", "--provider", "x", "--from", "soon", "--to", "+2d", "--clinic", "c", "--hours", "1=09:00-10:00"), "--from"),
    (("schedule", "publish", "--provider", "x", "--from", "+1d", "--to", "+2d", "--clinic", "c", "--hours", "1=09:00-10:00",
      "--horizon-days", "many"), "--horizon-days"),
    (("schedule", "block", "--provider", "x", "--from", "+1h", "--to", "+2h"), "--reason"),
    (("schedule", "block", "--provider", "x", "--from", "+1h", "--to", "later", "--reason", "x"), "--to"),
    (("schedule", "unblock", "--provider", "x", "--from", "+1h", "--to", "+2h"), "schedule block"),
    (("book", "dr-adams.20300304.0900"), "--patient"), (("book", "--patient", "p"), "SLOT_ID"), (("cancel", "7", "--reason", "x"), "uuid"),
])
def test_what_is_typed_wrongly(words, said):
    class Nowhere(Staff):
        def __init__(self):  # pylint: disable=super-init-not-called
            self.environment = {"PATH": "/usr/bin", "CAREBUS_HTTP": "http://127.0.0.1:9", "CAREBUS_TOKEN": "cb_" + "x" * 43}
    assert said in Nowhere().run(*words, ends=FAULT)


def test_a_booking_that_nobody_answers(world, staff, clinic):
    worker = world.workers[0]
    worker.signal(signal.SIGSTOP)
    process = staff.start("book", clinic.slot("0900"), "--patient", "patient-1", "--wait", "1", "-o", "json")
    output, errors = process.communicate(timeout=60)
    assert process.returncode == NO_ANSWER, errors
    assert json.loads(output)["status"] == "pending"
    assert "202" in staff.run("book", clinic.slot("0930"), "--patient", "patient-2", "--wait", "0")
    worker.signal(signal.SIGCONT)
    wait_until(lambda: set(clinic.states().values()) == {"booked", "free"} and list(clinic.states().values()).count("booked") == 2,
               what="both to be booked")


def test_an_id_is_of_a_request_or_of_an_appointment(staff, door, clinic):
    request_id = staff.json("request", "--group", "O-")["request_id"]
    assert staff.run("cancel", request_id, "--reason", "not needed") == f"cancelled: request {request_id}\n"
    unknown = str(uuid.uuid4())
    assert "unknown_appointment" in refused(staff, "cancel", unknown, "--reason", "x")
    assert "not_found" in refused(staff, "cancel", unknown, "--reason", "x", "--kind", "request")
    clerk, other, reader = (door.token(role, facility) for role, facility in (("clinic", "clinic-001"), ("clinic", "clinic-002"), ("reader", "*")))
    wait_until(lambda: door.get("/v1/blood-stock?bank_id=bank-001", reader).status_code != 401, what="the tokens to be known")
    booked = clinic.book(clinic.slot("0900"))["appointment_id"]
    assert "not_owner" in refused(Staff(door, other), "cancel", booked, "--reason", "x")
    assert "forbidden" in refused(Staff(door, reader), "cancel", booked, "--reason", "x")
    assert f"appointment {booked}" in Staff(door, clerk).run("cancel", booked, "--reason", "asked for it")
