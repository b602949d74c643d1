"""
Two processes of each worker at once: requests, arrivals, and what time ends, all mixed. Each lane of the real queues is
active in one process at a time; here both take from both lanes, so that nothing but the locks keeps them apart.
"""
import random
import signal

from blood import IN_VAIN, Chain, bag, in_seconds, share_lanes, wish
from servers import wait_until

REQUESTS = 700
ARRIVALS = 25
HOSPITALS = ("hospital-001", "hospital-002", "hospital-003")
BANKS = ("bank-001", "bank-002")
URGENCIES = ("emergency", "emergency", "urgent", "routine", "routine", "replenishment")
# Whole blood has no floor and hardly any choice: who waits for it, and in which order, can be checked from outside.
GROUPS = ("O+", "A+", "B+")

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
        -- both times are those of a batch's start, before it waited for its locks
        AND early.decided_at + interval '0.5 s' < late.decided_at
        AND late.decided_at + interval '0.5 s' < early.waited_until"""

# Units that end, or whose reservation ends, while the test runs; and scheduled requests that fall due.
DUE = """
    SELECT (SELECT count(*) FROM request WHERE status = 'scheduled' AND allocate_at < now() + interval '1 hour')
        + (SELECT count(*) FROM unit WHERE status IN ('available', 'reserved')
            AND least(reserved_until, expires_at) < now() + interval '1 hour')"""


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


def mix_load(bodies, arrivals, chance):
    """Everything that is to be published, in any order; some of it twice."""
    steps = [("hospital.blood.request" if place % 2 else "hospital.blood.requested", body)
             for place, body in enumerate(bodies)]
    steps += [("bloodbank.unit.receive", body) for body in arrivals]
    steps += chance.sample(steps, len(steps) // 10)
    chance.shuffle(steps)
    return steps


def send_load(world, banks, steps):
    """The first half waits for the banks, which then meet with full batches; the other half finds them at work."""
    for bank in banks:
        bank.signal(signal.SIGSTOP)
    for place, (event, body) in enumerate(steps):
        world.publish(event, body)
        if place == len(steps) // 2:
            for bank in banks:
                bank.signal(signal.SIGCONT)


def is_over(chain):
    return (chain.sql("SELECT count(*) FROM request") == [(REQUESTS,)] and chain.sql(DUE) == [(0,)]
            and all(chain.sql("SELECT count(*) FROM outbox WHERE sent_at IS NULL", database=name) == [(0,)]
                    for name in ("bloodbank", "hospital")))


def test_two_processes_and_all_that_happens(world):
    share_lanes(world)
    chance = random.Random(20261122)
    chain = Chain(world)
    banks = [chain.bank, world.start_worker("bloodbank", env={"INSTANCE": "2"})]
    hospitals = [chain.hospital, world.start_worker("hospital", env={"INSTANCE": "2"})]
    for bank_id in BANKS:
        chain.receive(*[a_bag(chance) for _ in range(120)], bank_id=bank_id)
    bodies = [a_wish(chance) for _ in range(REQUESTS)]
    arrivals = [{"bank_id": chance.choice(BANKS), "units": [a_bag(chance) for _ in range(8)]}
                for _ in range(ARRIVALS)]
    send_load(world, banks, mix_load(bodies, arrivals, chance))
    wait_until(lambda: is_over(chain), 30, "everything to be decided, and all that ends to have ended")
    for worker in banks + hospitals:
        assert worker.is_ready()
        assert worker.metric("carebus_conflicts_total") == 0, worker.log_tail()
        # Messages, not batches: how many a batch has is the machine's affair, and a slow worker's are few, and large.
        assert worker.metric("carebus_messages_total", 'outcome="done"') > 20, "it had no part in this"
    chain.check_books()
    chain.check_hospital()
    assert chain.sql(IN_VAIN) == []
    assert chain.sql(OUT_OF_TURN) == []
    assert chain.sql("SELECT count(*) FROM decision WHERE (body::jsonb ->> 'allocation_no')::int > 1") > [(20,)]
