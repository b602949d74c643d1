"""Under load, with connections closed, workers and servers killed: nothing accepted is lost, nothing happens twice, nobody
is parked who did nothing wrong."""
import pytest

from chain import WORKERS, Chain

REQUESTS = 2000
FEWER = 1000


def loaded(world, count, copies=1):
    chain = Chain(world, copies)
    chain.stock()
    chain.load(count)
    return chain


def close_connections(chain):
    for connection in chain.world.management("vhosts/{vhost}/connections"):
        if connection["user"] in WORKERS:
            chain.world.servers.http.delete(chain.world.servers.management(f"connections/{connection['name']}"), timeout=5)


def test_connections_closed_by_the_broker(world):
    chain = loaded(world, REQUESTS)
    for part in range(1, 7):
        chain.wait_decided(REQUESTS * part // 10)
        close_connections(chain)
    chain.settle()
    chain.check()


def end_transactions(chain):
    """In the middle, of whoever has one."""
    chain.sql("hospital", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY (%s)", [list(WORKERS)])


def restart_redis(chain):
    chain.restart_server("redis")


def kill_one(chain):
    seat = chain.seats[-1]
    chain.workers[seat].kill()
    chain.start(seat, ready=False)


def test_everything_at_once(world):
    chain = loaded(world, REQUESTS, copies=2)
    for part, trouble in enumerate((end_transactions, close_connections, kill_one, end_transactions, restart_redis,
                                    close_connections, end_transactions), 1):
        chain.wait_decided(REQUESTS * part // 10)
        trouble(chain)
    chain.settle()
    chain.check()


@pytest.mark.parametrize("copies", [1, 2])
def test_workers_killed(world, copies):
    chain = loaded(world, REQUESTS, copies)
    for part in range(1, 8):
        chain.wait_decided(REQUESTS * part // 10)
        seat = chain.seats[part % len(chain.seats)]
        chain.workers[seat].kill()
        chain.start(seat, ready=False)
    chain.settle()
    chain.check()


@pytest.mark.parametrize("server", ["postgres", "rabbitmq", "redis"])
def test_a_server_killed(world, server):
    chain = loaded(world, FEWER)
    chain.wait_decided(FEWER // 4)
    chain.restart_server(server)
    chain.settle()
    chain.check()
    assert all(worker.process.poll() is None for worker in chain.workers.values()), "they wait, they do not die"
