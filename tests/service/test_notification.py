"""The notification worker on real servers; the facts are published by the test, each as the user whose they are."""
import re
import time
import uuid

import pytest

from notices import (LIFE, alert, approved, cancelled, check_books, later, refused, rejected, requested, stock, tell, unit,
                     updated)
from servers import wait_until

GATHER_SECONDS = 0.04
TURNS = 10


@pytest.fixture
def worker(world):
    return world.start_worker("notification")


@pytest.fixture
def tap(world, worker):  # pylint: disable=unused-argument
    return world.tap()


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


def test_an_emergency_is_told_to_the_banks_too(world, tap):
    asked = requested(urgency="emergency", quantity=4)
    body = approved(asked, banks=("bank-001", "bank-002", "bank-001"))
    tell(world, "bloodbank.blood.approved", body)
    created = {message.body["facility_id"]: message.body for message in tap.expect("notification.message.created", count=3)}
    assert {body["is_emergency"] for body in created.values()} == {True}
    assert {body["role"] for body in created.values()} == {"hospital", "bank"}
    hospital, first, second = (created[name] for name in ("hospital-001", "bank-001", "bank-002"))
    assert "in part: 3 of 4 units" in hospital["text"] and "1 is back-ordered" in hospital["text"]
    assert first["kind"] == "emergency_allocated" and first["entity"] == f"request:{asked['request_id']}"
    assert [unit(place)["unit_id"] in first["text"] for place in range(3)] == [True, False, True]
    assert unit(1)["unit_id"] in second["text"]
    settle(world)


def test_what_is_routine_waits_for_company_and_an_emergency_does_not(world, tap):
    """So that one transaction writes what several facts say; who acts in an emergency is told at once."""
    def seconds_until_told(urgency):
        told = requested(urgency=urgency)
        start = time.monotonic()
        tell(world, "hospital.blood.requested", told)
        tap.expect("notification.message.created", where=lambda message: told["request_id"] in message.body["entity"])
        return time.monotonic() - start

    assert min(seconds_until_told("routine") for _ in range(TURNS)) >= GATHER_SECONDS
    assert min(seconds_until_told("emergency") for _ in range(TURNS)) < GATHER_SECONDS


def test_states_that_another_event_tells_are_not_told_again(world, tap):
    asked = requested()
    for version, status in enumerate(("pending", "approved", "partially_approved", "cancelled", "rejected"), 1):
        tell(world, "hospital.request.updated", updated(asked, status, version))
    tell(world, "hospital.blood.cancelled", {"request_id": asked["request_id"], "reason": "nobody knows whose it is"})
    tell(world, "hospital.blood.requested", asked)
    assert tap.one("notification.message.created").body["kind"] == "request_received"
    settle(world)
    assert world.sql("notification", "SELECT count(*) FROM notification") == [(1,)]


@pytest.mark.parametrize("level, said", [("low", "Stock low: O- red_cells, 3 units available, 1.5 days"),
                                         ("critical", "the threshold is 6.0 days"), ("recovered", "Stock recovered")])
def test_stock_alerts_go_to_the_bank(world, tap, level, said):
    tell(world, f"bloodbank.stock.{level}", alert())
    created = tap.one("notification.message.created").body
    assert (created["facility_id"], created["role"], created["kind"]) == ("bank-001", "bank", f"stock_{level}")
    assert (created["entity"], created["transition"]) == ("stock:bank-001/red_cells/O-", f"{level}:17")
    assert said in created["text"]


def all_facts(asked):
    """One of each, of one request and one shelf."""
    return [("hospital.blood.requested", asked), ("bloodbank.blood.approved", approved(asked, 1, ("bank-001",))),
            ("bloodbank.blood.approved", approved(asked, 2, ("bank-001", "bank-002"))),
            ("bloodbank.blood.rejected", rejected(asked)), ("hospital.blood.cancelled", cancelled(asked)),
            ("hospital.blood.refused", refused(asked)), ("hospital.request.updated", updated(asked, "expired")),
            ("bloodbank.stock.low", alert()), ("bloodbank.stock.critical", alert(version=18))]


COUNT_OF_ALL = 11  # two of the facts are told to banks, too: three times


def test_nothing_is_told_twice(world, worker, tap):
    """Neither by the same messages again, nor by the same facts in other messages, nor after a restart."""
    facts = all_facts(requested(urgency="emergency"))
    ids = [tell(world, event, body) for event, body in facts]
    wait_until(lambda: check_books(world) == (COUNT_OF_ALL + 1, 0), what="all to be told")
    rows = world.sql("notification", "SELECT * FROM notification ORDER BY position")
    sent = {message.id: message.raw for name in LIFE for message in tap.expect(name, count=len(rows))}
    assert worker.stop() == 0
    for identity, (event, body) in zip(ids, facts):
        tell(world, event, body, message_id=identity)
        tell(world, event, body)
    world.start_worker("notification")
    wait_until(lambda: world.sql("notification", "SELECT count(*) FROM inbox")[0][0] == 2 * len(facts) + len(rows)
               and world.depth("notification") + world.depth("notification.emergency") == 0, what="all to be heard again")
    assert world.sql("notification", "SELECT * FROM notification ORDER BY position") == rows
    again = [message for message in tap.messages if message.type.startswith("notification.")]
    tap.quiet("notification.message.created", where=lambda message: message.id not in sent)
    assert {message.id: message.raw for message in again}.items() <= sent.items()


def test_history_is_not_told(world, tap):
    """What was already old when it was heard: a replay of a year's traffic, after its notifications were deleted."""
    old = requested(requested_at=later(-91 * 24 * 3600))
    tell(world, "hospital.blood.requested", old)
    tell(world, "bloodbank.blood.approved", approved(old, decided_at=later(-91 * 24 * 3600)))
    tell(world, "bloodbank.stock.low", alert(at=later(-91 * 24 * 3600)))
    tell(world, "bloodbank.stock.low", alert(at=later(-89 * 24 * 3600), version=18))
    assert tap.one("notification.message.created").body["transition"] == "low:18"
    settle(world)
    assert world.sql("notification", "SELECT count(*) FROM notification") == [(1,)]


# -- digests

def end_window(world):
    """As if the open windows had opened a quarter of an hour earlier."""
    assert world.sql("notification", "UPDATE digest_window SET opened_at = opened_at - interval '15 minutes' RETURNING 1")


def gathered(world):
    return world.sql("notification", "SELECT blood_group, available, version FROM shelf WHERE is_waiting ORDER BY 1, 2")


def test_changes_of_stock_are_told_together(world, tap):
    for body in (stock(12, 3), stock(11, 4), stock(5, 9, "A+"), stock(99, 2), stock(7, 1, bank="bank-002")):
        tell(world, "bloodbank.inventory.updated", body)
    wait_until(lambda: gathered(world) == [("A+", 5, 9), ("O-", 7, 1), ("O-", 11, 4)], what="the changes to be gathered")
    tap.quiet("notification.message.created")
    end_window(world)
    digests = {message.body["facility_id"]: message.body for message in tap.expect("notification.message.created", count=2)}
    first = digests["bank-001"]
    assert (first["role"], first["kind"], first["entity"]) == ("bank", "stock_digest", "stock:bank-001")
    assert first["text"] == "2 shelves changed: O- red_cells 11 available, A+ red_cells 5 available"
    assert digests["bank-002"]["text"] == "1 shelf changed: O- red_cells 7 available"
    assert gathered(world) == [] and world.sql("notification", "SELECT count(*) FROM digest_window") == [(0,)]
    settle(world)


def test_a_window_without_news_does_not_open(world, tap):
    tell(world, "bloodbank.inventory.updated", stock(12, 3))
    wait_until(lambda: gathered(world), what="the change to be gathered")
    end_window(world)
    told = tap.one("notification.message.created").body
    tell(world, "bloodbank.inventory.updated", stock(13, 2))  # older than what was told
    tell(world, "bloodbank.inventory.updated", stock(12, 3))
    settle(world)
    assert world.sql("notification", "SELECT count(*) FROM digest_window") == [(0,)]
    tell(world, "bloodbank.inventory.updated", stock(10, 4))
    wait_until(lambda: gathered(world), what="the change to be gathered")
    tap.quiet("notification.message.created")
    end_window(world)
    again = tap.one("notification.message.created").body
    assert "10 available" in again["text"] and again["transition"] != told["transition"]


# -- acknowledging

def acknowledge(world, notification_id, **members):
    return world.publish("notification.message.acknowledge", {"notification_id": notification_id} | members)


def told_one(world, tap, **changes):
    """The body of a notification, delivered."""
    tell(world, "hospital.blood.requested", requested(**changes))
    tap.one("notification.message.delivered")
    return tap.one("notification.message.created").body


def test_the_first_acknowledgement_counts(world, tap):
    notification_id = told_one(world, tap)["notification_id"]
    acknowledge(world, notification_id, by="nurse-1", facility_id="hospital-001")
    first = tap.one("notification.message.acknowledged")
    assert first.body == {"notification_id": notification_id, "facility_id": "hospital-001", "by": "nurse-1",
                          "at": first.body["at"]}
    acknowledge(world, notification_id, by="nurse-2")
    again = tap.one("notification.message.acknowledged")
    assert (again.id, again.raw) == (first.id, first.raw)
    assert world.sql("notification", "SELECT acknowledged_by FROM notification") == [("nurse-1",)]


def test_acknowledging_what_is_unknown_or_anothers_is_refused(world, tap):
    told = told_one(world, tap)
    for notification_id, facility, reason, state in (
            (str(uuid.uuid4()), "hospital-001", "unknown_notification", None),
            (told["notification_id"], "hospital-002", "not_owner", "delivered")):
        command = acknowledge(world, notification_id, facility_id=facility)
        refusal = tap.one("notification.message.refused").body
        assert (refusal["notification_id"], refusal["causation"], refusal["reason"], refusal.get("state")) == (
            notification_id, command, reason, state)
        assert refusal["command"] == "notification.message.acknowledge"
    assert world.sql("notification", "SELECT acknowledged_at FROM notification") == [(None,)]


def test_another_acknowledgement_under_a_known_message_is_refused_and_parked(world, tap):
    told = told_one(world, tap)
    command = acknowledge(world, told["notification_id"], by="nurse-1")
    tap.one("notification.message.acknowledged")
    world.publish("notification.message.acknowledge", {"notification_id": told["notification_id"], "by": "nurse-2"},
                  message_id=command)
    assert tap.one("notification.message.refused").body["reason"] == "id_conflict"
    wait_until(lambda: [message["properties"]["message_id"] for message in world.parked("notification")] == [command],
               what="the second to be parked")


# -- escalating

def end_patience(world):
    """As if five minutes had passed."""
    world.sql("notification", "UPDATE notification SET escalate_at = escalate_at - interval '5 minutes' "
              "WHERE escalate_at IS NOT NULL")


def test_an_emergency_that_nobody_acknowledges_escalates_once(world, worker, tap):
    read, unread = (told_one(world, tap, urgency="emergency") for _ in range(2))
    told_one(world, tap)
    acknowledge(world, read["notification_id"])
    tap.one("notification.message.acknowledged")
    tap.quiet("notification.message.created")
    end_patience(world)
    created = tap.one("notification.message.created")
    escalated = created.body
    assert (escalated["facility_id"], escalated["role"], escalated["kind"]) == ("hospital-001", "supervisor", "escalated")
    assert escalated["entity"] == f"notification:{unread['notification_id']}" and escalated["is_emergency"]
    assert escalated["text"].endswith(unread["text"]) and "5 minutes" in escalated["text"]
    origin = world.sql("notification", "SELECT correlation_id FROM notification WHERE notification_id = %s",
                       [unread["notification_id"]])[0][0]
    assert created.properties.correlation_id == origin
    settle(world)
    worker.stop()
    assert world.sql("notification", "SELECT count(*) FROM notification WHERE escalate_at IS NOT NULL") == [(0,)]
    world.start_worker("notification")
    tap.quiet("notification.message.created", 2.5)


# -- the list

def ask(world, **question):
    return world.ask("notification.query.messages", question).body


def test_the_list_is_read_page_by_page(world, tap):
    for hospital in ("hospital-001", "hospital-002") * 5:
        tell(world, "hospital.blood.requested", requested(hospital_id=hospital))
    wait_until(lambda: check_books(world) == (10, 0), what="all to be told")
    created = [message.body for message in tap.expect("notification.message.created", count=10)]
    of_one = [body["notification_id"] for body in created if body["facility_id"] == "hospital-001"]
    first = ask(world, facility_id="hospital-001", limit=3)
    second = ask(world, facility_id="hospital-001", limit=3, after=first["next"])
    last = ask(world, facility_id="hospital-001", limit=3, after=second["next"])
    assert [item["notification_id"] for page in (first, second, last) for item in page["items"]] == of_one
    assert last["items"] == [] and last["next"] == second["next"]
    item = first["items"][0]
    known = next(body for body in created if body["notification_id"] == of_one[0])
    assert item == known | {"delivered_at": item["delivered_at"], "version": 2}
    acknowledge(world, of_one[4], by="nurse-1")
    tap.one("notification.message.acknowledged")
    tell(world, "hospital.blood.requested", requested())
    wait_until(lambda: check_books(world) == (11, 0), what="one more to be told")
    assert len(ask(world, facility_id="hospital-001", after=last["next"])["items"]) == 1
    everything = ask(world)["items"]
    assert [item["notification_id"] for item in everything[:10]] == [body["notification_id"] for body in created]
    read = next(item for item in everything if item["notification_id"] == of_one[4])
    assert (read["acknowledged_by"], read["version"]) == ("nurse-1", 3)


def test_the_list_is_read_by_role(world, tap):
    tell(world, "bloodbank.stock.low", alert())
    tell(world, "hospital.blood.requested", requested())
    tap.expect("notification.message.created", count=2)
    assert [item["kind"] for item in ask(world, role="bank")["items"]] == ["stock_low"]
    assert [item["kind"] for item in ask(world, role="hospital", facility_id="hospital-001")["items"]] == ["request_received"]
    assert ask(world, role="bank", facility_id="hospital-001")["items"] == []
    assert "next" in ask(world, facility_id="nobody"), "a client may poll on from an empty list"


def test_a_place_that_was_never_given_is_not_answered(world, worker):
    with pytest.raises(AssertionError, match="in vain for an answer"):
        world.ask("notification.query.messages", {"after": "somewhere"}, timeout=1)
    assert "was never given as a place" in worker.log_text()


# -- keeping

def test_old_notifications_are_deleted(world, worker, tap):
    told_one(world, tap)
    assert worker.stop() == 0
    world.sql("notification", """
        WITH last AS (UPDATE list SET last_position = last_position + 2501 RETURNING last_position)
        INSERT INTO notification (notification_id, position, facility_id, role, kind, is_emergency, entity, transition, text,
            created_at, delivered_at)
        SELECT gen_random_uuid(), last_position - 2501 + n, 'hospital-001', 'hospital', 'request_received', false, 'request:' || n,
            'requested', 'old', now() - interval '90 days 1 minute', CASE WHEN n > 1 THEN now() END
        FROM last, generate_series(1, 2501) AS n""")
    world.start_worker("notification")
    wait_until(lambda: world.sql("notification", "SELECT count(*) FROM notification") == [(2,)],
               what="all that is old and delivered to be deleted")
    assert world.sql("notification", "SELECT count(*) FROM notification WHERE delivered_at IS NULL") == [(1,)]
