"""Whatever is taken away and given back - a queue, a server's memory, room, a database, a peer's answers - the worker goes on by
itself, or ends so that it is started again; in the meantime nothing is lost."""
import signal

import pytest

import bodies
from chain import control, forget_connections
from kills import unbind
from servers import wait_until
from trial import counter

COUNT = 20
LARGE = 10  # priority of a policy of the test, above the contract's
STUCK_AFTER_MS = 3000


def publish(world, labels):
    return [world.publish("hospital.blood.request", bodies.request(str(label)), message_id=bodies.identity(str(label)))
            for label in labels]


def recorded(world):
    return world.sql("hospital", "SELECT count(*) FROM request")[0][0]


def unsent(world):
    return world.sql("hospital", "SELECT count(*) FROM outbox WHERE sent_at IS NULL AND exchange IS NOT NULL")[0][0]


def acknowledged(world):
    return world.depth("hospital") == 0 and world.held("hospital") == 0


def test_a_deleted_queue(world):
    """It is told, waits for the queue to be there again, and reads it."""
    worker = world.start_worker("hospital")
    publish(world, range(3))
    wait_until(lambda: recorded(world) == 3, what="the first requests")
    world.connect("admin").channel().queue_delete("hospital")
    wait_until(lambda: worker.get("/readyz").status_code == 503, what="the worker to notice")
    world.servers.apply_topology(world.vhost)
    publish(world, range(3, 6))
    wait_until(lambda: recorded(world) == 6, 25, "the next requests")
    assert worker.is_ready()


@pytest.mark.parametrize("server", ["postgres", "rabbitmq", "redis"])
def test_a_server_away_for_a_while(world, server):
    """Alive all the time; ready again when the server is. Redis is a cache: nobody waits for it."""
    worker = world.start_worker("hospital", {"SWEEP_AFTER_MS": 1500})
    publish(world, range(3))
    wait_until(lambda: recorded(world) == 3 and acknowledged(world), what="the first requests")
    world.servers.kill(server)
    try:
        if server != "redis":
            wait_until(lambda: worker.get("/readyz").status_code == 503, what="the worker to notice")
        if server != "rabbitmq":
            publish(world, range(3, 6))
        assert worker.get("/healthz").status_code == 200
    finally:
        world.servers.start(server)
    if server != "redis":
        forget_connections(world)
    if server == "rabbitmq":
        publish(world, range(3, 6))
    wait_until(lambda: recorded(world) == 6, 20, "the next requests")
    wait_until(lambda: world.sql("hospital", "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)], 20, "all to be sent")
    assert worker.is_ready()
    if server == "redis":
        assert len(world.redis().keys("view:request:*")) == 3


def test_a_redis_that_hangs(world):
    """It keeps its connection and answers nothing: nobody waits for it."""
    world.start_worker("hospital", {"SWEEP_AFTER_MS": 1500})
    publish(world, ["first"])
    wait_until(lambda: recorded(world) == 1 and acknowledged(world), what="the first request")
    world.servers.signal("redis", signal.SIGSTOP)
    try:
        for number in range(COUNT):  # one by one: each is a batch of its own
            publish(world, [number])
            wait_until(lambda wanted=number + 2: recorded(world) == wanted, 5, "the next request")
        wait_until(lambda: acknowledged(world) and unsent(world) == 0, what="every acknowledgement")
    finally:
        world.servers.signal("redis", signal.SIGCONT)
    wait_until(lambda: len(world.redis().keys("view:request:*")) == COUNT + 1, 30, "the views to be made up for")


def test_a_memory_alarm(world):
    """The broker blocks who publishes; what is decided waits, and is sent when the alarm is over. No restart, no blame."""
    publish(world, range(COUNT))
    control(world.servers, "set_vm_memory_high_watermark", "0.00001")
    try:
        worker = world.start_worker("hospital")
        wait_until(lambda: recorded(world) >= 1, what="a decision under the alarm")
        wait_until(lambda: unsent(world) > 0, what="outputs that wait")
        assert world.depth("bloodbank") <= 1, "one publish may be taken before the block"
    finally:
        control(world.servers, "set_vm_memory_high_watermark", "0.6")
    wait_until(lambda: recorded(world) == COUNT and unsent(world) == 0 and acknowledged(world), 20, "the end of it")
    assert world.depth("bloodbank") >= COUNT
    assert worker.process.poll() is None and not world.parked("hospital")


def test_a_full_queue(world):
    """Refused publishes are repeated, their inputs stay unacknowledged; nothing is lost when there is room again."""
    world.management("policies/{vhost}/full", "PUT", json={"pattern": "^bloodbank$", "apply-to": "queues", "priority": LARGE,
                     "definition": {"max-length": 3, "overflow": "reject-publish"}})
    wait_until(lambda: world.management("queues/{vhost}/bloodbank").get("policy") == "full", what="the queue to know its limit")
    worker = world.start_worker("hospital")
    publish(world, range(4))
    wait_until(lambda: world.depth("bloodbank") >= 3, what="a full queue, which takes more only until its publishers hear of it")
    publish(world, range(4, COUNT))
    wait_until(lambda: counter(worker, "carebus_publishes_total", answer="nacked") > 5, what="refused publishes")
    wait_until(lambda: world.held("hospital") > 0 and unsent(world) > 0, what="inputs that wait")
    ids = set()
    connection = world.connect("bloodbank")
    connection.channel().basic_consume("bloodbank", lambda channel, method, properties, raw: ids.add(properties.message_id),
                                       auto_ack=True)

    def drained():
        connection.process_data_events(time_limit=0.02)
        return unsent(world) == 0 and acknowledged(world)
    wait_until(drained, 20, "all to be said, as there is room again")
    assert len(ids) == recorded(world) == COUNT
    assert worker.process.poll() is None and not world.parked("hospital")


def test_answers_that_never_come(world):
    """Work, and everything answers, but nothing moves: it ends, loudly, and the next one finds all the work."""
    worker = world.start_worker("hospital", {"STUCK_AFTER_MS": STUCK_AFTER_MS})
    name = f"'{world.vhost}_bloodbank'"
    control(world.servers, "eval", f"sys:suspend({name}).")
    try:
        publish(world, range(3))
        assert worker.wait(STUCK_AFTER_MS / 1000 + 10) == 70
        assert "no_progress" in worker.log_text()
    finally:
        control(world.servers, "eval", f"sys:resume({name}).")
    world.start_worker("hospital")
    wait_until(lambda: recorded(world) == 3 and acknowledged(world), 20, "the work to be done")
    assert not world.parked("hospital")


def test_a_hung_process_gives_way(world):
    """A stopped process keeps its connection until the heartbeat runs out; then the stand-by takes over."""
    control(world.servers, "eval", "application:set_env(rabbit, heartbeat, 2).")
    try:
        first = world.start_worker("bloodbank", {"INSTANCE": "1"})
        second = world.start_worker("bloodbank", {"INSTANCE": "2"})
    finally:
        control(world.servers, "eval", "application:set_env(rabbit, heartbeat, 60).")
    for number, worker in enumerate((first, second), 1):
        worker.signal(signal.SIGSTOP)
        world.publish("hospital.blood.requested", bodies.request(str(worker.pid), component="cryo"))
        wait_until(lambda wanted=number: world.sql("bloodbank", "SELECT count(*) FROM decision") == [(wanted,)], 20,
                   "the other to decide")
        worker.signal(signal.SIGCONT)
        wait_until(worker.is_ready, 20, "the hung one to be back")
    assert not world.parked("bloodbank")


@pytest.fixture
def impatient(world):
    """Waits for locks no longer than 0.3 s."""
    world.sql("hospital", f"ALTER ROLE hospital IN DATABASE {world.database('hospital')} SET lock_timeout = '300ms'")
    worker = world.start_worker("hospital", {"SWEEP_AFTER_MS": 60000})
    publish(world, ["first"])
    wait_until(lambda: recorded(world) == 1 and acknowledged(world), what="the first request")
    return worker


def lock_requests(world):
    link = world.servers.connect(world.database("hospital"))
    link.cursor().execute("BEGIN; LOCK TABLE request")
    return link


def test_a_lock_held_for_a_while(world, impatient):
    """The batch is tried again, one message at a time; nobody is blamed for a lock."""
    link = lock_requests(world)
    publish(world, range(COUNT))
    wait_until(lambda: counter(impatient, "carebus_conflicts_total") >= 2, what="a second try")
    link.close()
    wait_until(lambda: recorded(world) == COUNT + 1 and acknowledged(world), what="the requests")
    assert not world.parked("hospital")


def test_a_lock_held_for_too_long(world, impatient):
    """After four tries alone a message is set aside with its reason; the next gets its own tries."""
    link = lock_requests(world)
    publish(world, range(3))
    parked = wait_until(lambda: world.parked("hospital"), 20, "a parked message")
    link.close()
    wait_until(lambda: acknowledged(world), what="the others")
    parked = world.parked("hospital")
    assert all((message["properties"]["headers"]["reason"], message["properties"]["headers"]["attempts"]) == ("conflict", 4)
               for message in parked)
    assert recorded(world) + len(parked) == 4 and recorded(world) > 1
    assert impatient.process.poll() is None


def test_stale_questions_expire(world):
    """Nobody answers a question whose asker has gone."""
    world.publish("hospital.query.request", {"request_id": bodies.identity("any")}, user="admin", reply_to="operator.gone")
    assert world.depth("hospital.query") == 1
    wait_until(lambda: world.depth("hospital.query") == 0, 10, "the question to expire")


def test_timers_run_in_one_process_at_a_time(world):
    """Two workers, due work for both: each unit expires once."""
    workers = [world.start_worker("bloodbank", {"INSTANCE": str(number)}) for number in (1, 2)]
    tap = world.tap()
    world.publish("bloodbank.unit.receive", bodies.receive(1, 40, expires_at=bodies.soon(3)))
    tap.expect("bloodbank.unit.expired", 15, 40)
    tap.quiet("bloodbank.unit.expired", 2.5)
    assert world.sql("bloodbank", "SELECT status, count(*) FROM unit GROUP BY 1") == [("expired", 40)]
    assert sum(counter(worker, "carebus_conflicts_total") for worker in workers) == 0


def test_a_missing_binding_is_told(world):
    """In the log as well as in the metrics."""
    worker = world.start_worker("hospital", {"SWEEP_AFTER_MS": 60000})
    unbind(world, "hospital", "hospital.blood.requested")
    publish(world, ["one"])
    wait_until(lambda: "unroutable" in worker.log_text(), what="the log line")
    assert counter(worker, "carebus_publishes_total", answer="returned") >= 1
    wait_until(lambda: unsent(world) == 1, what="the others to be marked")
