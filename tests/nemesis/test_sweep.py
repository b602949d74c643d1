"""A worker is killed at every externally visible step, with other messages in the same batch. Started again, it must leave exactly
what an undisturbed worker leaves: one effect, the same ids and bytes, every input acknowledged, nothing unsent, nobody parked
but those at fault."""
import pytest

from servers import wait_until
from trial import PLANS, SWEEP_AFTER_MS, Trial, compare, crash_points

# At which passage: so late that the batch is full (the first deliveries come one by one).
PER_OUTPUT = ("after_first_publish", "after_view", "after_confirm")
ONCE = ("after_park_sent", "after_sweep_claim", "after_sent_mark", "after_attempt")
# Points that come before any acknowledgement of the batch that is killed.
BEFORE_ACK = ("after_read", "after_inbox", "after_load", "after_decide", "before_commit", "after_commit",
              "after_first_publish", "after_publish", "after_confirm")


def passage(point):
    if point in PER_OUTPUT:
        return f"{point}:7"
    return point if point in ONCE else f"{point}:3"


def crash_in_batch(trial, point):
    """Bring the worker to the point. Some need a scene of their own."""
    if point == "after_attempt":  # only what was delivered before counts its attempts
        trial.crash("after_inbox:3")
        trial.crash(point)
    elif point == "after_sweep_claim":  # only what stayed unsent is swept
        trial.crash("after_commit:3")
        wait_until(lambda: trial.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND created_at < now() - "
                                      f"interval '{SWEEP_AFTER_MS} ms'")[0][0], what="outputs to be old enough")
        trial.crash(point)
    else:
        trial.crash(passage(point))


@pytest.mark.parametrize("point", [point for point in crash_points() if point != "after_timer_commit"])
@pytest.mark.parametrize("worker", PLANS)
def test_killed_at(world, references, worker, point):
    expected = references(worker)
    trial = Trial(world, PLANS[worker]())
    trial.prepare()
    trial.publish(trial.plan.batch)
    crash_in_batch(trial, point)
    trial.crash(point, must=False)
    trial.start()
    trial.settle(len(expected["inbox"]))
    compare(trial.state(), expected)
