"""The bridge's slot cache on real servers: two doors, what each keeps, and that neither ever shows what is no longer so."""
import concurrent.futures
import copy
import json
import signal
import time
import uuid

import pika
import requests

from cache import LEASE_S, LIMIT_S, SHARED, Timed, measure, rows, start, state
from door import Door
from servers import wait_until
from test_bridge import problem


def doors(world, count=2, workers=1, **env):
    """A clinic with a schedule, that many doors with a lease."""
    clinic, found = start(world, workers)
    opened = [Door(world, {"INSTANCE": number + 1} | env) for number in range(count)]
    for door in opened:
        if env.get("CACHE_ENTRIES") != 0:
            wait_until(lambda one=door: measure(one.worker, "registrations") >= 1, 10, "a lease")
    return clinic, opened, found


def read(door, clinic, ahead=2, provider="dr-adams"):
    answer = door.get(f"/v1/slots?provider_id={provider}&date={clinic.day(ahead)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def book(door, clinic, clock="0900", **more):
    answer = door.post("/v1/appointments", {"slot_id": clinic.slot(clock), "patient_ref": f"patient-{clock}"} | more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(clinic):
    """The doors' names in the registry."""
    return [name for name, in clinic.sql("SELECT name FROM cache WHERE name LIKE 'bridge.%%' ORDER BY incarnation", [])]


# -- what is kept


def test_a_list_is_asked_for_once(world):
    clinic, (door,), (worker,) = doors(world, 1)
    first, second, third = (read(door, clinic) for _ in range(3))
    assert (first["source"], second["source"], third["source"]) == ("database", "lru", "lru")
    assert first["as_of"] < second["as_of"] < third["as_of"]
    assert {**first, "source": "", "as_of": ""} == {**second, "source": "", "as_of": ""} == {**third, "source": "", "as_of": ""}
    bridge = door.worker
    assert (measure(bridge, "hits", "lru"), measure(bridge, "misses", "lru"), measure(bridge, "fills")) == (2, 1, 1)
    assert measure(worker, "misses", "lru") == 1
    headers = [door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day()}").headers for _ in range(2)]
    assert {"Content-Type": "application/json", "Cache-Control": "private, no-cache"}.items() <= headers[0].items()
    assert door.call("HEAD", f"/v1/slots?provider_id=dr-adams&date={clinic.day()}").status_code == 200


def test_one_door_finds_in_redis_what_another_asked_for(world):
    clinic, (one, other), _ = doors(world)
    asked = read(one, clinic)
    wait_until(lambda: world.redis().keys(SHARED), 5, "a list in Redis")
    found = [read(other, clinic) for _ in range(2)]
    assert [answer["source"] for answer in found] == ["redis", "lru"] and found[0]["as_of"] > asked["as_of"]
    assert {**asked, "source": "", "as_of": ""} == {**found[0], "source": "", "as_of": ""}
    assert (measure(other.worker, "hits", "redis"), measure(other.worker, "hits", "lru")) == (1, 1)


def test_a_cached_day_asks_who_calls_as_every_path_does(world):
    clinic, (door,), _ = doors(world, 1)
    slow = door.token("reader", rate=1)
    path = f"/v1/slots?provider_id=dr-adams&date={clinic.day()}"
    wait_until(lambda: door.get("/v1/blood-stock?bank_id=bank-001", slow).status_code != 401, what="the token to be known")
    assert [read(door, clinic)["source"] for _ in range(2)][1] == "lru"
    problem(door.get(path, False), 401, "unauthorized")
    problem(door.get(path, "unknown"), 401, "unauthorized")
    assert 429 in [door.get(path, slow).status_code for _ in range(5)]
    problem(door.get(path + "&more=1"), 400, "unknown_parameter")


def test_what_is_not_there_is_not_kept(world):
    clinic, (door,), _ = doors(world, 1)
    for provider, ahead, status, code in (("dr-nobody", 2, 404, "unknown_provider"), ("dr-adams", -3, 422, "too_late"),
                                          ("dr-adams", 200, 422, "beyond_horizon")):
        for _ in range(2):
            problem(door.get(f"/v1/slots?provider_id={provider}&date={clinic.day(ahead)}"), status, code)
    problem(door.get("/v1/slots?provider_id=dr-adams&date=tomorrow"), 422, "invalid")
    problem(door.get("/v1/slots?provider_id=dr-adams"), 422, "invalid")
    assert measure(door.worker, "fills") == 0
    assert [read(door, clinic, 20)["slots"] for _ in range(2)] == [[], []] and measure(door.worker, "hits", "lru") == 1


def test_sizes_are_limits(world):
    clinic, (door,), _ = doors(world, 1, CACHE_ENTRIES=2)
    for ahead in (1, 2, 3, 1):
        assert read(door, clinic, ahead)["source"] != "lru"
    assert read(door, clinic, 1)["source"] == "lru"
    assert measure(door.worker, "evictions") == 2 and door.worker.log_text().count("list evicted") == 1
    assert door.worker.metrics()['carebus_cache_entries{instance_id="1",worker="bridge"}'] == 2


def test_without_a_cache_a_door_has_no_lease(world):
    clinic, (door,), _ = doors(world, 1, CACHE_ENTRIES=0)
    assert [read(door, clinic)["source"] for _ in range(3)] == ["database", "lru", "lru"], "of the worker"
    assert names(clinic) == [] and measure(door.worker, "hits") == 0


def test_readers_of_one_day_at_once_ask_once(world):
    clinic, (door,), (worker,) = doors(world, 1)
    with concurrent.futures.ThreadPoolExecutor(20) as pool, Timed() as pause:
        worker.signal(signal.SIGSTOP)
        reads = [pool.submit(read, door, clinic) for _ in range(20)]
        wait_until(lambda: door.worker.metrics()['carebus_calls_waiting{instance_id="1",worker="bridge"}'] == 20, 5, "all to wait")
        worker.signal(signal.SIGCONT)
        answers = [one.result() for one in reads]
    assert {state(answer) for answer in answers} == {"free"}
    asked = measure(worker, "misses", "lru") + measure(worker, "hits", "lru")
    assert asked == 1 or pause.seconds > LEASE_S / 2, "without a lease each asks"
    assert asked <= 20 and measure(door.worker, "fills") >= 1


# -- writes


def test_what_is_booked_at_one_door_is_seen_at_once_at_the_other(world):
    clinic, opened, _ = doors(world)
    for clock in ("0900", "0930", "1000", "1030", "1100", "1130"):
        for door in opened:
            assert [state(read(door, clinic), clock) for _ in range(2)] == ["free"] * 2
        with Timed() as booking:
            book(opened[0], clinic, clock)
        assert [state(read(door, clinic), clock) for door in reversed(opened)] == ["booked"] * 2
        assert booking.seconds < LEASE_S / 2, "nobody was silent"
    assert all(measure(door.worker, "invalidations") == 6 and measure(door.worker, "hits", "lru") >= 6 for door in opened)
    clinic.check_books()


def test_readers_never_see_a_booking_undone(world):
    clinic, opened, _ = doors(world, workers=2)
    booked, stop = {}, []

    def watch(door):
        """Reads, each with the bookings that were answered before it began."""
        count, own = 0, copy.copy(door)
        own.session = requests.Session()
        while not stop:
            before = list(booked)
            found = read(own, clinic)
            assert all(state(found, clock) == "booked" for clock in before), (before, found)
            count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        watchers = [pool.submit(watch, door) for door in opened * 2]
        try:
            for clock in ("0900", "0930", "1000", "1030", "1100", "1130"):
                booked[clock] = book(opened[len(booked) % 2], clinic, clock)
                wait_until(lambda: all(measure(door.worker, "hits", "lru") > 5 * len(booked) for door in opened), 10, "reads")
        finally:
            stop.append(True)
        assert sum(watcher.result() for watcher in watchers) > 50


def test_a_list_that_is_told_of_while_it_is_asked_for_is_shown_and_not_kept(world):
    clinic, (door,), (worker,) = doors(world, 1)
    old = read(door, clinic, 3)
    channel = world.connect("appointment").channel()
    assert worker.stop() == 0
    day, bridge = str(clinic.day(3)), door.worker

    def tell(above):
        """As a writer: the day is about to change."""
        body = {"keys": [f"dr-adams {day}"], "above": above, "write": 1, "writer": "appointment-listener.test", "incarnation": 1}
        before = measure(bridge, "invalidations")
        channel.basic_publish("caches", f"appointment.cache.{names(clinic)[0]}", json.dumps(body).encode(), pika.BasicProperties(
            type="appointment.cache.invalidate", content_type="application/json", message_id=str(uuid.uuid4()), user_id="appointment"))
        wait_until(lambda: measure(bridge, "invalidations") > before, 5, "the door to be told")

    def answer(properties, event, body):
        raw = json.dumps(body, separators=(",", ":")).encode()
        channel.basic_publish("appointment", f"appointment.answer.{properties.reply_to}", raw, pika.BasicProperties(
            type=event, content_type="application/json", message_id=str(uuid.uuid4()), user_id="appointment",
            headers={"causation_id": properties.message_id}))

    def question():
        """The door's, as its owner gets it. Between stand those for its lease, which goes on."""
        method, properties, raw = channel.basic_get("appointment.query", auto_ack=True)
        body = method and json.loads(raw)
        if method and properties.type == "appointment.query.lease":
            assert "renew" in body, "the lease was lost"
            answer(properties, "appointment.lease.answered", {"cache": body["cache"], "number": body["number"], "granted": True})
            return None
        return method and (properties, body)

    def answered(above, certificate):
        """Read; it is told to forget the day; then the list comes that was read before."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            reading = pool.submit(read, door, clinic, 3)
            properties, asked = wait_until(question, 5, "a question")
            assert asked["date"] == day and asked["least"] > old["certificate"]
            tell(above)
            answer(properties, "appointment.slots.answered", old | {"certificate": certificate})
            assert reading.result()["slots"] == old["slots"]
        return measure(bridge, "fills"), measure(bridge, "refused")

    world.redis().delete(*world.redis().keys(SHARED))
    place = old["certificate"] + 1000
    tell(place - 1)
    fills, refused = measure(bridge, "fills"), measure(bridge, "refused")
    assert answered(place, place) == (fills, refused + 1), "not above it"
    assert answered(place + 1, place + 2) == (fills + 1, refused + 1)


# -- faults


def test_a_stopped_door_delays_nobody(world):
    clinic, (one, other), _ = doors(world)
    read(other, clinic)
    assert len(names(clinic)) == 2
    assert other.worker.stop() == 0 and len(names(clinic)) == 1
    with Timed() as booking:
        book(one, clinic)
    assert booking.seconds < LEASE_S / 2


def test_registrations_that_come_too_late_are_given_back(world):
    """While nobody answers, a request is given up and the next one sent: afterwards each is granted."""
    clinic, (worker,) = start(world)
    before = worker.metric("carebus_queries_total")
    worker.signal(signal.SIGSTOP)
    door = Door(world)
    wait_until(lambda: world.held("appointment.query") >= 3, 10, "three questions for a lease")
    worker.signal(signal.SIGCONT)
    wait_until(lambda: worker.metric("carebus_queries_total") >= before + 3, 5, "their answers")
    wait_until(lambda: len(names(clinic)) == 1, 5, "one row")
    wait_until(lambda: [read(door, clinic)["source"] for _ in range(2)][1] == "lru", 5, "a lease")


def test_without_its_worker_a_door_stops_soon(world):
    _, (door,), (worker,) = doors(world, 1)
    worker.signal(signal.SIGSTOP)
    with Timed() as stop:
        assert door.worker.stop() == 0
    assert 0.5 <= stop.seconds < 2

def test_a_killed_door_delays_one_booking(world):
    clinic, (one, other), _ = doors(world)
    read(other, clinic)
    other.worker.kill()
    with Timed() as first:
        book(one, clinic)
    with Timed() as second:
        book(one, clinic, "0930")
    assert first.seconds <= LIMIT_S and second.seconds < LEASE_S / 2
    assert len(names(clinic)) == 1
    assert [state(read(one, clinic), clock) for clock in ("0900", "0930")] == ["booked"] * 2


def test_a_paused_door_delays_a_booking_and_shows_nothing_old(world):
    clinic, (one, paused), _ = doors(world)
    assert [read(paused, clinic)["source"] for _ in range(2)][1] == "lru"
    paused.worker.signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with Timed() as wait:
            book(one, clinic)
        reading = pool.submit(read, paused, clinic)
        wait_until(lambda: paused.worker.unread_bytes() > 0, 5, "a request in its socket")
        paused.worker.signal(signal.SIGCONT)
        assert state(reading.result()) == "booked"
    assert wait.seconds <= LIMIT_S
    wait_until(lambda: measure(paused.worker, "registrations") == 2, 5, "another lease")
    assert measure(paused.worker, "refusals") == 1
    with Timed() as next_one:
        book(one, clinic, "0930")
    assert next_one.seconds < LEASE_S / 2
    assert [state(read(paused, clinic), "0930") for _ in range(2)] == ["booked"] * 2


def test_redis_brings_back_what_was(world):
    clinic, (one, other), _ = doors(world)
    read(one, clinic)
    redis = world.redis()
    key = wait_until(lambda: redis.keys(SHARED), 5, "a list in Redis")[0]
    held = redis.hgetall(key)
    book(one, clinic)
    for door in (one, other, one, other):
        redis.hset(key, mapping=held)
        assert state(read(door, clinic)) == "booked"
    assert all(measure(door.worker, "refused") >= 1 and measure(door.worker, "hits", "redis") == 0 for door in (one, other))
    new = Door(world, {"INSTANCE": 3})
    wait_until(lambda: measure(new.worker, "registrations") >= 1, 10, "a lease")
    redis.hset(key, mapping=held)
    assert state(read(new, clinic)) == "booked" and measure(new.worker, "refused") == 1


def test_a_list_of_another_day_in_redis_is_not_shown(world):
    clinic, (one, other), _ = doors(world, CACHE_ENTRIES=1)
    first, second = read(one, clinic, 2), read(one, clinic, 3)
    redis = world.redis()
    keys = wait_until(lambda: len(redis.keys(SHARED)) == 2 and redis.keys(SHARED), 5, "two lists in Redis")
    key = next(key for key in keys if key.endswith(str(clinic.day(2))))
    for body in (json.dumps(second, separators=(",", ":")), "{}", "", json.dumps(first), "x" * 1000,
                 '{"found":true,"provider_id":"' * 40):
        redis.hset(key, mapping={"version": second["certificate"] + 1000000, "body": body})
        found = read(other, clinic, 2)
        assert found["slots"] == first["slots"] and found["source"] != "redis"
        read(other, clinic, 3)


def test_without_redis_it_asks(world):
    clinic, (door,), _ = doors(world, 1)
    world.servers.kill("redis")
    try:
        assert [read(door, clinic)["source"] for _ in range(2)] == ["database", "lru"]
        book(door, clinic)
        found = [read(door, clinic) for _ in range(2)]
        assert [(state(answer), answer["source"]) for answer in found] == [("booked", "database"), ("booked", "lru")]
    finally:
        world.servers.start("redis")


def test_without_its_worker_a_door_answers_for_a_lease_at_most(world):
    clinic, (door,), (worker,) = doors(world, 1)
    assert [read(door, clinic)["source"] for _ in range(2)][1] == "lru"
    worker.kill()
    begun = time.monotonic()
    world.redis().flushall()
    wait_until(lambda: door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day()}").status_code == 503, 15, "an end of the lease")
    assert time.monotonic() - begun < 10
    hits = measure(door.worker, "hits", "lru")
    problem(door.get(f"/v1/slots?provider_id=dr-adams&date={clinic.day()}"), 503, "unavailable")
    assert measure(door.worker, "hits", "lru") == hits
    world.start_worker("appointment")
    wait_until(lambda: [read(door, clinic)["source"] for _ in range(2)][1] == "lru", 10, "a lease")
    book(door, clinic)
    assert [state(read(door, clinic)) for _ in range(2)] == ["booked"] * 2


def test_a_broker_that_cuts_the_connection_costs_a_lease_at_most(world):
    clinic, (one, other), _ = doors(world)
    read(other, clinic)

    def connections():
        """Those that hear what caches are told; the broker lists them a while after they came."""
        return [one["name"] for one in world.management("vhosts/{vhost}/connections")
                if one.get("client_properties", {}).get("connection_name", "").endswith("(cache)")]
    for name in wait_until(lambda: len(connections()) == 2 and connections(), 15, "two connections"):
        world.management(f"connections/{name}", "DELETE")
    wait_until(lambda: other.worker.log_text().count("what=connected link=cache") >= 2, 20, "to listen again")
    with Timed() as wait:
        book(one, clinic)
    assert wait.seconds <= LIMIT_S
    assert [state(read(other, clinic)) for _ in range(2)] == ["booked"] * 2
    assert rows(clinic)
