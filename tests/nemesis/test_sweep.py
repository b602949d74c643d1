"""A worker is killed at every externally visible step, with other messages in the same batch. Started again, it must leave exactly
what an undisturbed worker leaves: one effect, the same ids and bytes, every input acknowledged, nothing unsent, nobody parked
but those at fault."""
import pytest

import bodies
import kills
from servers import wait_until
from trial import PLANS, Trial, crash_points, received, requested

OWN_SCENE = ("after_attempt", "after_sweep_claim", "after_timer_commit")


@pytest.mark.parametrize("point", [point for point in crash_points() if point not in OWN_SCENE])
@pytest.mark.parametrize("worker", PLANS)
def test_killed_in_a_batch(world, references, worker, point):
    expected = references(worker)
    if point == "after_view" and not expected["views"]:
        pytest.skip(f"{worker} has no views")
    kills.kill_in_a_batch(world, expected, worker, point)


@pytest.mark.parametrize("worker", PLANS)
def test_killed_after_an_attempt_was_counted(world, references, worker):
    kills.kill_after_an_attempt(world, references(worker), worker)


@pytest.mark.parametrize("worker", PLANS)
def test_killed_in_the_sweep(world, references, worker):
    expected = references(worker)
    if not expected["views"]:
        pytest.skip(f"what a batch of {worker} left unsent goes out when its messages come again; timers' outputs are swept")
    kills.kill_in_the_sweep(world, expected, worker)


def let_a_unit_end(trial):
    trial.publish([received("short", 30, 1, group="B+", expires_at=bodies.soon(4)), received("long", 31, 1, group="B+")])
    trial.settle(2)
    assert trial.worker.stop() == 0
    wait_until(lambda: trial.rows("SELECT 1 FROM unit WHERE expires_at <= now()"), what="the unit's end")


def let_a_reservation_end(trial):
    trial.publish([received("stock", 1, 6), requested("one")])
    trial.settle(2)
    assert trial.worker.stop() == 0
    trial.rows("UPDATE unit SET reserved_until = now() - interval '1 second' WHERE status = 'reserved'")


def let_a_request_become_due(trial):
    trial.publish([received("stock", 1, 6), requested("one", needed_at=bodies.soon(3 * 24 * 3600))])
    trial.settle(2)
    assert trial.worker.stop() == 0
    trial.rows("UPDATE request SET allocate_at = now() - interval '1 second' WHERE status = 'scheduled'")


@pytest.mark.parametrize("prepare, passage, event", [
    (let_a_unit_end, 2, "bloodbank.unit.expired"),
    (let_a_reservation_end, 2, "bloodbank.reservation.released"),
    (let_a_request_become_due, 1, "bloodbank.blood.approved"),
], ids=["unit", "reservation", "scheduled request"])
def test_killed_after_a_timer(world, prepare, passage, event):
    """What a timer decided is sent by the sweeper: no message comes again that would ask for it."""
    trial = Trial(world, PLANS["bloodbank"]())
    trial.start()
    prepare(trial)
    trial.crash(f"after_timer_commit:{passage}")
    assert trial.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND type = %s", [event]) == [(1,)]
    trial.start()
    trial.settle(2)
    trial.listen()
    assert len([what for what in trial.heard().values() if what[2] == event]) == 1


@pytest.mark.parametrize("worker, event", [("hospital", "hospital.blood.requested"), ("bloodbank", "bloodbank.blood.rejected"),
                                           ("notification", "notification.message.created")])
def test_a_missing_binding(world, worker, event):
    kills.miss_a_binding(world, worker, event)


def test_every_point_is_swept():
    assert set(OWN_SCENE) | set(kills.PER_OUTPUT) | set(kills.BEFORE_CONFIRMS) <= set(crash_points())
