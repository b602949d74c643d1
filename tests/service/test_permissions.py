"""What a user may not do is tried, each, on a real broker, and refused; what it must be able to do works."""
import contextlib
import pathlib
import sys

import pika
import pika.exceptions
import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "amqp-topology"))
sys.dont_write_bytecode = True
from generator.contract import Contract  # noqa: E402

CONTRACT = Contract(str(PROJECT / "amqp-topology"))
CONTEXTS = tuple(CONTRACT.topology["contexts"])
EXCHANGES = (*CONTEXTS, "audit", "feed", "questions", "answers", "caches", "parked", "")
USERS = tuple(CONTRACT.users)
OTHERS = tuple(user for user in USERS if user != "admin")
LANED = ("hospital", "bloodbank", "notification")
WORKERS = (*LANED, "appointment")
WORK_QUEUES = (*WORKERS, *(f"{worker}.emergency" for worker in LANED))
QUEUES = (*WORK_QUEUES, *(f"{queue}.parked" for queue in WORK_QUEUES), *(f"{worker}.query" for worker in WORKERS))
WATCHERS = {"operator": "operator", "bridge-listener": "bridge", "appointment-listener": "appointment-listener"}  # and how the names of their queues begin
REFUSED, LOCKED, WRONG = 403, 405, 406  # locked: single-active-consumer queues know no basic.get
VHOST = "permissions"


class Door:
    """One user's connection; a new channel after each one that the broker closed."""

    def __init__(self, servers, user):
        self.user = user
        self.connection = pika.BlockingConnection(pika.ConnectionParameters(
            "127.0.0.1", servers.port["AMQP_PORT"], VHOST,
            pika.PlainCredentials(user, servers.secret(f"amqp-{user}")), heartbeat=0))
        self._channel = None

    @property
    def channel(self):
        if self._channel is None or not self._channel.is_open:
            self._channel = self.connection.channel()
            self._channel.confirm_delivery()
        return self._channel

    def code(self, action):
        """0 when the broker lets the action through, else the code with which it closes the channel."""
        try:
            action(self.channel)
        except pika.exceptions.ChannelClosedByBroker as closed:
            return closed.reply_code
        return 0

    def publish(self, exchange, key, **properties):
        settings = pika.BasicProperties(**properties)
        return self.code(lambda channel: channel.basic_publish(exchange, key, b"{}", settings))


@pytest.fixture(scope="module")
def doors(servers):
    servers.apply_topology(VHOST)
    with contextlib.ExitStack() as stack:
        made = {user: Door(servers, user) for user in USERS}
        for door in made.values():
            stack.callback(door.connection.close)
        yield made


def keys_to_try(exchange):
    """Every key of the contract that belongs there, with and without lane, answers, and what nobody may write."""
    names = [event.name for event in CONTRACT.events if event.exchange == exchange and not event.is_answer and not event.is_for_cache]
    keys = names + [f"{name}.emergency" for name in names]
    keys += [f"{exchange}.answer.{asker}" for asker in ("operator.1", "bridge.1", "", "A")]
    keys += [f"appointment.cache.{name}" for name in ("appointment-listener.1", "bridge.1", "", "A")]
    return keys + ["", "x", f"{exchange}.blood.invented", f"x{(names or [''])[0]}", "#", "hospital.blood.request"]


def may_publish(user, exchange, key):
    """From the contract's words alone: who emits what; workers also answer, and park."""
    if user == "admin":
        return True
    if exchange == "parked":
        return user in WORKERS
    for event in CONTRACT.events:
        lanes = ("", ".emergency") if event.has_emergency_lane else ("",)
        if event.exchange == exchange and user in event.emitters and key in [event.name + lane for lane in lanes]:
            return True
    if exchange == "caches":
        return user in ("appointment", "bridge") and key in ("appointment.cache.appointment-listener.1", "appointment.cache.bridge.1")
    prefix = f"{user}.answer."
    return user in WORKERS and user == exchange and key in (f"{prefix}operator.1", f"{prefix}bridge.1")


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange or "default")
@pytest.mark.parametrize("user", USERS)
def test_publish(user, exchange, doors):
    for key in keys_to_try(exchange) + (list(QUEUES) if exchange in ("", "parked") else []):
        code = doors[user].publish(exchange, key)
        wanted = 0 if may_publish(user, exchange, key) else REFUSED
        assert code == wanted, f"{user} to {exchange!r} with {key!r}: {code}"
    for queue in QUEUES:
        doors["admin"].channel.queue_purge(queue)


@pytest.mark.parametrize("user", [user for user in USERS if not user.endswith("-listener")])
def test_user_id_is_checked(user, doors):
    exchange, key = {
        "hospital": ("hospital", "hospital.request.updated"), "bloodbank": ("bloodbank", "bloodbank.unit.expired"),
        "notification": ("notification", "notification.message.delivered"),
        "appointment": ("appointment", "appointment.slot.booked"),
        "operator": ("questions", "hospital.query.request"),
    }.get(user, ("hospital", "hospital.blood.request"))
    assert doors[user].publish(exchange, key, user_id=user) == 0
    assert doors[user].publish(exchange, key) == 0
    for other in USERS:
        if other != user:
            assert doors[user].publish(exchange, key, user_id=other) == WRONG


def own_queues(user):
    return [queue for queue in QUEUES if queue.split(".")[0] == user and not queue.endswith(".parked")]


def get(queue):
    return lambda channel: channel.basic_get(queue)


def consume(queue):
    def act(channel):
        tag = channel.basic_consume(queue, lambda *_: None)
        channel.basic_cancel(tag)
    return act


READING = {"get": get, "consume": consume, "purge": lambda queue: lambda channel: channel.queue_purge(queue)}
CHANGING = {
    "delete": lambda queue: lambda channel: channel.queue_delete(queue),
    "declare": lambda queue: lambda channel: channel.queue_declare(
        queue, durable=True, arguments={"x-queue-type": "quorum"}),
    "bind to hospital": lambda queue: lambda channel: channel.queue_bind(queue, "hospital", "hospital.blood.request"),
    "bind to bloodbank": lambda queue: lambda channel: channel.queue_bind(queue, "bloodbank", "#"),
    "bind to feed": lambda queue: lambda channel: channel.queue_bind(queue, "feed", "#"),
    "bind to answers": lambda queue: lambda channel: channel.queue_bind(queue, "answers", "hospital.answer.bridge.1"),
    "bind to caches": lambda queue: lambda channel: channel.queue_bind(queue, "caches", "appointment.cache.bridge.1"),
    "bind to parked": lambda queue: lambda channel: channel.queue_bind(queue, "parked", queue),
    "unbind": lambda queue: lambda channel: channel.queue_unbind(queue, "hospital", "hospital.blood.requested"),
}


@pytest.mark.parametrize("action", READING)
@pytest.mark.parametrize("user", OTHERS)
def test_read_queues(user, action, doors):
    for queue in QUEUES:
        may = queue in own_queues(user) or (user == "operator" and queue.endswith(".parked"))
        allowed = LOCKED if action == "get" and queue in ("bloodbank", "bloodbank.emergency") else 0
        assert doors[user].code(READING[action](queue)) == (allowed if may else REFUSED), queue


@pytest.mark.parametrize("action", CHANGING)
@pytest.mark.parametrize("user", OTHERS)
def test_change_queues(user, action, doors):
    for queue in QUEUES:
        assert doors[user].code(CHANGING[action](queue)) == REFUSED, queue


@pytest.mark.parametrize("user", OTHERS)
def test_make_something_new(user, doors):
    door = doors[user]
    assert door.code(lambda channel: channel.queue_declare("", exclusive=True)) == REFUSED
    assert door.code(lambda channel: channel.queue_declare("amq.gen-mine", exclusive=True)) == REFUSED
    assert door.code(lambda channel: channel.queue_declare("mine", exclusive=True)) == REFUSED
    assert door.code(lambda channel: channel.exchange_declare("mine", "topic")) == REFUSED
    for exchange in EXCHANGES[:-1]:
        assert door.code(lambda channel, name=exchange: channel.exchange_delete(name)) == REFUSED
        assert door.code(lambda channel, name=exchange: channel.exchange_bind("audit", name, "#")) == REFUSED
        assert door.code(lambda channel, name=exchange: channel.exchange_unbind("feed", name, "#")) == REFUSED


@pytest.mark.parametrize("user", OTHERS)
def test_passive_declares_work(user, doors):
    """A worker compares what it needs with what is there, without the right to make it."""
    for queue in QUEUES:
        assert doors[user].code(lambda channel, name=queue: channel.queue_declare(name, passive=True)) == 0
    for exchange in EXCHANGES[:-1]:
        assert doors[user].code(lambda channel, name=exchange: channel.exchange_declare(name, passive=True)) == 0


def test_operator_watches_the_feed(doors):
    """Its own queue, every event of the feed, answers to itself; no context's exchange, no other user's queue."""
    door = doors["operator"]
    queue = "operator.watch"
    assert door.code(lambda channel: channel.queue_declare(queue, exclusive=True)) == 0
    assert door.code(lambda channel: channel.queue_bind(queue, "feed", "#")) == 0
    for context in CONTEXTS:
        assert door.code(lambda channel, name=context: channel.queue_bind(queue, name, "#")) == REFUSED
    sent = [("upstream", "hospital", "hospital.blood.request.emergency"),
            ("bloodbank", "bloodbank", "bloodbank.unit.expired"),
            ("hospital", "hospital", "hospital.answer.operator.7"),
            ("bloodbank", "bloodbank", "bloodbank.blood.approved")]
    for user, exchange, key in sent:
        assert doors[user].publish(exchange, key) == 0
    assert doors["hospital"].publish("hospital", "hospital.answer.bridge.7") == 0
    heard = []
    for method, _, _ in door.channel.consume(queue, inactivity_timeout=5):
        assert method is not None, f"heard only {heard}"
        heard.append((method.exchange, method.routing_key))
        if len(heard) == len(sent):
            break
    assert heard == [(exchange, key) for _, exchange, key in sent]
    assert door.channel.cancel() == 0
    assert doors["bloodbank"].code(get(queue)) in (REFUSED, LOCKED)
    assert door.code(lambda channel: channel.queue_delete(queue)) == 0


def hear(door, queue, count):
    """The next messages of a queue, as (exchange, routing key)."""
    heard = []
    for method, _, _ in door.channel.consume(queue, inactivity_timeout=5):
        assert method is not None, f"heard only {heard}"
        heard.append((method.exchange, method.routing_key))
        if len(heard) == count:
            break
    door.channel.cancel()
    return heard


def bind(queue, exchange, key):
    return lambda channel: channel.queue_bind(queue, exchange, key)


def test_the_bridge_listens(doors):
    """The feed, and the answers that name it; what another asked for, or a secret on its way to another, never."""
    door = doors["bridge-listener"]
    for queue in ("bridge.feed", "bridge.1"):
        assert door.code(lambda channel, name=queue: channel.queue_declare(name, exclusive=True)) == 0
    assert door.code(bind("bridge.feed", "feed", "#")) == 0
    for worker in WORKERS:
        assert door.code(bind("bridge.1", "answers", f"{worker}.answer.bridge.1")) == 0
    for worker, asker in (("hospital", "bridge.2"), ("hospital", "operator.1"), ("hospital", "bridge.1"),
                          ("notification", "bridge.1"), ("bloodbank", "bridge.1")):
        assert doors[worker].publish(worker, f"{worker}.answer.{asker}") == 0
    assert doors["bridge"].publish("hospital", "hospital.blood.cancel") == 0
    assert hear(door, "bridge.1", 3) == [(worker, f"{worker}.answer.bridge.1")
                                         for worker in ("hospital", "notification", "bloodbank")]
    assert hear(door, "bridge.feed", 2) == [("hospital", "hospital.answer.operator.1"),
                                            ("hospital", "hospital.blood.cancel")]
    for other in ("operator", "bridge", "upstream", "hospital"):
        assert doors[other].code(get("bridge.1")) in (REFUSED, LOCKED)
    for queue in ("bridge.feed", "bridge.1"):
        assert door.code(lambda channel, name=queue: channel.queue_delete(name)) == 0
    doors["admin"].channel.queue_purge("hospital")


WILD = ("#", "*.answer.bridge.1", "hospital.#", "hospital.answer.#", "hospital.answer.*.1", "hospital.answer.bridge.#",
        "hospital.answer.bridge.*", "hospital.answer.bridge.1.#", "hospital.answer.bridge", "hospital.answer.operator.1",
        "hospital.answer.bridgex.1", "hospital.blood.requested", "")


def test_no_wildcard_reaches_anothers_answers(doors):
    door = doors["bridge-listener"]
    queue = "bridge.wild"
    assert door.code(lambda channel: channel.queue_declare(queue, exclusive=True)) == 0
    for key in WILD:
        assert door.code(bind(queue, "answers", key)) == REFUSED, key
        assert doors["operator"].code(bind(queue, "answers", key)) in (REFUSED, LOCKED), key
    for exchange in (*CONTEXTS, "audit", "questions", "parked"):
        for key in ("#", f"{exchange}.answer.bridge.1"):
            assert door.code(bind(queue, exchange, key)) == REFUSED, (exchange, key)
    assert door.code(lambda channel: channel.queue_delete(queue)) == 0


@pytest.mark.parametrize("user", WATCHERS)
def test_names_of_ones_own_are_no_way_around(user, doors):
    """
    Who may make queues and exchanges can neither bind them where it may not read, nor send on where it may not write.
    (The operator writes to `questions`, where nothing but questions that it may ask is bound.)
    """
    door, prefix = doors[user], WATCHERS[user]
    hub = f"{prefix}.hub"
    assert door.code(lambda channel: channel.exchange_declare(hub, "topic")) == 0
    closed = {"operator": ("answers", "caches"), "bridge-listener": (), "appointment-listener": ("feed", "answers")}[user]
    for source in (*CONTEXTS, "audit", "questions", "parked", *closed):
        assert door.code(lambda channel, name=source: channel.exchange_bind(hub, name, "#")) == REFUSED, source
    for key in WILD:
        assert door.code(lambda channel, name=key: channel.exchange_bind(hub, "answers", name)) == REFUSED, key
        for name in (key, key.replace("hospital.answer", "appointment.cache")):
            assert door.code(lambda channel, name=name: channel.exchange_bind(hub, "caches", name)) == (
                0 if user == "bridge-listener" and name == "appointment.cache.bridge.1" else REFUSED), name
    for target in EXCHANGES if user.endswith("-listener") else set(EXCHANGES) - {"questions"}:
        dead_letters = {"x-dead-letter-exchange": target, "x-dead-letter-routing-key": "hospital"}
        assert door.code(lambda channel, arguments=dead_letters: channel.queue_declare(
            f"{prefix}.dead", exclusive=True, arguments=arguments)) == REFUSED, target
        if target:
            assert door.code(lambda channel, name=target: channel.exchange_declare(
                f"{prefix}.else", "topic", arguments={"alternate-exchange": name})) == REFUSED, target
            assert door.code(lambda channel, name=target: channel.exchange_bind(name, hub, "#")) == REFUSED, target
    for queue in QUEUES:
        assert door.code(bind(queue, hub, "#")) == REFUSED, queue
    assert door.code(lambda channel: channel.exchange_delete(hub)) == 0


@pytest.mark.parametrize("user, name", [("appointment-listener", "appointment-listener.1"), ("bridge-listener", "bridge.1")])
def test_a_cache_hears_what_names_it(user, name, doors):
    door = doors[user]
    assert door.code(lambda channel: channel.queue_declare(name, exclusive=True)) == 0
    assert door.code(bind(name, "caches", f"appointment.cache.{name}")) == 0
    for other in ("appointment-listener.1", "bridge.1"):
        for speaker in ("appointment", "bridge"):
            assert doors[speaker].publish("caches", f"appointment.cache.{other}") == 0
    assert hear(door, name, 2) == [("caches", f"appointment.cache.{name}")] * 2
    assert door.code(lambda channel: channel.queue_delete(name)) == 0


def test_who_may_bind_writes_to_no_work_queue(doors):
    """A context's exchange and its worker's queue have one name: who writes there must not be able to bind the queue."""
    for user in OTHERS:
        for queue in WORK_QUEUES:
            binds = [doors[user].code(bind(queue, exchange, key)) for exchange, key in (
                ("feed", "#"), ("feed", "hospital.blood.requested"), ("answers", "hospital.answer.bridge.1"))]
            assert binds == [REFUSED] * len(binds), (user, queue)


def test_unheard_is_returned_in_spite_of_the_feed(doors):
    """`mandatory` sees through the feed: with nobody watching, an event without a queue comes back."""
    channel = doors["bloodbank"].channel
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("bloodbank", "bloodbank.unit.expired", b"{}", mandatory=True)
    channel.basic_publish("bloodbank", "bloodbank.blood.approved", b"{}", mandatory=True)


@pytest.mark.parametrize("user, password, vhost", [
    ("hospital", "wrong", VHOST), ("guest", "guest", VHOST), ("hospital", None, "/"), ("upstream", None, "nowhere")])
def test_doors_that_stay_shut(user, password, vhost, servers, doors):
    credentials = pika.PlainCredentials(user, password or servers.secret(f"amqp-{user}"))
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", servers.port["AMQP_PORT"], vhost, credentials))
