"""Under load, with connections closed, workers and servers killed: nothing accepted is lost, nothing happens twice, nobody
is parked who did nothing wrong."""
import pytest

from chain import WORKERS, Chain

REQUESTS = 2000
FEWER = 1000


@pytest.fixture
def chain(world):
    made = Chain(world)
    made.stock()
    return made


def close_connections(chain):
    for connection in chain.world.management("vhosts/{vhost}/connections"):
        if connection["user"] in WORKERS:
            chain.world.servers.http.delete(chain.world.servers.management(f"connections/{connection['name']}"), timeout=5)


def test_connections_closed_by_the_broker(chain):
    chain.load(REQUESTS)
    for part in range(1, 7):
        chain.wait_decided(REQUESTS * part // 10)
        close_connections(chain)
    chain.settle()
    chain.check()


def test_workers_killed(chain):
    chain.load(REQUESTS)
    for part in range(1, 8):
        chain.wait_decided(REQUESTS * part // 10)
        victim = WORKERS[part % 2]
        chain.workers[victim].kill()
        chain.start(victim, ready=False)
    chain.settle()
    chain.check()


@pytest.mark.parametrize("server", ["postgres", "rabbitmq", "redis"])
def test_a_server_killed(chain, server):
    chain.load(FEWER)
    chain.wait_decided(FEWER // 4)
    chain.restart_server(server)
    chain.settle()
    chain.check()
    assert all(chain.workers[name].process.poll() is None for name in WORKERS), "they wait, they do not die"
