"""The appointment worker for tests: short words for commands, their answers, and the books that must balance."""
import datetime
import uuid
import zoneinfo

from servers import wait_until

ZONES = {"clinic-001": "Europe/London", "clinic-002": "America/New_York", "clinic-003": "Australia/Sydney"}
LIVE = "('booked', 'arrived', 'completed')"
# Each query finds what must not be there.
FAULTS = {
    "a live appointment has its slot": f"""
        SELECT a.appointment_id FROM appointment a LEFT JOIN slot s USING (slot_id)
        WHERE a.status IN {LIVE} AND s.appointment_id IS DISTINCT FROM a.appointment_id""",
    "a booked slot has a live or missed appointment": """
        SELECT s.slot_id FROM slot s LEFT JOIN appointment a USING (appointment_id)
        WHERE s.appointment_id IS NOT NULL
            AND (a.slot_id IS DISTINCT FROM s.slot_id OR a.status NOT IN ('no_show', 'booked', 'arrived', 'completed'))""",
    "nobody is in two places at once": f"""
        SELECT a.appointment_id, b.appointment_id FROM appointment a JOIN appointment b
            ON a.appointment_id < b.appointment_id AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)
            AND (a.provider_id = b.provider_id OR a.patient_ref = b.patient_ref OR (a.clinic_id, a.room_id) = (b.clinic_id, b.room_id))
        WHERE a.status IN {LIVE} AND b.status IN {LIVE}""",
    "an offer is a slot's and an entry's": """
        SELECT w.waitlist_id, s.slot_id FROM waitlist w FULL JOIN slot s ON s.waitlist_id = w.waitlist_id
        WHERE (w.status = 'offered' OR s.waitlist_id IS NOT NULL) AND (w.slot_id IS DISTINCT FROM s.slot_id
            OR w.status IS DISTINCT FROM 'offered' OR s.held_for IS DISTINCT FROM w.patient_ref)""",
    "a day that has slots has a version": """
        SELECT s.slot_id FROM slot s LEFT JOIN day d USING (provider_id, date) WHERE d.version IS NULL""",
}


def utc(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class Clinic:
    """One worker, its bus and its database."""

    def __init__(self, world, start=True, **env):
        self.world = world
        self.tap = world.tap()
        if start:
            world.start_worker("appointment", env)

    def day(self, ahead=2, clinic="clinic-001"):
        """A day of the clinic's calendar."""
        return (datetime.datetime.now(zoneinfo.ZoneInfo(ZONES[clinic])) + datetime.timedelta(days=ahead)).date()

    def slot(self, clock, provider="dr-adams", ahead=2, clinic="clinic-001"):
        """The id of a slot: "0900" on a day ahead."""
        return f"{provider}.{self.day(ahead, clinic):%Y%m%d}.{clock}"

    def send(self, verb, body, **properties):
        return self.world.publish(f"appointment.{verb}", body, **properties)

    def answer(self, cause, *events, timeout=10):
        """The event of one of these names that a message caused."""
        names = [f"appointment.{event}" for event in events]

        def heard():
            self.tap.connection.process_data_events(time_limit=0.02)
            return [message for message in self.tap.messages
                    if message.type in names and message.headers.get("causation_id") == cause]
        return wait_until(heard, timeout, f"{names} because of {cause}")[0]

    def do(self, verb, event, body, **properties):
        """Send a command and return the body of the event that answers it."""
        noun = verb.split(".", maxsplit=1)[0]
        message = self.answer(self.send(verb, body, **properties), event, f"{noun}.refused")
        assert message.type == f"appointment.{event}", message.body
        return message.body

    def refused(self, verb, body, **properties):
        """Send a command that is to be refused; return the reason."""
        cause = self.send(verb, body, **properties)
        noun = verb.split(".", maxsplit=1)[0]
        message = self.answer(cause, f"{noun}.refused")
        assert message.body["command"] == f"appointment.{verb}" and message.body["causation"] == cause
        assert message.body["reason"] == "id_conflict" or message.body["detail"]
        return message.body["reason"]

    def publish(self, provider="dr-adams", clinic="clinic-001", first=1, last=7, hours=(("09:00", "12:00"),), minutes=30, **more):
        weekly = [{"weekday": weekday, "from": begin, "to": end} for weekday in range(1, 8) for begin, end in hours]
        body = {"provider_id": provider, "clinic_id": clinic, "weekly": weekly, "slot_minutes": minutes,
                "from": str(self.day(first, clinic)), "to": str(self.day(last, clinic))} | more
        return self.do("schedule.publish", "schedule.published", body)

    def book(self, slot_id, patient="patient-1", **more):
        return self.do("slot.book", "slot.booked", {"slot_id": slot_id, "patient_ref": patient} | more)

    def hold(self, slot_id, patient="patient-1", **more):
        """Hold a slot as an asker who hears the answers to it; return (the token, the broadcast event's body)."""
        asker = f"test.{uuid.uuid4().hex[:8]}"
        cause = self.send("slot.hold", {"slot_id": slot_id, "patient_ref": patient} | more, reply_to=asker)
        held = self.answer(cause, "slot.held")
        answered = self.answer(cause, "hold.answered")
        assert answered.routing_key == f"appointment.answer.{asker}"
        return answered.body["hold_token"], held.body

    def cancel(self, appointment, by=None):
        return self.do("slot.cancel", "slot.cancelled", {"appointment_id": appointment["appointment_id"],
                                                         "by": by or appointment["patient_ref"], "reason": "feels better"})

    def slots(self, ahead=2, provider="dr-adams", clinic="clinic-001"):
        """The answer about a day's slots."""
        return self.world.ask("appointment.query.slots", {"provider_id": provider, "date": str(self.day(ahead, clinic))}).body

    def states(self, ahead=2, provider="dr-adams", clinic="clinic-001"):
        """{"0900": "free", ...}"""
        return {slot["slot_id"].split(".")[2]: slot["state"] for slot in self.slots(ahead, provider, clinic)["slots"]}

    def sql(self, query, arguments=None):
        return self.world.sql("appointment", query, arguments)

    def check_books(self):
        for what, query in FAULTS.items():
            found = self.sql(query)
            assert found == [], f"{what}: {found}"
