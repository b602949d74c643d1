"""Stock alerts on real servers: told once at each change for the worse, once when all is well again, and never because something
was heard, started or killed a second time."""
import pytest

from blood import Chain, bag, unit_id, wish
from servers import wait_until

ALERTS = ("bloodbank.stock.low", "bloodbank.stock.critical", "bloodbank.stock.recovered")


@pytest.fixture
def chain(world):
    made = Chain(world, hospital=False)
    yield made
    made.check_books()


def alerts(chain):
    """What was told so far and not yet looked at, in the order heard: [(word, available)]."""
    chain.tap.connection.process_data_events(time_limit=0)
    found = [message for message in chain.tap.messages if message.type in ALERTS]
    chain.tap.messages = [message for message in chain.tap.messages if message not in found]
    return [(message.type.rpartition(".")[2], message.body["available"]) for message in found]


def settled(chain, version, group="O+", bank_id="bank-001"):
    """Everything about a shelf up to that version is on the bus: an alert is published behind the state that it belongs to."""
    chain.tap.one("bloodbank.inventory.updated", where=lambda message: (
        message.body["version"], message.body["group"], message.body["bank_id"]) == (version, group, bank_id))
    wait_until(lambda: chain.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)], what="all to be sent")


def take(chain, quantity=1, group="O+"):
    body = wish(group, quantity, urgency="emergency")
    chain.ask(body, event="hospital.blood.requested")
    return body


def level(chain, group="O+"):
    answer = chain.world.ask("bloodbank.query.stock", {"bank_id": "bank-001", "component": "red_cells", "group": group})
    return answer.body["items"][0]["level"]


def test_told_once_and_again_only_when_it_gets_worse(chain):
    chain.stock(8)
    take(chain, 3)
    settled(chain, 3)
    assert alerts(chain) == []
    for _ in range(3):
        take(chain)
    settled(chain, 6)
    assert alerts(chain) == [("low", 4)]
    assert level(chain) == "low"
    take(chain)
    settled(chain, 7)
    assert alerts(chain) == [("critical", 1)]
    assert level(chain) == "critical"
    take(chain)
    settled(chain, 8)
    assert alerts(chain) == []


def test_what_an_alert_says(chain):
    chain.stock(5)
    take(chain)
    low = chain.tap.one("bloodbank.stock.low")
    (updated,) = [message for message in chain.tap.messages
                  if message.type == "bloodbank.inventory.updated" and message.body["version"] == 3]
    assert low.body | {"at": 0} == {"bank_id": "bank-001", "component": "red_cells", "group": "O+", "available": 4,
                                    "days_of_stock": None, "threshold": 5, "threshold_unit": "units", "version": 3, "at": 0}
    assert updated.body["level"] == "low"
    assert low.routing_key == "bloodbank.stock.low" and low.properties.correlation_id == updated.properties.correlation_id


def test_days_of_stock_count_where_the_demand_is_known(chain):
    chain.stock(13)
    chain.sql("UPDATE stock SET demand_28_days = 56 WHERE blood_group = 'O+'")
    take(chain)
    settled(chain, 3)
    assert alerts(chain) == []
    take(chain)
    low = chain.tap.one("bloodbank.stock.low")
    assert (low.body["days_of_stock"], low.body["threshold"], low.body["threshold_unit"]) == (5.5, 6, "days")


def test_recovered_when_it_is_clearly_enough(chain):
    chain.stock(5)
    take(chain)
    settled(chain, 3)
    assert alerts(chain) == [("low", 4)]
    chain.stock(1)
    settled(chain, 4)
    assert (alerts(chain), level(chain)) == ([], "low")
    chain.stock(1)
    recovered = chain.tap.one("bloodbank.stock.recovered")
    assert (recovered.body["available"], recovered.body["threshold"]) == (6, 5)
    assert level(chain) == "normal"
    chain.stock(1)
    settled(chain, 6)
    assert alerts(chain) == []
    take(chain, 3)
    assert chain.tap.one("bloodbank.stock.low").body["available"] == 4


def test_a_new_bank_is_no_alarm(chain):
    for group in ("O+", "A+", "B-"):
        chain.stock(2, group)
        settled(chain, 2, group)
    chain.stock(10, "B-")
    settled(chain, 3, "B-")
    assert alerts(chain) == []
    assert (level(chain, "A+"), level(chain, "B-"), level(chain, "AB-")) == ("low", "normal", "critical")
    take(chain, 1, "A+")
    assert chain.tap.one("bloodbank.stock.critical").body["group"] == "A+"


def test_expiry_is_told_too(chain):
    units = chain.stock(5)
    settled(chain, 2)
    chain.sql("UPDATE unit SET expires_at = now() WHERE unit_id = %s", (unit_id(units[0]),))
    assert chain.tap.one("bloodbank.stock.low").body["available"] == 4


def test_replayed_or_started_anew_nothing_is_told_again(chain):
    """A message that comes again hears its own outputs again, under their ids: that is for whoever missed them, and no news."""
    chain.stock(5)
    message_ids = {}
    bodies = [wish("O+", 1, urgency="emergency") for _ in range(2)]
    for body in bodies:
        message_ids[body["request_id"]] = chain.send(body, "hospital.blood.requested")
        chain.decision(body)
    settled(chain, 4)
    told = chain.tap.one("bloodbank.stock.low")
    for body in bodies:
        chain.send(body, "hospital.blood.requested", message_id=message_ids[body["request_id"]])
        chain.decision(body)
        chain.send(body, "hospital.blood.requested")
        chain.decision(body)
    assert chain.bank.stop() == 0
    chain.bank = chain.world.start_worker("bloodbank")
    take(chain)
    settled(chain, 5)
    again = [message for message in chain.tap.messages if message.type in ALERTS]
    assert {(message.id, message.raw) for message in again} <= {(told.id, told.raw)}
    assert chain.sql("SELECT count(*) FROM outbox WHERE type LIKE 'bloodbank.stock.%'") == [(1,)]


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "after_first_publish", "after_publish"])
def test_killed_at_an_alert_it_is_told_once(world, point):
    """Whether it was stored, sent or neither: started again, there is one alert, with one id."""
    chain = Chain(world, hospital=False)
    chain.stock(5)
    settled(chain, 2)
    assert chain.bank.stop() == 0
    body = wish("O+", 1, urgency="emergency")
    chain.send(body, "hospital.blood.requested")
    dying = world.start_worker("bloodbank", {"SWEEP_AFTER_MS": 500}, crash_at=point, ready=False)
    assert dying.wait() == -9
    chain.bank = world.start_worker("bloodbank", {"SWEEP_AFTER_MS": 500})
    chain.decision(body)
    settled(chain, 3)
    chain.tap.connection.process_data_events(time_limit=0)
    told = [message for message in chain.tap.messages if message.type in ALERTS]
    assert {(message.type, message.body["available"]) for message in told} == {("bloodbank.stock.low", 4)}
    assert len({message.id for message in told}) == 1
    assert chain.sql("SELECT level FROM stock WHERE level IS NOT NULL") == [("low",)]


def test_each_bank_has_its_own(chain):
    chain.receive(*(bag("O+") for _ in range(5)), bank_id="bank-002")
    chain.stock(5)
    take(chain)
    low = chain.tap.one("bloodbank.stock.low")
    assert low.body["bank_id"] == "bank-001"
    chain.tap.quiet("bloodbank.stock.low")
