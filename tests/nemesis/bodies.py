"""Messages of the nemesis tests. Everything is made from a label, so that two worlds can be told the same."""
import datetime
import uuid

NAMES = uuid.UUID("6f3c1a52-7a0e-5d3e-9d5b-2f7c6f3f9a11")
NOTIFICATIONS = uuid.UUID("5f0d2c1e-8b6a-4e37-9c41-1d7e52a80bf3")
COLLECTED = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(days=1)


def identity(label):
    """The uuid of a label, the same in every world."""
    return str(uuid.uuid5(NAMES, label))


def stamp(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def soon(seconds):
    return stamp(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds))


def request(label, **changes):
    """A routine request for one unit of O- red cells, as hospital-001 sends it."""
    return {"request_id": identity(f"request {label}"), "hospital_id": "hospital-001", "component": "red_cells",
            "group": "O-", "quantity": 1, "urgency": "routine"} | changes


def unit(serial, **changes):
    """One bag of O- red cells, collected yesterday."""
    return {"din": f"A999926{serial:06d}", "product_code": "E0336", "component": "red_cells", "group": "O-",
            "collected_at": stamp(COLLECTED), "attributes": []} | changes


def receive(first, count, bank="bank-001", **changes):
    return {"bank_id": bank, "units": [unit(serial, **changes) for serial in range(first, first + count)]}


def unit_id(serial, product="E0336"):
    return f"A999926{serial:06d}-{product}-00"


def cancel(label):
    """A request is taken back: as its hospital says it, and as the worker tells it."""
    return {"request_id": identity(f"request {label}"), "reason": "no longer needed", "cancelled_by": "dr-2"}


def approval(label, serial):
    """A decision as the blood bank would send it."""
    return {"request_id": identity(f"request {label}"), "hospital_id": "hospital-001", "decision": "full",
            "allocation_no": 1, "quantity_requested": 1, "quantity_allocated": 1, "backordered": 0,
            "units": [{"unit_id": unit_id(serial), "bank_id": "bank-001", "component": "red_cells", "group": "O-",
                       "expires_at": stamp(COLLECTED + datetime.timedelta(days=20))}],
            "warnings": [], "rules_version": "default", "decided_at": stamp(COLLECTED)}


def rejection(label):
    return {"request_id": identity(f"request {label}"), "hospital_id": "hospital-001", "decision": "rejected",
            "reason": "no_compatible_stock", "detail": "none", "decided_at": stamp(COLLECTED)}


def notification(label):
    """The id of "hospital-001 is told that it asked for this": of its key, in the worker's own namespace."""
    key = ("hospital-001", "hospital", f"request:{identity(f'request {label}')}", "requested")
    return str(uuid.uuid5(NOTIFICATIONS, "\0".join(key)))


def stock(available, version):
    return {"bank_id": "bank-001", "component": "red_cells", "group": "O-", "available": available, "reserved": 0,
            "expiring_24h": 0, "version": version}


def alert(version):
    return {"bank_id": "bank-001", "component": "red_cells", "group": "O-", "available": 3, "days_of_stock": 1.5, "threshold": 6,
            "threshold_unit": "days", "version": version, "at": stamp(COLLECTED)}


def day(ahead):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=ahead)).date()


def slot_id(clock, provider="dr-adams", ahead=5):
    return f"{provider}.{day(ahead):%Y%m%d}.{clock}"


def hours(provider="dr-adams", **changes):
    """Every day from tomorrow on, from nine to twelve, slots of half an hour."""
    return {"provider_id": provider, "clinic_id": "clinic-001", "slot_minutes": 30, "from": str(day(1)), "to": str(day(9)),
            "weekly": [{"weekday": weekday, "from": "09:00", "to": "12:00"} for weekday in range(1, 8)]} | changes


def booking(label, clock, **changes):
    """The patient is called like the label."""
    place = {key: changes.pop(key) for key in ("provider", "ahead") if key in changes}
    return {"slot_id": slot_id(clock, **place), "patient_ref": f"patient {label}"} | changes
