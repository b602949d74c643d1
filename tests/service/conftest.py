"""Fixtures that several tests of this suite share; a module that wants another one of that name has its own."""
import pytest

from door import Door


@pytest.fixture
def door(world):
    """The whole chain behind its HTTP door."""
    for name in ("hospital", "bloodbank"):
        world.start_worker(name)
    return Door(world)
