"""Questions on real servers: pages of requests and units, single units, a hospital's own stock; read only, to the asker alone."""
import pytest

from blood import Chain, bag, given, unit_id, wish
from servers import wait_until


@pytest.fixture
def chain(world):
    return Chain(world)


def pages(world, query, question, limit):
    """All items of a list, page by page; none but the last is without `next`, and none is longer than asked."""
    items, cursor = [], None
    while True:
        body = question | {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = world.ask(query, body).body
        assert len(answer["items"]) <= limit
        items += answer["items"]
        cursor = answer.get("next")
        if cursor is None:
            return items
        assert answer["items"]


def requests_known(chain, count):
    wait_until(lambda: chain.sql("SELECT count(*) FROM request", database="hospital") == [(count,)], what="the requests")


def test_requests_come_newest_first(chain):
    bodies = [wish("AB-", hospital_id=f"hospital-00{1 + number % 3}") for number in range(12)]
    for number, body in enumerate(bodies):
        chain.send(body)
        requests_known(chain, number + 1)
    asked = [body["request_id"] for body in reversed(bodies)]
    for body in bodies:
        chain.status(body, "rejected")
    found = pages(chain.world, "hospital.query.requests", {}, 5)
    assert [item["request_id"] for item in found] == asked
    assert [item["requested_at"] for item in found] == sorted((item["requested_at"] for item in found), reverse=True)
    own = pages(chain.world, "hospital.query.requests", {"hospital_id": "hospital-002"}, 3)
    assert [item["request_id"] for item in own] == [asked[place] for place in (1, 4, 7, 10)]
    assert pages(chain.world, "hospital.query.requests", {"hospital_id": "hospital-999"}, 20) == []


def test_requests_by_status_are_as_the_view_has_them(chain):
    units = chain.stock(4)
    approved, partial, rejected = wish(quantity=2), wish(quantity=3), wish("B-")
    for body, status in ((approved, "approved"), (partial, "partially_approved"), (rejected, "rejected")):
        chain.send(body)
        chain.status(body, status)
        (item,) = pages(chain.world, "hospital.query.requests", {"status": status, "hospital_id": "hospital-001"}, 20)
        view = chain.view("request", body["request_id"])
        assert item | {"stored_version": item["version"]} == view
    assert pages(chain.world, "hospital.query.requests", {"status": "cancelled"}, 20) == []
    (item,) = pages(chain.world, "hospital.query.requests", {"status": "approved"}, 20)
    assert [unit["unit_id"] for unit in item["units"]] == [unit_id(unit) for unit in units[:2]]


def test_a_page_leads_on_while_requests_are_added(chain):
    first = [wish("AB-") for _ in range(9)]
    for body in first:
        chain.send(body)
    requests_known(chain, 9)
    page = chain.world.ask("hospital.query.requests", {"limit": 4}).body
    later = [wish("AB-") for _ in range(3)]
    for body in later:
        chain.send(body)
    requests_known(chain, 12)
    rest = []
    while page is not None:
        rest += page["items"]
        page = chain.world.ask("hospital.query.requests", {"limit": 4, "cursor": page["next"]}).body if "next" in page else None
    assert sorted(item["request_id"] for item in rest) == sorted(body["request_id"] for body in first)


@pytest.mark.parametrize("query", ["hospital.query.requests", "bloodbank.query.units"])
def test_a_malformed_cursor_is_dropped(chain, query):
    """Nobody is answered, nothing is parked, and the next question is."""
    worker = chain.hospital if query.startswith("hospital") else chain.bank
    chain.world.publish(query, {"cursor": "next, please"}, user="operator", exchange="questions", reply_to="operator.x")
    wait_until(lambda: "no cursor" in worker.log_text(), what="the worker to say so")
    assert chain.world.ask(query, {}).body["items"] == []
    chain.tap.connection.process_data_events(time_limit=0)
    assert not [message for message in chain.tap.messages if message.routing_key.endswith(".answer.operator.x")]
    assert chain.world.depth(f"{query.split('.', maxsplit=1)[0]}.parked") == 0


def test_a_hospitals_own_stock(chain):
    assert chain.world.ask("hospital.query.stock", {"hospital_id": "hospital-001"}).body["items"] == []
    chain.sql("""INSERT INTO hospital_stock VALUES ('hospital-001', 'red_cells', 'O-', 3, 7),
        ('hospital-001', 'cryo', 'A+', 0, 2), ('hospital-002', 'plasma', 'AB+', 1, 1)""", database="hospital")
    answer = chain.world.ask("hospital.query.stock", {"hospital_id": "hospital-001"})
    assert answer.type == "hospital.stock.answered" and answer.body["as_of"]
    assert answer.body["items"] == [
        {"hospital_id": "hospital-001", "component": "cryo", "group": "A+", "on_hand": 0, "version": 2},
        {"hospital_id": "hospital-001", "component": "red_cells", "group": "O-", "on_hand": 3, "version": 7}]


def test_one_unit(chain):
    unit = bag(attributes=["irradiated"], antigens=["K-"], volume_ml=280, donor_ref="donor-1")
    chain.receive(unit)
    answer = chain.world.ask("bloodbank.query.unit", {"unit_id": unit_id(unit)}).body
    known = answer["unit"]
    assert answer["found"] and answer["as_of"]
    assert {name: known[name] for name in unit if name != "collected_at"} == {
        name: value for name, value in unit.items() if name != "collected_at"}
    assert (known["unit_id"], known["bank_id"], known["status"], known["version"]) == (unit_id(unit), "bank-001", "available", 1)
    assert "request_id" not in known and "reserved_until" not in known
    body = wish()
    chain.ask(body)
    held = chain.world.ask("bloodbank.query.unit", {"unit_id": unit_id(unit)}).body["unit"]
    assert (held["status"], held["request_id"], held["version"]) == ("reserved", body["request_id"], 2)
    assert held["reserved_until"]
    nobody = chain.world.ask("bloodbank.query.unit", {"unit_id": "A999926999999-E0336-00"}).body
    assert nobody["found"] is False and "unit" not in nobody


def test_units_page_by_page(chain):
    ours = [unit_id(unit) for group in ("O+", "A-") for unit in chain.stock(6, group)]
    theirs = [unit_id(unit) for unit in chain.stock(5, "O+", bank_id="bank-002")]
    plasma = [unit_id(unit) for unit in chain.stock(3, "O+", component="plasma")]
    taken = given(chain.ask(wish("A-", 2)))

    def listed(**question):
        return [item["unit_id"] for item in pages(chain.world, "bloodbank.query.units", question, 4)]

    assert listed() == sorted(ours + theirs + plasma)
    assert listed(bank_id="bank-002") == sorted(theirs)
    assert listed(component="plasma") == sorted(plasma)
    assert listed(bank_id="bank-001", component="red_cells", group="A-", status="available") == sorted(set(ours[6:]) - set(taken))
    assert listed(status="reserved") == sorted(taken)
    assert listed(group="B+") == []


def test_an_answer_goes_to_the_asker_and_is_not_kept(chain):
    chain.stock(1)
    answer = chain.world.ask("bloodbank.query.units", {"bank_id": "bank-001"})
    assert answer.routing_key.startswith("bloodbank.answer.operator.")
    assert chain.sql("SELECT count(*) FROM outbox WHERE type LIKE '%answered'") == [(0,)]
