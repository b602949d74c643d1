"""A worker is killed at every externally visible step, with other messages in the same batch. Started again, it must leave exactly
what an undisturbed worker leaves: one effect, the same ids and bytes, every input acknowledged, nothing unsent, nobody parked
but those at fault."""
import pytest

import bodies
import kills
from servers import wait_until
from trial import PLANS, Trial, crash_points, received

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
    kills.kill_in_the_sweep(world, references(worker), worker)


def test_killed_after_a_timer(world):
    """What a timer decided is sent by the sweeper: no message comes again that would ask for it."""
    plan = PLANS["bloodbank"]()
    trial = Trial(world, plan)
    trial.start()
    trial.publish([received("short", 30, 1, group="B+", expires_at=bodies.soon(4)), received("long", 31, 1, group="B+")])
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
    kills.miss_a_binding(world, worker, event)


def test_every_point_is_swept():
    assert set(OWN_SCENE) | set(kills.PER_OUTPUT) | set(kills.BEFORE_CONFIRMS) <= set(crash_points())
