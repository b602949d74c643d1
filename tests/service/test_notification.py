"""The notification worker on real servers; the facts are published by the test, each as the user whose they are."""
import re
import uuid

import pytest

from notices import (LIFE, alert, approved, cancelled, check_books, later, refused, rejected, requested, stock, tell, unit,
                     updated)
from servers import wait_until


@pytest.fixture
def worker(world):
    return world.start_worker("notification")


@pytest.fixture
def tap(world, worker):  # pylint: disable=unused-argument
    return world.tap()


def of_kind(kind, **wanted):
    return lambda message: message.body["kind"] == kind and all(message.body[name] == value for name, value in wanted.items())


def settle(world):
    """Until everything that was created is delivered, and no message waits."""
    wait_until(lambda: check_books(world)[1] == 0 and world.depth("notification") == 0, what="all notifications to be delivered")


@pytest.mark.parametrize("event, make, kind, transition", [
    ("hospital.blood.requested", lambda asked: asked, "request_received", "requested"),
    ("hospital.blood.refused", refused, "request_refused", "refused:.*"),
    ("hospital.blood.cancelled", cancelled, "request_cancelled", "cancelled"),
    ("hospital.request.updated", lambda asked: updated(asked, "expired"), "request_expired", "expired"),
    ("bloodbank.blood.approved", approved, "request_approved", "approved:1"),
    ("bloodbank.blood.rejected", rejected, "request_rejected", "rejected"),
])
def test_the_life_of_a_notification(world, tap, event, make, kind, transition):
    asked = requested()
    body = make(asked)
    cause = tell(world, event, body, correlation_id="the workflow")
    created, delivered = (tap.one(name) for name in LIFE)
    assert (created.body["facility_id"], created.body["role"], created.body["kind"]) == ("hospital-001", "hospital", kind)
    assert created.body["entity"] == f"request:{asked['request_id']}" and re.fullmatch(transition, created.body["transition"])
    assert created.body["channel"] == "inbox" and created.body["is_emergency"] is False
    assert asked["request_id"] in created.body["text"] and "Dr Example" not in created.body["text"]
    assert created.headers["causation_id"] == cause and delivered.headers["causation_id"] == created.id
    assert {message.properties.correlation_id for message in (created, delivered)} == {"the workflow"}
    assert delivered.body == created.body | {"at": delivered.body["at"]}
    assert check_books(world) == (1, 0)
