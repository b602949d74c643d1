"""The chain of a blood request for tests: both workers, short words for bodies, and the books that must balance."""
import datetime
import itertools
import json
import re
import uuid

from servers import wait_until

NUMBERS = itertools.count(1)
DECISIONS = ("bloodbank.blood.approved", "bloodbank.blood.rejected")
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")

# Each query finds what must not be there. The bank's own books:
BANK_FAULTS = {
    "stock is what the units say": """
        SELECT s.bank_id, s.component, s.blood_group, s.available, s.reserved, u.available, u.reserved
        FROM stock s LEFT JOIN (
            SELECT bank_id, component, blood_group, count(*) FILTER (WHERE status = 'available') AS available,
                count(*) FILTER (WHERE status = 'reserved') AS reserved FROM unit GROUP BY 1, 2, 3) u
            USING (bank_id, component, blood_group)
        WHERE (s.available, s.reserved) IS DISTINCT FROM (coalesce(u.available, 0), coalesce(u.reserved, 0))""",
    "bins are what the units say": """
        SELECT * FROM bin b FULL JOIN (
            SELECT bank_id, component, blood_group, profile, count(*) FROM unit
            WHERE status = 'available' AND designated_for IS NULL GROUP BY 1, 2, 3, 4) u
            USING (bank_id, component, blood_group, profile)
        WHERE coalesce(b.available, 0) <> coalesce(u.count, 0)""",
    "the counter of those that expire soon": """
        SELECT s.bank_id, s.component, s.blood_group, s.expiring, u.count
        FROM stock s LEFT JOIN LATERAL (
            SELECT count(*) FROM unit u
            WHERE (u.bank_id, u.component, u.blood_group) = (s.bank_id, s.component, s.blood_group)
                AND status = 'available' AND u.expires_at <= s.expiring_until) u ON true
        WHERE s.expiring <> u.count""",
    "a request holds what it was allocated": """
        SELECT r.request_id, r.quantity_allocated, u.count FROM request r LEFT JOIN (
            SELECT request_id, count(*) FROM unit WHERE status = 'reserved' GROUP BY 1) u USING (request_id)
        WHERE r.quantity_allocated <> coalesce(u.count, 0)""",
    "a unit is held for a request that there is": """
        SELECT u.unit_id FROM unit u LEFT JOIN request r USING (request_id)
        WHERE u.request_id IS NOT NULL AND (r.request_id IS NULL OR r.status NOT IN ('waiting', 'settled'))""",
    "one decision for each allocation": """
        SELECT r.request_id, r.allocation_no, d.count FROM request r LEFT JOIN (
            SELECT request_id, count(*) FROM decision WHERE event = 'bloodbank.blood.approved' GROUP BY 1) d
            USING (request_id)
        WHERE r.allocation_no <> coalesce(d.count, 0)""",
    "a rejected request has its one answer": """
        SELECT r.request_id FROM request r JOIN decision d USING (request_id) WHERE r.status = 'rejected'
        GROUP BY 1 HAVING count(*) <> 1""",
    "what is held has been told": """
        SELECT u.unit_id FROM unit u WHERE u.status = 'reserved' AND NOT EXISTS (
            SELECT FROM decision d WHERE d.request_id = u.request_id
                AND d.body::jsonb -> 'units' @> jsonb_build_array(jsonb_build_object('unit_id', u.unit_id)))""",
}

# Whole blood has no floor, so whoever may have what is there need not wait for it.
IN_VAIN = """
    SELECT r.request_id, u.unit_id FROM request r
    JOIN unit u ON u.component = r.component
        AND u.blood_group::text IN (r.blood_group, replace(r.blood_group, '+', '-'))
    WHERE r.status = 'waiting' AND r.component = 'whole_blood' AND u.status = 'available' AND u.designated_for IS NULL
        AND u.expires_at > now()"""

HOSPITAL_STATUSES = {
    "approved": "allocated >= quantity", "partially_approved": "allocated BETWEEN 1 AND quantity - 1",
    "rejected": "allocated = 0 AND reason IS NOT NULL", "pending": "allocated = 0 AND reason IS NULL",
    "scheduled": "allocated = 0 AND is_scheduled", "expired": "allocated = 0",
    "cancelled": "allocated = 0",
}


def in_seconds(seconds):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def in_hours(hours):
    return in_seconds(hours * 3600)


def in_days(days):
    return in_seconds(days * 86400)


def bag(group="O+", component="red_cells", age=5, **facts):
    """A unit as it is received; `age` in days."""
    preservation = {"additive": "SAGM"} if component == "red_cells" else {}
    return {"din": f"A999926{next(NUMBERS):06d}", "product_code": "E0336", "component": component, "group": group,
            "collected_at": in_days(-age), **preservation, **facts}


def unit_id(unit):
    return f"{unit['din']}-{unit['product_code']}-{unit.get('division', '00')}"


def wish(group="O+", quantity=1, **facts):
    """A request as a hospital sends it."""
    return {"request_id": str(uuid.uuid4()), "hospital_id": "hospital-001", "component": "red_cells", "group": group,
            "quantity": quantity, "urgency": "urgent", "signed_by": "dr-1", **facts}


def codes(decision):
    return [warning["code"] for warning in decision.body["warnings"]]


def given(decision):
    return [unit["unit_id"] for unit in decision.body["units"]]


def moments(value, name=""):
    """Every text in a body whose member's name says that it is a moment."""
    if isinstance(value, dict):
        return [found for key, part in value.items() for found in moments(part, key)]
    if isinstance(value, list):
        return [found for part in value for found in moments(part, name)]
    return [value] if name.endswith(("_at", "_until", "as_of")) else []


def share_lanes(world):
    """Makes the workers' queues anew, without their single active consumer."""
    for queue in ("bloodbank", "bloodbank.emergency", "hospital", "hospital.emergency"):
        bindings = [found for found in world.management(f"queues/{{vhost}}/{queue}/bindings") if found["source"]]
        world.management(f"queues/{{vhost}}/{queue}", "DELETE")
        world.management(f"queues/{{vhost}}/{queue}", "PUT", json={
            "durable": True, "arguments": {"x-queue-type": "quorum"}})
        for found in bindings:
            world.management(f"bindings/{{vhost}}/e/{found['source']}/q/{queue}", "POST", json={
                "routing_key": found["routing_key"], "arguments": found["arguments"]})


class Chain:
    """Both workers, a tap, and short words."""

    def __init__(self, world, hospital=True, bank=True):
        self.world = world
        self.tap = world.tap()
        self.bank = world.start_worker("bloodbank") if bank else None
        self.hospital = world.start_worker("hospital") if hospital else None

    def receive(self, *units, bank_id="bank-001", answer="bloodbank.unit.received"):
        message_id = self.world.publish("bloodbank.unit.receive", {"bank_id": bank_id, "units": list(units)})
        return self.tap.one(answer, where=lambda message: message.headers["causation_id"] == message_id)

    def stock(self, count, group="O+", bank_id="bank-001", **facts):
        units = [bag(group, **facts) for _ in range(count)]
        self.receive(*units, bank_id=bank_id)
        return units

    def send(self, body, event="hospital.blood.request", **properties):
        return self.world.publish(event, body, **properties)

    def ask(self, body, **properties):
        self.send(body, **properties)
        return self.decision(body)

    def decision(self, body, timeout=10):
        """The next decision on a request, whichever it is."""
        found = []

        def look():
            self.tap.connection.process_data_events(time_limit=0.02)
            found.extend(message for message in self.tap.messages if message.type in DECISIONS
                         and message.body["request_id"] == body["request_id"])
            return found
        wait_until(look, timeout, "a decision")
        self.tap.messages.remove(found[0])
        return found[0]

    def reason(self, body, **properties):
        """Why a request is rejected."""
        decision = self.ask(body, **properties)
        assert decision.type == "bloodbank.blood.rejected", decision.body
        return decision.body["reason"]

    def view(self, kind, key, version=None):
        """What readers see in Redis, or None; also when it is not of that version."""
        found = self.world.redis().hgetall(f"view:{kind}:{key}")
        if not found or version not in (None, int(found["version"])):
            return None
        return json.loads(found["body"]) | {"stored_version": int(found["version"])}

    def status(self, body, status):
        """Waits until readers see a request in that status; returns the view."""
        def look():
            view = self.view("request", body["request_id"])
            return view if view is not None and view["status"] == status else None
        return wait_until(look, 10, f"status {status} of {body['request_id']}; it is "
                                    f"{self.view('request', body['request_id'])}")

    def sql(self, query, args=None, database="bloodbank"):
        return self.world.sql(database, query, args)

    def check_books(self):
        """The counters are what the units say, and nothing was parked."""
        for name, query in BANK_FAULTS.items():
            assert self.sql(query) == [], name
        for queue in ("bloodbank", "bloodbank.emergency", "hospital", "hospital.emergency"):
            assert self.world.depth(f"{queue}.parked") == 0, queue

    def wait_hospital(self):
        """Until the hospital knows what the bank knows."""
        told = "SELECT count(*) FROM decision WHERE event = 'bloodbank.blood.approved'"
        wait_until(lambda: self.sql(told) == self.sql("SELECT count(*) FROM allocation", database="hospital"), 20,
                   "all approvals at the hospital")

    def check_hospital(self):
        """The hospital holds what the bank reserved for it, and each status fits."""
        self.wait_hospital()
        held = """SELECT request_id::text, unit_id FROM unit WHERE status = 'reserved' ORDER BY 1, 2"""
        known = """SELECT u.request_id::text, u.unit_id
            FROM request_unit u JOIN allocation a USING (request_id, allocation_no)
            WHERE NOT EXISTS (SELECT FROM unit_release x WHERE x.request_id = u.request_id AND x.unit_id = u.unit_id
                AND x.released_at > a.decided_at) ORDER BY 1, 2"""
        wait_until(lambda: self.sql(held) == self.sql(known, database="hospital"), 10, "the same units at both")
        for status, rule in HOSPITAL_STATUSES.items():
            assert self.sql(f"""SELECT * FROM (
                SELECT r.*, (SELECT count(*) FROM request_unit u JOIN allocation a USING (request_id, allocation_no)
                    WHERE u.request_id = r.request_id AND NOT EXISTS (
                        SELECT FROM unit_release x WHERE x.request_id = u.request_id AND x.unit_id = u.unit_id
                            AND x.released_at > a.decided_at)) AS allocated
                FROM request r WHERE r.status = %s) q WHERE NOT ({rule})""", (status,), "hospital") == [], status
