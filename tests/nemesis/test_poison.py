"""A message that kills whoever starts it is found out and set aside; those beside it are not blamed."""
import pytest

import bodies
from servers import wait_until
from trial import PLANS, Trial, asked, requested

STARTS_MAX = 3  # that are counted; the first, before it is marked redelivered, is not


@pytest.mark.parametrize("worker, message", [("hospital", asked), ("bloodbank", requested)])
def test_a_poisonous_message(world, worker, message):
    trial = Trial(world, PLANS[worker](), with_tap=False)
    neighbours = [message(f"neighbour {number}", component="cryo") for number in range(6)]
    trial.publish([message("poison", component="cryo")] + neighbours)
    for _ in range(1 + STARTS_MAX):
        trial.crash("after_decide")
    assert trial.rows("SELECT attempts FROM attempt") == [(STARTS_MAX,)]
    trial.start()
    trial.settle(len(neighbours))
    [parked] = world.parked(worker)
    headers = parked["properties"]["headers"]
    assert parked["properties"]["message_id"] == bodies.identity("poison")
    assert (headers["reason"], headers["attempts"], headers["sender"]) == ("poison", STARTS_MAX, "upstream")
    assert trial.rows("SELECT count(*) FROM request") == [(len(neighbours),)]
    assert trial.rows("SELECT count(*) FROM attempt") == [(0,)]
    trial.publish([message("poison", component="cryo")])  # replayed, after a repair
    wait_until(lambda: trial.rows("SELECT count(*) FROM request") == [(len(neighbours) + 1,)], what="the replayed message")
    assert len(world.parked(worker)) == 1


def test_neighbours_of_many_crashes(world):
    """Crash after crash in full batches: as long as each start finishes something, nobody is parked."""
    trial = Trial(world, PLANS["hospital"](), with_tap=False)
    trial.publish([asked(f"number {number}") for number in range(30)])
    for _ in range(8):
        trial.crash("after_commit:2")
    trial.start()
    trial.settle(30)
    assert trial.parked() == []
    assert trial.rows("SELECT count(*) FROM request") == [(30,)]
