"""The notification worker, killed under load and after its timers: everyone is told, nobody twice, and at any moment what was
created is delivered or pending."""
import pytest

from chain import SLOW
from notices import LIFE, approved, check_books, rejected, requested, stock, tell
from servers import wait_until
from trial import PLANS, Trial

REQUESTS = 400
KILLS = 8
KEYS_TWICE = "SELECT 1 FROM notification GROUP BY facility_id, role, entity, transition HAVING count(*) > 1"


class Load:
    """Facts of many requests, and how many notifications they lead to."""

    def __init__(self, world, copies):
        self.world = world
        self.seats = range(1, copies + 1)
        self.workers = {}
        self.messages = 0
        self.wanted = 0

    def start(self, seat, ready=True):
        self.workers[seat] = self.world.start_worker("notification", SLOW | {"INSTANCE": seat}, ready=ready)

    def kill(self, seat):
        self.workers[seat].kill()
        self.start(seat, ready=False)

    def tell(self, event, body, wanted):
        tell(self.world, event, body)
        self.messages += 1
        self.wanted += wanted

    def publish(self):
        for number in range(REQUESTS):
            is_emergency = number % 10 == 0
            asked = requested(urgency="emergency" if is_emergency else "routine", hospital_id=f"hospital-00{number % 3 + 1}")
            self.tell("hospital.blood.requested", asked, 1)
            if number % 4 == 0:
                self.tell("bloodbank.blood.rejected", rejected(asked), 1)
            else:
                self.tell("bloodbank.blood.approved", approved(asked, banks=("bank-001", "bank-002")), 3 if is_emergency else 1)
            self.tell("bloodbank.inventory.updated", stock(number, number + 1), 0)

    def created(self):
        return check_books(self.world)[0]

    def is_done(self):
        """Every fact and every own event is in the inbox, and all that was to be said was said."""
        created, pending = check_books(self.world)
        return (created == self.wanted and pending == 0
                and self.world.sql("notification", "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)]
                and self.world.sql("notification", "SELECT count(*) FROM inbox") == [(self.messages + created,)])


def heard(tap, event):
    """What the bus carried, by message id. The same id always has the same bytes."""
    tap.connection.process_data_events(time_limit=0.05)
    found = {}
    for message in tap.messages:
        if message.type == event:
            assert found.setdefault(message.id, message.raw) == message.raw, "said twice, in different words"
    return found


@pytest.mark.parametrize("copies", [1, 2])
def test_killed_under_load(world, copies):
    load = Load(world, copies)
    tap = world.tap()
    load.publish()
    for seat in load.seats:
        load.start(seat)
    for part in range(1, KILLS + 1):
        wait_until(lambda aim=load.wanted * part // (KILLS + 2): load.created() >= aim, 60, f"part {part}")
        load.kill(part % copies + 1)
    wait_until(load.is_done, 60, "everyone to be told", 0.1)
    assert world.sql("notification", KEYS_TWICE) == []
    places = world.sql("notification", "SELECT count(*), min(position), max(position), (SELECT last_position FROM list) "
                       "FROM notification")[0]
    assert places == (load.wanted, 1, load.wanted, load.wanted)
    assert world.sql("notification", "SELECT available, version FROM shelf") == [(REQUESTS - 1, REQUESTS)]
    for queue in ("notification", "notification.emergency"):
        assert not world.parked(queue)
    wait_until(lambda: all(len(heard(tap, event)) >= load.wanted for event in LIFE), 20, "all to be heard")
    assert all(len(heard(tap, event)) == load.wanted for event in LIFE)


def let_a_window_end(trial):
    trial.rows("UPDATE digest_window SET opened_at = opened_at - interval '15 minutes'")


def let_patience_end(trial):
    trial.rows("UPDATE notification SET escalate_at = escalate_at - interval '5 minutes'")


@pytest.mark.parametrize("end, passage, kind", [(let_a_window_end, 1, "stock_digest"), (let_patience_end, 2, "escalated")])
def test_killed_after_a_timer(world, end, passage, kind):
    """What a timer decided is sent by the sweeper: no message comes again that would ask for it."""
    trial = Trial(world, PLANS["notification"]())
    trial.start()
    tell(world, "bloodbank.inventory.updated", stock(12, 3))
    tell(world, "hospital.blood.requested", requested(urgency="emergency"))
    trial.settle(3)
    assert trial.worker.stop() == 0
    end(trial)
    trial.crash(f"after_timer_commit:{passage}")
    assert trial.rows("SELECT kind FROM notification WHERE delivered_at IS NULL") == [(kind,)]
    assert check_books(world) == (2, 1)
    trial.crash("after_sweep_claim")
    trial.start()
    trial.settle(4)
    trial.listen()
    assert check_books(world) == (2, 0)
    told = [message for message in tap_messages(trial) if message.body["kind"] == kind]
    assert len({(message.id, message.raw) for message in told}) == 1


def tap_messages(trial):
    return [message for message in trial.tap.messages if message.type == "notification.message.created"]
