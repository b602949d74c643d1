"""Many at once, and everything that is wrong to ask: nobody gets what another has, and nothing changes that should not."""
import collections
import datetime
import json
import sys
import threading
import uuid

import pika
import pytest

from clinic import Clinic, parse
from servers import PROJECT, wait_until

sys.path.insert(0, str(PROJECT / "compose"))
sys.dont_write_bytecode = True
import demo_schedules  # noqa: E402

TABLES = ("slot", "day", "appointment", "schedule", "block", "waitlist", "offer")
CLIENTS, SLOTS = 50, 100
YEARS = 120


class Clients:
    """So many publishers, each on a connection and a thread of its own, that start together."""

    def __init__(self, world, plans):
        self.world = world
        self.barrier = threading.Barrier(len(plans))
        self.faults = []
        self.threads = [threading.Thread(target=self._run, args=(plan,)) for plan in plans]
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(60)
        assert not self.faults and not any(thread.is_alive() for thread in self.threads), self.faults

    def _run(self, plan):
        try:
            secret = self.world.servers.secret("amqp-upstream")
            connection = pika.BlockingConnection(pika.ConnectionParameters(
                "127.0.0.1", self.world.servers.port["AMQP_PORT"], self.world.vhost, pika.PlainCredentials("upstream", secret)))
            channel = connection.channel()
            channel.confirm_delivery()
            self.barrier.wait(30)
            for identity, body in plan:
                channel.basic_publish("appointment", "appointment.slot.book", json.dumps(body).encode(), pika.BasicProperties(
                    message_id=identity, type="appointment.slot.book", content_type="application/json", delivery_mode=2), True)
            connection.close()
        except Exception as fault:  # noqa: BLE001 - told in the test's own thread
            self.faults.append(fault)
            self.barrier.abort()


def answers(clinic, wanted):
    """{id of a booking: the event that answered it}; each is answered once."""
    found = {}

    def all_heard():
        clinic.tap.connection.process_data_events(time_limit=0.05)
        for message in clinic.tap.messages:
            if message.type in ("appointment.slot.booked", "appointment.slot.refused"):
                cause = message.headers["causation_id"]
                assert found.setdefault(cause, message).id == message.id, "answered twice"
        return wanted <= set(found)
    wait_until(all_heard, 60, "every booking to be answered")
    return found


@pytest.mark.parametrize("workers", [1, 3])
def test_fifty_clients_fight_for_a_hundred_slots(world, workers):
    clinic = Clinic(world)
    for _ in range(workers - 1):
        world.start_worker("appointment")
    clinic.publish(hours=(("08:00", "20:00"),), minutes=5, first=2, last=2)
    clinic.publish("dr-baker", hours=(("08:00", "20:00"),), minutes=5, first=2, last=2)
    slots = [slot["slot_id"] for provider in ("dr-adams", "dr-baker") for slot in clinic.slots(provider=provider)["slots"]]
    slots = slots[:SLOTS // 2] + slots[-SLOTS // 2:]
    plans = [[(str(uuid.uuid4()), {"slot_id": slot, "patient_ref": f"patient-{client}-{number}"}) for number, slot in enumerate(
        slots[client:] + slots[:client])] for client in range(CLIENTS)]
    Clients(world, plans)
    found = answers(clinic, {identity for plan in plans for identity, _ in plan})
    booked = [message.body["slot_id"] for message in found.values() if message.type == "appointment.slot.booked"]
    refused = collections.Counter(message.body["reason"] for message in found.values() if message.type == "appointment.slot.refused")
    assert sorted(booked) == sorted(slots), "each slot once"
    assert refused == {"taken": CLIENTS * SLOTS - SLOTS}
    assert clinic.sql("SELECT count(*), count(DISTINCT slot_id) FROM appointment WHERE status = 'booked'") == [(SLOTS, SLOTS)]
    clinic.check_books()
    assert world.parked("appointment") == []


def test_a_thousand_book_one_slot_at_once(world):
    clinic = Clinic(world)
    world.start_worker("appointment")
    clinic.publish()
    slot = clinic.slot("0900")
    plans = [[(str(uuid.uuid4()), {"slot_id": slot, "patient_ref": f"patient-{client}-{number}"}) for number in range(50)]
             for client in range(20)]
    Clients(world, plans)
    found = answers(clinic, {identity for plan in plans for identity, _ in plan})
    assert [message.type for message in found.values()].count("appointment.slot.booked") == 1
    assert clinic.sql("SELECT count(*) FROM appointment") == [(1,)]
    clinic.check_books()


def test_one_patient_wants_to_be_everywhere(world):
    """Three workers, ten providers, one time: it is the patient's once."""
    clinic = Clinic(world)
    for _ in range(2):
        world.start_worker("appointment")
    providers = [f"dr-{number}" for number in range(10)]
    for provider in providers:
        clinic.publish(provider, first=2, last=2)
    plans = [[(str(uuid.uuid4()), {"slot_id": clinic.slot("0900", provider), "patient_ref": "patient-1"})] for provider in providers]
    Clients(world, plans)
    found = answers(clinic, {identity for plan in plans for identity, _ in plan})
    assert sorted(message.body.get("reason", "booked") for message in found.values()) == ["booked"] + ["patient_overlap"] * 9
    clinic.check_books()


def test_a_booking_is_known_by_its_request(world):
    clinic = Clinic(world)
    clinic.publish()
    body = {"slot_id": clinic.slot("0900"), "patient_ref": "patient-1"}
    identity = clinic.send("slot.book", body)
    booked = clinic.answer(identity, "slot.booked")
    clinic.tap.messages.clear()
    clinic.send("slot.book", body, message_id=identity)
    again = clinic.tap.one("appointment.slot.booked")
    assert (again.id, again.raw) == (booked.id, booked.raw)
    clinic.send("slot.book", body | {"patient_ref": "patient-2"}, message_id=identity)
    refused = clinic.tap.one("appointment.slot.refused")
    assert refused.body["reason"] == "id_conflict"
    wait_until(lambda: len(world.parked("appointment")) == 1, what="the other body to be parked")
    clinic.cancel(booked.body)
    other = clinic.book(body["slot_id"])
    assert other["appointment_id"] not in (identity, booked.body["appointment_id"]) and booked.body["appointment_id"] == identity
    # The first message comes once more: the slot it once took is another appointment's now, and stays so.
    clinic.send("slot.book", body, message_id=identity)
    assert clinic.tap.one("appointment.slot.booked", where=lambda message: message.body["appointment_id"] == identity).raw == booked.raw
    assert clinic.sql("SELECT appointment_id::text FROM slot WHERE slot_id = %s", (body["slot_id"],)) == [(other["appointment_id"],)]
    clinic.check_books()


def contents(clinic):
    return {table: clinic.sql(f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1") for table in TABLES}


def test_wrong_questions_change_nothing(world):
    clinic = Clinic(world)
    clinic.publish()
    clinic.publish("dr-castro", "clinic-002")
    booked = clinic.book(clinic.slot("0900"))
    taken, free = clinic.book(clinic.slot("0930"), "patient-2"), clinic.slot("1000")
    token, _ = clinic.hold(clinic.slot("1030"), "patient-3", hold_seconds=900)
    day, hours = str(clinic.day()), [{"weekday": 1, "from": "09:00", "to": "12:00"}]
    schedule = {"provider_id": "dr-adams", "clinic_id": "clinic-001", "weekly": hours, "slot_minutes": 30, "from": day, "to": day}
    before = contents(clinic)
    book, move = {"patient_ref": "patient-1"}, {"appointment_id": booked["appointment_id"], "by": "patient-1"}
    wrong = [
        ("slot.book", book | {"slot_id": "dr-nobody.20300101.0900"}, "unknown_slot"),
        ("slot.book", book | {"slot_id": "dr-adams.20309999.0900"}, "unknown_slot"),
        ("slot.book", book | {"slot_id": free, "hold_token": token}, "hold_expired"),
        ("slot.book", book | {"slot_id": clinic.slot("1030"), "hold_token": token}, "not_owner"),
        ("slot.hold", book | {"slot_id": taken["slot_id"]}, "taken"),
        ("slot.hold", book | {"slot_id": clinic.slot("2300")}, "unknown_slot"),
        ("slot.release", {"slot_id": free, "hold_token": "x"}, "wrong_state"),
        ("slot.release", {"slot_id": clinic.slot("1030"), "hold_token": "x"}, "not_owner"),
        ("slot.move", move | {"slot_id": taken["slot_id"]}, "taken"),
        ("slot.move", move | {"slot_id": clinic.slot("1030")}, "held"),
        ("slot.cancel", move | {"by": "patient-2", "reason": "x"}, "not_owner"),
        ("schedule.publish", schedule | {"clinic_id": "clinic-999"}, "unknown_clinic"),
        ("schedule.publish", schedule | {"facility_id": "clinic-002"}, "not_owner"),
        ("schedule.publish", schedule | {"from": day, "to": str(clinic.day(1))}, "bad_period"),
        ("schedule.publish", schedule | {"from": "2020-01-01", "to": "2020-02-01"}, "bad_period"),
        ("schedule.publish", schedule | {"from": day, "to": "2999-01-01"}, "bad_period"),
        ("schedule.publish", schedule | {"weekly": [hours[0] | {"to": "09:00"}]}, "bad_period"),
        ("schedule.publish", schedule | {"weekly": [hours[0] | {"to": "24:30"}]}, "bad_period"),
        ("schedule.publish", schedule | {"weekly": [*hours, hours[0] | {"from": "11:59", "to": "13:00"}]}, "overlapping_schedule"),
        ("schedule.publish", schedule | {"clinic_id": "clinic-002", "weekly": [
            {"weekday": weekday, "from": "00:00", "to": "24:00"} for weekday in range(1, 8)]}, "overlapping_schedule"),
        ("schedule.publish", schedule | {"to": str(clinic.day(300)), "slot_minutes": 5, "weekly": [
            {"weekday": weekday, "from": "00:00", "to": "24:00"} for weekday in range(1, 8)]}, "too_many_slots"),
        ("waitlist.join", book | {"provider_id": "dr-nobody"}, "unknown_provider"),
        ("waitlist.join", book | {"provider_id": "dr-adams", "from": "next monday"}, "bad_period"),
        ("waitlist.join", book | {"provider_id": "dr-adams", "from": "2026-02-02", "to": "2026-02-01"}, "bad_period"),
        ("waitlist.leave", {"waitlist_id": str(uuid.uuid4())}, "unknown_entry"),
        ("slot.decline", {"waitlist_id": str(uuid.uuid4())}, "unknown_entry"),
        ("visit.arrive", {"appointment_id": str(uuid.uuid4())}, "unknown_appointment"),
    ]
    for verb, body, reason in wrong:
        assert clinic.refused(verb, body) == reason, (verb, body)
    for verb, body in (("slot.book", {"slot_id": "no slot id", "patient_ref": "x"}), ("slot.book", {"slot_id": free}),
                       ("slot.hold", book | {"slot_id": free, "hold_seconds": 29}),
                       ("schedule.publish", schedule | {"weekly": []}), ("schedule.publish", schedule | {"from": "2026-02-30"})):
        clinic.send(verb, body)
    wait_until(lambda: len(world.parked("appointment")) == 5, what="what cannot be read to be parked")
    assert contents(clinic) == before
    clinic.check_books()


def test_a_slot_in_the_past(world):
    clinic = Clinic(world)
    clinic.publish()
    slot = clinic.slot("0900")
    clinic.sql("UPDATE slot SET starts_at = starts_at - interval '9 days', ends_at = ends_at - interval '9 days' WHERE slot_id = %s",
               (slot,))
    for verb in ("slot.book", "slot.hold"):
        assert clinic.refused(verb, {"slot_id": slot, "patient_ref": "patient-1"}) == "too_late"
    assert clinic.sql("SELECT count(*) FROM appointment") == [(0,)]


def test_yesterdays_messages_once_more(world):
    """The whole traffic again, under the same ids: the same answers, no new row, no new event."""
    clinic = Clinic(world)
    clinic.publish()
    booked = clinic.book(clinic.slot("0900"))
    clinic.do("waitlist.join", "waitlist.joined", {"provider_id": "dr-adams", "patient_ref": "patient-2"})
    clinic.cancel(booked)
    offer = clinic.tap.one("appointment.slot.offered")
    clinic.book(offer.body["slot_id"], "patient-2")
    clinic.refused("slot.book", {"slot_id": offer.body["slot_id"], "patient_ref": "patient-3"})
    clinic.do("schedule.block", "schedule.blocked", {"provider_id": "dr-adams", "from": booked["starts_at"], "to": booked["ends_at"],
                                                     "reason": "ill"})
    commands = [message for message in clinic.tap.messages if message.properties.app_id != "appointment"]
    before, ids = contents(clinic), {message.id for message in clinic.tap.messages if message.properties.app_id == "appointment"}
    ids.add(offer.id)
    assert len(commands) == 7
    clinic.tap.messages.clear()
    for message in commands:
        world.publish(message.type, message.raw, message_id=message.id)
    clinic.book(clinic.slot("1130"), "patient-9")  # behind them
    heard = {message.id for message in clinic.tap.messages if message.properties.app_id == "appointment"}
    new = [message.type for message in clinic.tap.messages if message.id not in ids and message.id in heard]
    assert new == ["appointment.slot.booked"]
    clinic.sql("DELETE FROM appointment WHERE patient_ref = 'patient-9'")
    clinic.sql("UPDATE slot SET appointment_id = NULL, version = 1 WHERE slot_id = %s", (clinic.slot("1130"),))
    clinic.sql("UPDATE day SET version = version - 1 WHERE date = %s", (str(parse(booked["starts_at"]).date()),))
    assert contents(clinic) == before


def test_a_year_of_many_providers_at_once(world):
    """More days than the database has locks for in one transaction: the batch is divided, and everything is published."""
    clinic = Clinic(world, start=False)
    causes = [clinic.send("schedule.publish", {
        "provider_id": f"dr-{number}", "clinic_id": "clinic-001", "slot_minutes": 60, "from": str(clinic.day(1)),
        "to": str(clinic.day(366)), "weekly": [{"weekday": 1, "from": "09:00", "to": "10:00"}]}) for number in range(YEARS)]
    world.start_worker("appointment")
    for cause in causes:
        assert clinic.answer(cause, "schedule.published", "schedule.refused", timeout=30).body["slots_added"] in (52, 53)
    assert clinic.sql("SELECT count(DISTINCT provider_id) FROM slot") == [(YEARS,)] and world.parked("appointment") == []


def test_the_hours_of_the_demo_world_are_accepted(world):
    clinic = Clinic(world)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    schedules = [demo_schedules.schedule(row, today) for row in demo_schedules.PROVIDERS]
    published = [clinic.do("schedule.publish", "schedule.published", schedule) for schedule in schedules]
    assert {body["zone"] for body in published} == {"Europe/London", "America/New_York", "Australia/Sydney"}
    assert all(body["slots_added"] > 90 for body in published), [body["slots_added"] for body in published]
    assert {(parse(body["to"]) - parse(body["from"])).days for body in published} == {59}
