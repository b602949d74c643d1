"""Two processes of the bank at once, each with a lane of its own: requests, arrivals, and what time ends, all mixed."""
import random
import threading

import pytest
from blood import Chain, bag, in_seconds, wish
from servers import wait_until

REQUESTS = 700
ARRIVALS = 25
HOSPITALS = ("hospital-001", "hospital-002", "hospital-003")
BANKS = ("bank-001", "bank-002")
URGENCIES = ("emergency", "emergency", "urgent", "routine", "routine", "replenishment")
# Whole blood has no floor and hardly any choice: who waits for it, and in which order, can be checked from outside.
GROUPS = ("O+", "A+", "B+")

IN_VAIN = """
    SELECT r.request_id, u.unit_id FROM request r
    JOIN unit u ON u.component = r.component AND u.blood_group::text IN (r.blood_group, replace(r.blood_group, '+', '-'))
    WHERE r.status = 'waiting' AND r.component = 'whole_blood' AND u.status = 'available' AND u.designated_for IS NULL
        AND u.expires_at > now()"""

# A request got more of its back-order while another, which comes before it, waited for the same.
OUT_OF_TURN = """
    WITH told AS (
        SELECT r.request_id, r.component, r.blood_group, r.received_at, d.version, d.body::jsonb AS body,
            array_position(ARRAY['emergency', 'urgent', 'routine', 'replenishment'], r.urgency) AS level,
            (d.body::jsonb ->> 'decided_at')::timestamptz AS decided_at
        FROM request r JOIN decision d USING (request_id) WHERE d.event = 'bloodbank.blood.approved'
    ), waited AS (
        SELECT *, lead(decided_at, 1, 'infinity') OVER (PARTITION BY request_id ORDER BY version) AS waited_until
        FROM told
    )
    SELECT late.request_id, early.request_id FROM told late
    JOIN waited early USING (component, blood_group)
    WHERE late.component = 'whole_blood' AND (late.body ->> 'allocation_no')::int > 1
        AND (early.body ->> 'backordered')::int > 0 AND early.request_id <> late.request_id
        AND (early.level, early.received_at) < (late.level, late.received_at)
        AND early.decided_at < late.decided_at AND late.decided_at < early.waited_until"""


def active_lanes(world):
    """Which consumer has which lane."""
    return {consumer["queue"]["name"]: consumer["consumer_tag"] for consumer in world.management("consumers/{vhost}")
            if consumer["active"] and consumer["queue"]["name"] in ("bloodbank", "bloodbank.emergency")}


def a_bag(chance):
    life = {"expires_at": in_seconds(chance.uniform(3, 9))} if chance.random() < 0.15 else {}
    component = chance.choice(("red_cells", "whole_blood"))
    return bag(chance.choice(("O-", "O+", "A+", "B+")), component, chance.randint(1, 15), **life)


def a_wish(chance):
    urgency = chance.choice(URGENCIES)
    more = {}
    if chance.random() < 0.15:
        more["sample"] = {"id": "s-1", "expires_at": in_seconds(chance.uniform(2, 8))}
    elif chance.random() < 0.1 and urgency != "emergency":
        more["needed_at"] = in_seconds(48 * 3600 + chance.uniform(1, 6))
    component = chance.choice(("red_cells", "whole_blood"))
    return wish(chance.choice(GROUPS), chance.randint(1, 3), urgency=urgency, hospital_id=chance.choice(HOSPITALS),
                component=component, **more)


def send_load(world, bodies, arrivals, chance):
    """Publishes everything, in any order; some of it twice."""
    steps = [("hospital.blood.request" if place % 2 else "hospital.blood.requested", body)
             for place, body in enumerate(bodies)]
    steps += [("bloodbank.unit.receive", body) for body in arrivals]
    steps += chance.sample(steps, len(steps) // 10)
    chance.shuffle(steps)
    for event, body in steps:
        world.publish(event, body)


@pytest.mark.parametrize("seed", [1])
def test_two_lanes_in_two_processes(world, seed):
    chance = random.Random(seed)
    chain = Chain(world)
    other = world.start_worker("bloodbank", env={"INSTANCE": "2"})
    for bank_id in BANKS:
        chain.receive(*[a_bag(chance) for _ in range(120)], bank_id=bank_id)
    bodies = [a_wish(chance) for _ in range(REQUESTS)]
    arrivals = [{"bank_id": chance.choice(BANKS), "units": [a_bag(chance) for _ in range(8)]} for _ in range(ARRIVALS)]
    load = threading.Thread(target=send_load, args=(world, bodies, arrivals, chance))
    load.start()
    lanes = []
    while load.is_alive():
        lanes.append(active_lanes(world))
        load.join(0.3)
    print("LANES", lanes)

    def over():
        busy = chain.sql("""SELECT (SELECT count(*) FROM request WHERE status = 'scheduled' AND allocate_at < now() + interval '9 s')
            + (SELECT count(*) FROM unit WHERE status IN ('available', 'reserved')
                AND least(reserved_until, expires_at) < now() + interval '9 s')
            + (SELECT count(*) FROM outbox WHERE sent_at IS NULL)""")
        return busy == [(0,)] and chain.sql("SELECT count(*) FROM request") == [(REQUESTS,)]
    wait_until(over, 40, "everything to be decided and due")
    chain.check_books()
    chain.check_hospital()
    assert chain.sql(IN_VAIN) == []
    assert chain.sql(OUT_OF_TURN) == []
    for worker in (chain.bank, other):
        print(worker.metrics())
    print(chain.sql("SELECT status, component, count(*), sum(quantity_allocated), max(allocation_no) FROM request GROUP BY 1, 2 ORDER BY 1, 2"))
