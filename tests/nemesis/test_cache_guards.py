"""The guards of the slot cache (lib/guard.h): with all of them each scenario goes well, and without its own it goes wrong."""
import signal
import urllib.parse

import pytest

from cache import LEASE_S, Asker, Cache, Timed, asked, book_slowly, is_committed, measure, resurrect, start, state
from servers import wait_until

CLOSE_S = 10  # BROKER_HEARTBEAT_S: so long the broker waits for a paused client to agree to the end of its connection


def cut_listener(world, worker):
    """End the connection on which a worker hears what is for its cache."""
    def find():
        return [one["name"] for one in world.management("vhosts/{vhost}/connections")
                if one["user"] == "appointment-listener" and f":{worker.pid} " in one.get("user_provided_name", "")]
    for name in wait_until(find, 15, "the connection"):
        world.management(f"connections/{urllib.parse.quote(name)}", "DELETE")
    wait_until(lambda: not find(), 2 * CLOSE_S, "the connection to be gone")


def book_behind(world, clinic, workers, questions=4):
    """The second worker is paused and does not hear that the first one books; that one ends. Return what the second answers then."""
    paused = workers[1]
    paused.signal(signal.SIGSTOP)
    cut_listener(world, paused)
    for _ in range(2):
        book_slowly(clinic)
    wait_until(lambda: is_committed(clinic), 5, "one of the two that is not with the paused one")
    assert workers[0].stop() == 0
    asker = Asker(world, clinic)
    asker.ask(questions)
    paused.signal(signal.SIGCONT)
    return [state(answer) for answer in asker.answers()]


def old_in_map(world, guards):
    clinic, workers = start(world, 2, GUARD_OFF=guards)
    asked(clinic, 4)
    return book_behind(world, clinic, workers)


def old_in_map_under_a_new_lease(world, guards):
    clinic, workers = start(world, 2, GUARD_OFF=guards)
    asked(clinic, 4)
    book_behind(world, clinic, workers, 0)
    wait_until(lambda: measure(workers[1], "registrations") >= 2, 10, "another lease")
    return [state(answer) for answer in asked(clinic, 3)]


def old_in_redis(world, guards):
    clinic, workers = start(world, 2, GUARD_OFF=guards, CACHE_ENTRIES=1)
    clinic.slots()
    for _ in range(4):
        clinic.slots(3)
    return book_behind(world, clinic, workers)


def old_in_own_map(world, guards):
    clinic, _ = start(world, GUARD_OFF=guards)
    asked(clinic, 2)
    clinic.book(clinic.slot("0900"))
    return [state(answer) for answer in asked(clinic, 2)]


def old_back_in_redis(world, guards):
    clinic, _ = start(world, GUARD_OFF=guards)
    asked(clinic, 2)
    bring_back = resurrect(world, clinic)
    clinic.book(clinic.slot("0900"))
    bring_back()
    return [state(clinic.slots())]


def old_back_in_redis_for_a_new_worker(world, guards):
    clinic, (worker,) = start(world)
    asked(clinic, 2)
    bring_back = resurrect(world, clinic)
    clinic.book(clinic.slot("0900"))
    assert worker.stop() == 0
    new = world.start_worker("appointment", {"GUARD_OFF": guards, "INSTANCE": 2})
    wait_until(lambda: measure(new, "registrations") >= 1, 10, "a lease")
    bring_back()
    return [state(clinic.slots())]


def silent(world, guards, prepare=lambda clinic, cache: None, say=lambda cache, heard: None):
    """A cache that says nothing, or the wrong thing: "free" is what it would go on showing while the booking is answered."""
    clinic, _ = start(world, GUARD_OFF=guards)
    cache = Cache(world).register()
    prepare(clinic, cache)
    with Timed() as wait:
        cause = book_slowly(clinic)
        say(cache, cache.hear())
        clinic.answer(cause, "slot.booked")
    return ["booked" if wait.seconds > LEASE_S else "free"]


def silent_and_fenced(world, guards):
    return silent(world, guards, lambda clinic, cache: clinic.sql(
        "UPDATE cache SET is_fenced = true WHERE incarnation = %s", [cache.incarnation]))


def silent_about_this_write(world, guards):
    return silent(world, guards, say=lambda cache, heard: cache.acknowledge(heard, write=heard["write"] + 1))


GUARDS = {"lease": old_in_map, "forget": old_in_map_under_a_new_lease, "lease_shared": old_in_redis, "drop": old_in_own_map,
          "floor": old_back_in_redis, "raise": old_back_in_redis, "generation": old_back_in_redis_for_a_new_worker,
          "await": silent, "fence": silent, "fence_wait": silent, "fenced_found": silent_and_fenced,
          "write_id": silent_about_this_write}


@pytest.mark.parametrize("scenario", sorted(set(GUARDS.values()), key=lambda scenario: scenario.__name__),
                         ids=lambda scenario: scenario.__name__)
def test_with_all_guards_nobody_sees_what_was(world, scenario):
    assert set(scenario(world, "")) == {"booked"}


@pytest.mark.parametrize("guard", GUARDS)
def test_without_a_guard_somebody_does(world, guard):
    assert "free" in GUARDS[guard](world, guard)
