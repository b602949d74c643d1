"""A worker is killed at every externally visible step, with other messages in the same batch. Started again, it must leave exactly
what an undisturbed worker leaves: one effect, the same ids and bytes, every input acknowledged, nothing unsent, nobody parked
but those at fault."""
import datetime

import pytest

import bodies
from servers import wait_until
from trial import PLANS, SWEEP_AFTER_MS, Trial, asked, compare, counter, crash_points, received, requested

# At which passage: in the midst of the outputs.
PER_OUTPUT = ("after_first_publish", "after_view", "after_confirm")
# Nothing of the batch may be acknowledged at these: no output is confirmed.
BEFORE_CONFIRMS = ("after_read", "after_inbox", "after_load", "after_decide", "before_commit", "after_commit",
                   "after_first_publish", "after_publish")
OWN_SCENE = ("after_attempt", "after_sweep_claim", "after_timer_commit")


def settle_and_compare(trial, expected):
    trial.start()
    trial.settle(len(expected["inbox"]))
    compare(trial.state(), expected)


def unbind(world, exchange, key):
    """Remove every queue's binding with this key; return the queues."""
    channel = world.connect("admin").channel()
    queues = [binding["destination"] for binding in world.management(f"exchanges/{{vhost}}/{exchange}/bindings/source")
              if binding["routing_key"] == key and binding["destination_type"] == "queue"]
    for queue in queues:
        channel.queue_unbind(queue, exchange, key)
    assert queues
    return queues


@pytest.mark.parametrize("point", [point for point in crash_points() if point not in OWN_SCENE])
@pytest.mark.parametrize("worker", PLANS)
def test_killed_in_a_batch(world, references, worker, point):
    expected = references(worker)
    if point == "after_view" and not expected["views"]:
        pytest.skip(f"{worker} has no views")
    trial = Trial(world, PLANS[worker]())
    trial.crash_in_batch(f"{point}:5" if point in PER_OUTPUT else point)
    if point in BEFORE_CONFIRMS:
        wait_until(lambda: trial.waiting() == len(trial.plan.batch), what=f"all of the batch to be delivered again: {point}")
    trial.publish(trial.plan.late)
    trial.may_crash(point)
    settle_and_compare(trial, expected)


@pytest.mark.parametrize("worker", PLANS)
def test_killed_after_an_attempt_was_counted(world, references, worker):
    """Only what was delivered before counts its attempts."""
    expected = references(worker)
    trial = Trial(world, PLANS[worker]())
    trial.crash_in_batch("after_inbox")
    trial.publish(trial.plan.late)
    trial.crash("after_attempt")
    assert trial.rows("SELECT count(*), max(attempts) FROM attempt") == [(1, 1)]
    trial.crash("after_attempt:2")
    settle_and_compare(trial, expected)
    assert trial.rows("SELECT max(attempts) FROM attempt")[0][0] is None, "a success forgets the attempts"


@pytest.mark.parametrize("worker", PLANS)
def test_killed_in_the_sweep(world, references, worker):
    """Only what stayed unsent is swept."""
    expected = references(worker)
    trial = Trial(world, PLANS[worker]())
    trial.crash_in_batch("after_commit")
    trial.publish(trial.plan.late)
    wait_until(lambda: trial.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND created_at < now() - "
                                  f"interval '{SWEEP_AFTER_MS} ms'")[0][0], what="outputs to be old enough")
    trial.crash("after_sweep_claim")
    settle_and_compare(trial, expected)


def test_killed_after_a_timer(world):
    """What a timer decided is sent by the sweeper: no message comes again that would ask for it."""
    plan = PLANS["bloodbank"]()
    trial = Trial(world, plan)
    trial.start()
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=4)
    trial.publish([received("short", 30, 1, group="B+", expires_at=bodies.stamp(soon)), received("long", 31, 1, group="B+")])
    trial.settle(2)
    assert trial.worker.stop() == 0
    wait_until(lambda: trial.rows("SELECT 1 FROM unit WHERE expires_at <= now()"), what="the unit's end")
    trial.crash("after_timer_commit:2")
    assert trial.rows("SELECT status FROM unit ORDER BY unit_id") == [("expired",), ("available",)]
    assert trial.unsent() > 0
    trial.start()
    trial.settle(2)
    trial.listen()
    expired = [what for what in trial.heard().values() if what[2] == "bloodbank.unit.expired"]
    assert len(expired) == 1 and bodies.unit_id(30) in expired[0][3]


@pytest.mark.parametrize("worker, event", [("hospital", "hospital.blood.requested"), ("bloodbank", "bloodbank.blood.rejected")])
def test_a_missing_binding(world, worker, event):
    """An output that no queue takes stays unsent, is counted, and is sent when the binding is back; the input does not wait."""
    trial = Trial(world, PLANS[worker](), with_tap=False)  # a tap would take it
    lost = unbind(world, worker, event)
    trial.start()
    trial.publish([asked("lonely")] if worker == "hospital" else [requested("lonely", component="cryo")])
    wait_until(lambda: counter(trial.worker, "carebus_publishes_total", answer="returned") >= 2, 20, "the sweeper to try again")
    wait_until(lambda: trial.waiting() == 0 and sum(map(world.held, trial.queues())) == 0, what="the input's acknowledgement")
    assert trial.rows("SELECT type FROM outbox WHERE sent_at IS NULL") == [(event,)]
    channel = world.connect("admin").channel()
    for queue in lost:
        channel.queue_bind(queue, worker, event)
    wait_until(lambda: trial.unsent() == 0, 20, "the output to be sent")
    assert world.depth("bloodbank" if worker == "hospital" else "hospital") == (1 if worker == "hospital" else 2)


def test_every_point_is_swept():
    assert set(OWN_SCENE) <= set(crash_points()) and set(PER_OUTPUT) <= set(crash_points())
