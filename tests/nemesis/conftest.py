"""Nemesis: the tests that kill, cut, fill and deceive. They need a build with crash_points."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import trial as trial_module  # noqa: E402
import world as world_module  # noqa: E402


@pytest.fixture(scope="session")
def references(servers):
    """By worker: the state after its plan when nobody disturbs it, in a world with the same installation secret."""
    states = {}

    def reference(worker):
        if worker not in states:
            world = world_module.World(servers)
            try:
                states[worker] = trial_module.undisturbed(world, trial_module.PLANS[worker]())
            finally:
                world.close()
        return states[worker]
    return reference
