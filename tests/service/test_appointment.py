"""The appointment worker on real servers: the whole life of slots and appointments."""
import datetime
import zoneinfo

from clinic import ZONES, Clinic, parse, utc


def test_a_slot_is_published_booked_and_cancelled(world):
    clinic = Clinic(world)
    published = clinic.publish()
    assert (published["zone"], published["slots_added"], published["slots_removed"], published["version"]) == (
        "Europe/London", 42, 0, 1)
    assert list(clinic.states()) == ["0900", "0930", "1000", "1030", "1100", "1130"]
    slot = clinic.slot("0930")
    booked = clinic.book(slot, reason="cough", orders=[{"medicine_id": "amox-500", "quantity": 21}])
    start = datetime.datetime.combine(clinic.day(), datetime.time(9, 30), zoneinfo.ZoneInfo(ZONES["clinic-001"]))
    assert booked["starts_at"] == utc(start) and booked["ends_at"] == utc(start + datetime.timedelta(minutes=30))
    assert (booked["status"], booked["clinic_id"], booked["zone"]) == ("booked", "clinic-001", "Europe/London")
    assert booked["orders"] == [{"medicine_id": "amox-500", "quantity": 21}]
    before = clinic.slots()
    assert clinic.states()["0930"] == "booked" and before["source"] == "database"
    assert clinic.refused("slot.book", {"slot_id": slot, "patient_ref": "patient-2"}) == "taken"
    cancelled = clinic.cancel(booked)
    assert (cancelled["status"], cancelled["reason"], cancelled["version"]) == ("cancelled", "feels better", 2)
    after = clinic.slots()
    assert clinic.states()["0930"] == "free" and after["version"] > before["version"]
    again = clinic.book(slot)
    assert again["appointment_id"] != booked["appointment_id"]
    clinic.check_books()
