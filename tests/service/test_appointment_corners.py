"""Corners of the appointment worker: what meets in one batch or in two workers, what comes back, who is told what."""
import signal

from clinic import Clinic
from servers import wait_until


def join(clinic, patient, **more):
    return clinic.do("waitlist.join", "waitlist.joined", {"provider_id": "dr-adams", "patient_ref": patient} | more)["waitlist_id"]


def cancellation(appointment_id, patient="patient-1"):
    return {"appointment_id": appointment_id, "by": patient, "reason": "feels better"}


def in_one_batch(clinic, commands):
    """Send (verb, body, event that answers it, properties) while the worker stands still; return the answers' bodies."""
    worker = clinic.world.workers[0]
    worker.signal(signal.SIGSTOP)
    wait_until(worker.is_stopped, what="the worker to stand still")
    causes = [clinic.send(verb, body, **properties) for verb, body, _, properties in commands]
    worker.signal(signal.SIGCONT)
    answers = [clinic.answer(cause, event, f"{verb.split('.')[0]}.refused")
               for cause, (verb, _, event, _) in zip(causes, commands)]
    assert [answer.type for answer in answers] == [f"appointment.{event}" for _, _, event, _ in commands], [
        answer.body for answer in answers]
    return [answer.body for answer in answers]


def test_everybody_who_waits_is_asked(world):
    """Those who are asked about other slots just now stand in nobody's way."""
    clinic = Clinic(world)
    clinic.publish()
    booked = [clinic.book(clinic.slot(clock), f"patient-{clock}") for clock in ("0900", "0930", "1000", "1030")]
    waiting = [join(clinic, f"patient-{number}") for number in range(4)]
    for appointment, waitlist_id in zip(booked, waiting):
        clinic.cancel(appointment)
        offered = clinic.tap.one("appointment.slot.offered").body
        assert (offered["waitlist_id"], offered["slot_id"]) == (waitlist_id, appointment["slot_id"])
    clinic.check_books()


def test_a_slot_that_comes_back_has_ids_of_its_own(world):
    """Its hours were withdrawn and published again: what is told of it now is not what was told of it then."""
    clinic = Clinic(world)
    slot = clinic.slot("0900")
    for _ in range(2):
        clinic.publish()
        token, _ = clinic.hold(slot)
        clinic.do("slot.release", "slot.released", {"slot_id": slot, "hold_token": token})
        clinic.publish(exceptions=[str(clinic.day())])
        assert clinic.states() == {}
    for event in ("appointment.slot.held", "appointment.slot.released"):
        told = clinic.tap.expect(event, count=2)
        assert len({message.id for message in told}) == 2, f"{event}: {[message.body for message in told]}"
        assert told[0].body["version"] < told[1].body["version"]
    clinic.check_books()


def test_an_absence_tells_no_clinic_of_anothers_patients(world):
    clinic = Clinic(world)
    for number, ahead in ((1, 2), (2, 3)):
        clinic.publish(clinic=f"clinic-00{number}", first=ahead, last=ahead)
    booked = {"clinic-001": clinic.book(clinic.slot("0900")),
              "clinic-002": clinic.book(clinic.slot("0900", ahead=3, clinic="clinic-002"), "patient-2")}
    clinic.book(clinic.slot("0930"), "patient-3")
    body = {"provider_id": "dr-adams", "from": f"{clinic.day(1)}T00:00:00Z", "to": f"{clinic.day(6)}T00:00:00Z", "reason": "ill"}
    for sender in ("clinic-001", "clinic-002", None):
        clinic.send("schedule.block", body | ({"facility_id": sender} if sender else {}))
        parts = [message.body for message in clinic.tap.expect("appointment.schedule.blocked", count=2)]
        told = [{item["clinic_id"] for item in part["flagged"]} for part in parts]
        assert all(len(clinics) == 1 for clinics in told), "one clinic's patients in each part"
        assert [part["part"] for part in parts] == [1, 2] and set.union(*told) == set(booked)
        assert sender is None or told[0] == {sender}, "the first part is the caller's"


def test_an_appointment_is_moved_or_cancelled_in_the_batch_that_books_it(world):
    clinic = Clinic(world)
    clinic.publish()
    waitlist_id = join(clinic, "patient-9")
    first, second = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
    moved = in_one_batch(clinic, [
        ("slot.book", {"slot_id": clinic.slot("0900"), "patient_ref": "patient-1"}, "slot.booked", {"message_id": first}),
        ("slot.move", {"appointment_id": first, "slot_id": clinic.slot("1000"), "by": "patient-1"}, "slot.moved", {}),
        ("slot.book", {"slot_id": clinic.slot("1030"), "patient_ref": "patient-2"}, "slot.booked", {"message_id": second}),
        ("slot.cancel", cancellation(second, "patient-2"), "slot.cancelled", {}),
    ])[1]
    assert (moved["from_slot_id"], moved["slot_id"]) == (clinic.slot("0900"), clinic.slot("1000"))
    assert clinic.tap.one("appointment.slot.offered").body["waitlist_id"] == waitlist_id
    clinic.check_books()


def test_an_id_of_the_waitlist_is_none_of_an_appointment(world):
    """Also where the same batch looks for both."""
    clinic = Clinic(world)
    clinic.publish()
    waitlist_id = join(clinic, "patient-1")
    refused = in_one_batch(clinic, [
        ("waitlist.leave", {"waitlist_id": waitlist_id}, "waitlist.left", {}),
        ("slot.cancel", cancellation(waitlist_id), "slot.refused", {}),
        ("slot.move", {"appointment_id": waitlist_id, "slot_id": clinic.slot("0900")}, "slot.refused", {}),
    ])[1:]
    assert {answer["reason"] for answer in refused} == {"unknown_appointment"}
    assert world.workers[0].process.poll() is None, world.workers[0].log_tail()
    clinic.check_books()


def test_an_appointment_that_another_worker_books_meanwhile(world):
    """It is not there at the first look and there behind the locks: then its slot has to be locked and read as well."""
    clinic = Clinic(world)
    worker = world.workers[0]
    clinic.publish()
    clinic.publish("dr-brown")
    booked = clinic.book(clinic.slot("0900"))
    hidden = "33333333-3333-4333-8333-333333333333"
    clinic.sql("UPDATE appointment SET appointment_id = %s", (hidden,))
    other = world.servers.connect(world.database("appointment"))
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('provider dr-brown', 0))")
        worker.signal(signal.SIGSTOP)
        wait_until(worker.is_stopped, what="the worker to stand still")
        causes = [clinic.send("slot.cancel", cancellation(booked["appointment_id"])),
                  clinic.send("slot.book", {"slot_id": clinic.slot("0930", "dr-brown"), "patient_ref": "patient-2"})]
        worker.signal(signal.SIGCONT)
        wait_until(lambda: clinic.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"), what="the worker to wait")
        clinic.sql("UPDATE appointment SET appointment_id = %s", (booked["appointment_id"],))
        cursor.execute("SELECT pg_advisory_unlock_all()")
    other.close()
    assert clinic.answer(causes[0], "slot.cancelled").body["appointment_id"] == booked["appointment_id"]
    clinic.answer(causes[1], "slot.booked")
    assert worker.process.poll() is None, worker.log_tail()
    clinic.check_books()
