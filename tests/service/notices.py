"""Facts that others tell, as the notification worker hears them, and what is known of the notifications that follow."""
import datetime
import uuid

LIFE = ("notification.message.created", "notification.message.delivered")


def later(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def requested(**changes):
    return {"request_id": str(uuid.uuid4()), "hospital_id": "hospital-001", "component": "red_cells", "group": "O-",
            "quantity": 2, "urgency": "routine", "requested_at": later()} | changes


def unit(number, bank="bank-001"):
    return {"unit_id": f"A999926{number:06d}-RC01-00", "bank_id": bank, "component": "red_cells", "group": "O-",
            "expires_at": "2030-01-01T00:00:00Z"}


def approved(asked, number=1, banks=("bank-001", "bank-001"), **changes):
    missing = asked["quantity"] - len(banks)
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "urgency": asked["urgency"],
            "decision": "partial" if missing else "full", "allocation_no": number, "quantity_requested": asked["quantity"],
            "quantity_allocated": len(banks), "backordered": missing, "warnings": [], "rules_version": "test",
            "units": [unit(place, bank) for place, bank in enumerate(banks)], "decided_at": later()} | changes


def rejected(asked, **changes):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "urgency": asked["urgency"],
            "decision": "rejected", "reason": "insufficient_stock", "detail": "2 wanted, 1 there", "decided_at": later()} | changes


def cancelled(asked, **changes):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "urgency": asked["urgency"],
            "reason": "the patient of Dr Example went home", "cancelled_by": "nurse-7", "cancelled_at": later(),
            "version": 3} | changes


def refused(asked, **changes):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "command": "hospital.blood.cancel",
            "causation": str(uuid.uuid4()), "reason": "wrong_state", "detail": "it is cancelled already"} | changes


def updated(asked, status, version=4):
    return {"request_id": asked["request_id"], "hospital_id": asked["hospital_id"], "urgency": asked["urgency"], "version": version,
            "status": status, "quantity_requested": asked["quantity"], "quantity_allocated": 0, "quantity_issued": 0,
            "quantity_received": 0, "units": []}


def alert(**changes):
    return {"bank_id": "bank-001", "component": "red_cells", "group": "O-", "available": 3, "days_of_stock": 1.5,
            "threshold": 6, "threshold_unit": "days", "version": 17, "at": later()} | changes


def stock(available, version, group="O-", bank="bank-001"):
    return {"bank_id": bank, "component": "red_cells", "group": group, "available": available, "reserved": 0,
            "expiring_24h": 0, "version": version}


def tell(world, event, body, **keywords):
    """Publish a fact as the worker whose it is."""
    return world.publish(event, body, user=event.split(".", maxsplit=1)[0], **keywords)


# Told = everything that was ever sent; the sums must agree at any moment, whoever was killed.
BOOKS = """
    SELECT (SELECT count(DISTINCT message_id) FROM outbox WHERE type = 'notification.message.created'),
        (SELECT count(DISTINCT message_id) FROM outbox WHERE type = 'notification.message.delivered'),
        (SELECT count(*) FROM notification WHERE delivered_at IS NULL),
        (SELECT count(*) FROM notification WHERE delivered_at IS NOT NULL)"""


def check_books(world):
    """created = delivered + pending; returns (created, pending)."""
    created, told, pending, delivered = world.sql("notification", BOOKS)[0]
    assert (told, created) == (delivered, delivered + pending)
    return created, pending
