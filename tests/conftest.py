"""Fixtures of the tests that run against real servers (service, nemesis, bench). Their code is in service/."""
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "service"))
import servers as servers_module  # noqa: E402
import world as world_module  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failing test shows what its workers said."""
    outcome = yield
    report = outcome.get_result()
    found = getattr(item, "funcargs", {})
    world = found.get("world") or getattr(found.get("door"), "world", None)
    if report.failed and world is not None:
        for worker in world.workers:
            report.sections.append((f"log of {worker.name} ({worker.log})", worker.log_tail()))


@pytest.fixture(scope="session")
def servers():
    """The run's RabbitMQ, PostgreSQL and Redis."""
    missing = servers_module.missing_programs()
    if missing:
        message = f"not installed: {', '.join(missing)}; compose/packages names the packages"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    running = servers_module.start_servers(servers_module.memory_folder(), **servers_module.QUICK)
    yield running
    running.stop()


@pytest.fixture
def world(servers):
    """A virtual host with the topology, databases and an empty Redis for one test."""
    made = world_module.World(servers)
    yield made
    made.close()
