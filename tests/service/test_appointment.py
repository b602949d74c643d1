"""The appointment worker on real servers: the whole life of slots and appointments."""
import datetime
import uuid
import zoneinfo

from clinic import ZONES, Clinic, parse, utc
from servers import wait_until


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


def test_a_hold_is_proven_by_its_token(world):
    clinic = Clinic(world)
    clinic.publish()
    slot = clinic.slot("1000")
    token, held = clinic.hold(slot, hold_seconds=60)
    assert "hold_token" not in held and clinic.states()["1000"] == "held"
    left = parse(held["held_until"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(seconds=50) < left <= datetime.timedelta(seconds=60)
    assert clinic.refused("slot.book", {"slot_id": slot, "patient_ref": "patient-1"}) == "held"
    assert clinic.refused("slot.hold", {"slot_id": slot, "patient_ref": "patient-2"}) == "held"
    wrong = {"slot_id": slot, "hold_token": "0" * 32}
    assert clinic.refused("slot.release", wrong) == "not_owner"
    assert clinic.refused("slot.book", wrong | {"patient_ref": "patient-1"}) == "not_owner"
    assert clinic.refused("slot.book", {"slot_id": slot, "patient_ref": "patient-2", "hold_token": token}) == "not_owner"
    booked = clinic.book(slot, hold_token=token)
    assert booked["patient_ref"] == "patient-1"
    assert clinic.refused("slot.release", {"slot_id": slot, "hold_token": token}) == "hold_expired"
    other = clinic.slot("1030")
    token, _ = clinic.hold(other, "patient-2")
    released = clinic.do("slot.release", "slot.released", {"slot_id": other, "hold_token": token})
    assert released["reason"] == "released" and clinic.states()["1030"] == "free"
    assert clinic.refused("slot.book", {"slot_id": other, "patient_ref": "patient-2", "hold_token": token}) == "hold_expired"
    tokens = [message for message in clinic.tap.messages if b"hold_token" in message.raw]
    assert {message.type for message in tokens} <= {"appointment.slot.book", "appointment.slot.release", "appointment.hold.answered"}
    clinic.check_books()


def test_a_token_is_for_the_asker_alone(world):
    """No one who watches the feed hears it, in the answer or in what follows."""
    clinic = Clinic(world)
    clinic.publish()
    connection = world.connect("operator")
    channel = connection.channel()
    queue = channel.queue_declare("operator.watching", exclusive=True).method.queue
    channel.queue_bind(queue, "feed", "#")
    token, _ = clinic.hold(clinic.slot("0900"))
    clinic.book(clinic.slot("0900"), hold_token=token)
    heard = []

    def all_heard():
        method, properties, raw = channel.basic_get(queue, auto_ack=True)
        if method:
            heard.append((properties.type, raw))
        return "appointment.slot.booked" in [kind for kind, _ in heard]
    wait_until(all_heard, what="the feed to tell of the booking")
    assert "appointment.slot.held" in [kind for kind, _ in heard]
    assert not [kind for kind, raw in heard if token.encode() in raw]


def expire(clinic, slot):
    """The hold's time is over: what happens next is the timer's."""
    clinic.sql("UPDATE slot SET held_until = now() - interval '1 second' WHERE slot_id = %s AND held_until IS NOT NULL", (slot,))


def test_a_hold_ends_by_time(world):
    clinic = Clinic(world)
    clinic.publish()
    slot = clinic.slot("0900")
    token, _ = clinic.hold(slot, correlation_id="the workflow")
    expire(clinic, slot)
    released = clinic.tap.one("appointment.slot.released")
    assert released.body["slot_id"] == slot and released.body["reason"] == "expired"
    assert clinic.refused("slot.book", {"slot_id": slot, "patient_ref": "patient-1", "hold_token": token}) == "hold_expired"
    clinic.book(slot, "patient-2")
    clinic.check_books()


def test_a_move_is_atomic(world):
    clinic = Clinic(world)
    clinic.publish()
    first, second, third = (clinic.slot(clock) for clock in ("0900", "0930", "1000"))
    mine, other = clinic.book(first), clinic.book(second, "patient-2")
    command = {"appointment_id": mine["appointment_id"], "slot_id": second, "by": "patient-1"}
    assert clinic.refused("slot.move", command) == "taken"
    assert clinic.refused("slot.move", command | {"slot_id": first}) == "taken"
    assert clinic.refused("slot.move", command | {"slot_id": clinic.slot("2300")}) == "unknown_slot"
    assert clinic.refused("slot.move", command | {"slot_id": third, "by": "patient-2"}) == "not_owner"
    assert clinic.states() | {"0900": "booked", "0930": "booked", "1000": "free"} == clinic.states()
    moved = clinic.do("slot.move", "slot.moved", command | {"slot_id": third})
    assert (moved["slot_id"], moved["from_slot_id"], moved["version"], moved["status"]) == (third, first, 2, "booked")
    assert clinic.states() | {"0900": "free", "0930": "booked", "1000": "booked"} == clinic.states()
    # One may take the place that another leaves, in one batch or in two.
    causes = [clinic.send("slot.move", {"appointment_id": appointment["appointment_id"], "slot_id": slot, "role": "admin"})
              for appointment, slot in ((other, first), (mine, second), (other, third))]
    assert [clinic.answer(cause, "slot.moved", "slot.refused").type for cause in causes] == ["appointment.slot.moved"] * 3
    assert clinic.states() | {"0900": "free", "0930": "booked", "1000": "booked"} == clinic.states()
    clinic.check_books()


def test_who_may_cancel_and_until_when(world):
    clinic = Clinic(world)
    clinic.publish()
    mine = clinic.book(clinic.slot("0900"))
    command = {"appointment_id": mine["appointment_id"], "by": "someone", "reason": "because"}
    for caller in ({}, {"patient_ref": "patient-2"}, {"facility_id": "clinic-002"}, {"role": "reader"}, {"by": "patient-2"},
                   {"role": "admin", "patient_ref": "patient-2"}):
        assert clinic.refused("slot.cancel", command | caller) == "not_owner", caller
    for number, caller in enumerate(({"patient_ref": "patient-1"}, {"facility_id": "clinic-001"}, {"role": "admin"}, {"by": "patient-1"})):
        appointment = mine if number == 0 else clinic.book(clinic.slot("0900"))
        clinic.do("slot.cancel", "slot.cancelled", command | {"appointment_id": appointment["appointment_id"]} | caller)
    again = clinic.do("slot.cancel", "slot.cancelled", command | {"by": "patient-1", "reason": "once more"})
    assert (again["reason"], again["version"]) == ("because", 2), "whoever cancels again hears the same event"
    assert clinic.refused("slot.cancel", command | {"appointment_id": str(uuid.uuid4())}) == "unknown_appointment"
    strict = clinic.publish("dr-baker", cutoff_minutes=43200)
    assert strict["slots_added"] == 42
    late = clinic.book(clinic.slot("0900", "dr-baker"))
    assert clinic.refused("slot.cancel", command | {"appointment_id": late["appointment_id"], "by": "patient-1"}) == "too_late"
    assert clinic.refused("slot.move", {"appointment_id": late["appointment_id"], "slot_id": clinic.slot("1000", "dr-baker"),
                                        "by": "patient-1"}) == "too_late"
    clinic.check_books()


def test_a_visit_from_arrival_to_completion(world):
    clinic = Clinic(world)
    clinic.publish()
    booked = clinic.book(clinic.slot("0900"))
    about = {"appointment_id": booked["appointment_id"]}
    assert clinic.refused("visit.complete", about) == "wrong_state"
    assert clinic.refused("visit.arrive", about | {"facility_id": "clinic-002"}) == "not_owner"
    arrived = clinic.do("visit.arrive", "visit.arrived", about | {"facility_id": "clinic-001"})
    assert (arrived["status"], arrived["version"]) == ("arrived", 2) and arrived["arrived_at"]
    assert clinic.refused("visit.arrive", about) == "wrong_state"
    assert clinic.refused("slot.cancel", about | {"by": "patient-1", "reason": "x"}) == "wrong_state"
    completed = clinic.do("visit.complete", "visit.completed", about | {"by": "dr-adams"})
    assert (completed["status"], completed["ended_by"], completed["version"]) == ("completed", "dr-adams", 3)
    answer = world.ask("appointment.query.appointment", about).body
    assert answer["found"] and answer["appointment"]["status"] == "completed"
    assert not world.ask("appointment.query.appointment", {"appointment_id": str(uuid.uuid4())}).body["found"]
    clinic.check_books()


def test_who_does_not_come_is_missed(world):
    clinic = Clinic(world)
    clinic.publish()
    missed, came = clinic.book(clinic.slot("0900")), clinic.book(clinic.slot("0930"))
    clinic.do("visit.arrive", "visit.arrived", {"appointment_id": came["appointment_id"]})
    clinic.sql("UPDATE appointment SET starts_at = starts_at - interval '3 days', ends_at = ends_at - interval '3 days'")
    no_show = clinic.tap.one("appointment.visit.no_show", timeout=20)
    assert no_show.body["appointment_id"] == missed["appointment_id"] and no_show.body["status"] == "no_show"
    assert no_show.properties.correlation_id == clinic.sql(
        "SELECT correlation_id FROM appointment WHERE appointment_id = %s", (missed["appointment_id"],))[0][0]
    clinic.tap.quiet("appointment.visit.no_show")


def test_a_patient_and_a_room_are_in_one_place(world):
    clinic = Clinic(world)
    clinic.publish(room_id="room-1")
    clinic.publish("dr-baker", room_id="room-1", hours=(("09:15", "12:00"),))
    clinic.publish("dr-castro", "clinic-002", hours=(("00:00", "24:00"),), minutes=20)
    mine = clinic.book(clinic.slot("0900"))
    assert clinic.refused("slot.book", {"slot_id": clinic.slot("0915", "dr-baker"), "patient_ref": "patient-1"}) == "patient_overlap"
    assert clinic.refused("slot.book", {"slot_id": clinic.slot("0915", "dr-baker"), "patient_ref": "patient-2"}) == "taken"
    start = parse(mine["starts_at"]).astimezone(zoneinfo.ZoneInfo(ZONES["clinic-002"]))
    at_the_same_time = f"dr-castro.{start:%Y%m%d}.{start:%H%M}"
    assert clinic.refused("slot.book", {"slot_id": at_the_same_time, "patient_ref": "patient-1"}) == "patient_overlap"
    clinic.book(at_the_same_time, "patient-3")
    clinic.book(clinic.slot("0930"))  # half open: the next begins when the first ends
    clinic.check_books()


def test_the_waitlist_is_asked_in_order(world):
    clinic = Clinic(world)
    clinic.publish()
    slot, day = clinic.slot("0900"), str(clinic.day())
    booked = clinic.book(slot)

    def join(patient, **more):
        return clinic.do("waitlist.join", "waitlist.joined", {"provider_id": "dr-adams", "patient_ref": patient} | more)["waitlist_id"]

    def offered(patient):
        body = clinic.tap.one("appointment.slot.offered", timeout=15).body
        assert (body["patient_ref"], body["slot_id"]) == (patient, slot)
        return body
    too_late, late = join("patient-9", to=str(clinic.day(1))), join("patient-8", **{"from": str(clinic.day(3))})
    second, third = join("patient-2"), join("patient-3", **{"from": day, "to": day})
    first = join("patient-4", priority=5, **{"from": utc(parse(booked["starts_at"])), "to": booked["starts_at"]})
    clinic.cancel(booked)
    offer = offered("patient-4")
    assert offer["waitlist_id"] == first and clinic.states()["0900"] == "held"
    assert clinic.refused("slot.book", {"slot_id": slot, "patient_ref": "patient-2"}) == "held"
    assert clinic.refused("slot.decline", {"waitlist_id": first, "patient_ref": "patient-2"}) == "not_owner"
    assert clinic.refused("slot.decline", {"waitlist_id": second}) == "wrong_state"
    assert clinic.do("slot.decline", "slot.declined", {"waitlist_id": first})["slot_id"] == slot
    assert offered("patient-2")["waitlist_id"] == second
    expire(clinic, slot)
    assert clinic.tap.one("appointment.slot.offer_expired").body["waitlist_id"] == second
    assert offered("patient-3")["waitlist_id"] == third
    clinic.check_books()
    clinic.do("waitlist.leave", "waitlist.left", {"waitlist_id": second})
    again = clinic.book(slot, "patient-3")
    left = clinic.tap.one("appointment.waitlist.left", where=lambda message: message.body["waitlist_id"] == third)
    assert left.body["reason"] == "booked"
    clinic.cancel(again)
    clinic.tap.quiet("appointment.slot.offered")
    assert clinic.states()["0900"] == "free", "who declined it once is not asked again"
    assert clinic.refused("waitlist.leave", {"waitlist_id": third}) == "wrong_state"
    assert clinic.sql("SELECT waitlist_id::text FROM waitlist WHERE status = 'waiting' ORDER BY joined_at") == [
        (too_late,), (late,), (first,)]
    clinic.check_books()


def test_an_absence_flags_and_deletes_nothing(world):
    clinic = Clinic(world)
    clinic.publish()
    booked, kept = clinic.book(clinic.slot("0930")), clinic.book(clinic.slot("1100"))
    body = {"provider_id": "dr-adams", "from": booked["starts_at"], "to": kept["starts_at"], "reason": "ill"}
    blocked = clinic.do("schedule.block", "schedule.blocked", body)
    assert [appointment["appointment_id"] for appointment in blocked["flagged"]] == [booked["appointment_id"]]
    assert (blocked["slots_blocked"], blocked["part"], blocked["parts"]) == (3, 1, 1)
    assert clinic.states() == {"0900": "free", "0930": "booked", "1000": "blocked", "1030": "blocked", "1100": "booked",
                               "1130": "free"}
    assert clinic.refused("slot.book", {"slot_id": clinic.slot("1000"), "patient_ref": "patient-2"}) == "blocked"
    answer = world.ask("appointment.query.appointment", {"appointment_id": booked["appointment_id"]}).body
    assert answer["appointment"]["is_flagged"] and answer["appointment"]["status"] == "booked"
    clinic.cancel(booked)
    assert clinic.states()["0930"] == "blocked"
    published = clinic.publish()
    assert published["slots_added"] == published["slots_removed"] == 0 and published["slots_kept"] == 42
    longer = clinic.publish(minutes=60)
    assert clinic.states() == {"0900": "blocked", "1000": "blocked", "1100": "booked"} and longer["slots_kept"] == 1
    assert clinic.refused("schedule.block", body | {"provider_id": "dr-nobody"}) == "unknown_provider"
    assert clinic.refused("schedule.block", body | {"from": body["to"], "to": body["from"]}) == "bad_period"
    assert clinic.refused("schedule.block", body | {"facility_id": "clinic-002"}) == "not_owner"
    clinic.check_books()


def test_publishing_again_keeps_what_is_booked(world):
    clinic = Clinic(world)
    clinic.publish()
    booked = clinic.book(clinic.slot("0930"))
    token, _ = clinic.hold(clinic.slot("1030"), "patient-2")
    again = clinic.publish(minutes=20, hours=(("09:00", "11:00"),), exceptions=[str(clinic.day(3))])
    assert again["version"] == 2 and again["slots_kept"] == 2
    assert clinic.states() == {"0900": "free", "0930": "booked", "1000": "free", "1030": "held"}
    assert clinic.states(3) == {}
    clinic.book(clinic.slot("1030"), "patient-2", hold_token=token)
    clinic.cancel(booked)
    assert clinic.states()["0930"] == "free"
    clinic.publish()
    assert list(clinic.states()) == ["0900", "0930", "1000", "1030", "1100", "1130"]
    clinic.check_books()


def test_notice_and_horizon(world):
    clinic = Clinic(world)
    clinic.publish(notice_minutes=3 * 24 * 60, horizon_days=5, first=1, last=10)
    book = {"patient_ref": "patient-1"}
    assert clinic.refused("slot.book", book | {"slot_id": clinic.slot("0900", ahead=2)}) == "too_late"
    assert clinic.refused("slot.book", book | {"slot_id": clinic.slot("0900", ahead=8)}) == "beyond_horizon"
    clinic.book(clinic.slot("0900", ahead=4))
    assert clinic.slots(9)["reason"] == "beyond_horizon" and not clinic.slots(9)["found"]
    assert clinic.slots(-3)["reason"] == "too_late"
    unknown = clinic.slots(4, "dr-nobody")
    assert (unknown["found"], unknown["reason"], unknown["slots"]) == (False, "unknown_provider", [])


def test_lists_of_appointments(world):
    clinic = Clinic(world)
    clinic.publish()
    made = [clinic.book(clinic.slot(clock, ahead=ahead), "patient-7") for ahead in (2, 3) for clock in ("0900", "0930", "1000")]
    clinic.book(clinic.slot("1030"), "patient-8")
    wanted = [appointment["appointment_id"] for appointment in reversed(made)]
    found, question = [], {"patient_ref": "patient-7", "limit": 4}
    while True:
        page = world.ask("appointment.query.appointments", question).body
        found += [item["appointment_id"] for item in page["items"]]
        if "next" not in page:
            break
        question["cursor"] = page["next"]
    assert found == wanted
    of_day = world.ask("appointment.query.appointments", {"clinic_id": "clinic-001", "date": str(clinic.day(2))}).body["items"]
    assert [item["starts_at"] for item in of_day] == sorted((item["starts_at"] for item in of_day), reverse=True) and len(of_day) == 4
    assert world.ask("appointment.query.appointments", {"clinic_id": "clinic-002", "date": str(clinic.day(2))}).body["items"] == []
