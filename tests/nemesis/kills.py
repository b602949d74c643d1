"""The trials of the sweep, as functions: test_sweep.py runs them on the machine as it is, test_mutations.py on broken ones."""
from servers import wait_until
from trial import PLANS, SWEEP_AFTER_MS, Trial, asked, compare, counter, requested

# At which passage: in the midst of the outputs.
PER_OUTPUT = ("after_first_publish", "after_view", "after_confirm")
# Nothing of the batch may be acknowledged at these: no output is confirmed.
BEFORE_CONFIRMS = ("after_read", "after_inbox", "after_load", "after_decide", "before_commit", "after_commit",
                   "after_first_publish", "after_publish")


def settle_and_compare(trial, expected):
    trial.start()
    trial.settle(len(expected["inbox"]))
    compare(trial.state(), expected)


def kill_in_a_batch(world, expected, worker, point, build=None):
    trial = Trial(world, PLANS[worker](), build)
    trial.crash_in_batch(f"{point}:5" if point in PER_OUTPUT else point)
    if point in BEFORE_CONFIRMS:
        trial.find_waiting(trial.plan.batch, f"the whole batch in the queue: {point}")
    if point == "after_first_publish":
        trial.listen_for_the_batch()
    if point == "after_publish":
        trial.listen()
    trial.publish(trial.plan.late)
    trial.may_crash(point)
    settle_and_compare(trial, expected)


def kill_after_an_attempt(world, expected, worker):
    """Only what was delivered before counts its attempts."""
    trial = Trial(world, PLANS[worker]())
    trial.crash_in_batch("after_inbox")
    trial.publish(trial.plan.late)
    trial.crash("after_attempt")
    assert trial.rows("SELECT count(*), max(attempts) FROM attempt") == [(1, 1)]
    trial.crash("after_attempt:2")
    settle_and_compare(trial, expected)
    assert trial.rows("SELECT max(attempts) FROM attempt")[0][0] is None, "a success forgets the attempts"


def kill_in_the_sweep(world, expected, worker):
    """Only what stayed unsent is swept."""
    trial = Trial(world, PLANS[worker]())
    trial.crash_in_batch("after_commit")
    trial.publish(trial.plan.late)
    wait_until(lambda: trial.rows("SELECT count(*) FROM outbox WHERE sent_at IS NULL AND created_at < now() - "
                                  f"interval '{SWEEP_AFTER_MS} ms'")[0][0], what="outputs to be old enough")
    trial.crash("after_sweep_claim")
    settle_and_compare(trial, expected)


def unbind(world, exchange, key):
    """Remove every queue's binding with this key; return the queues."""
    channel = world.connect("admin").channel()
    queues = [binding["destination"] for binding in world.management(f"exchanges/{{vhost}}/{exchange}/bindings/source")
              if binding["routing_key"] == key and binding["destination_type"] == "queue"]
    for queue in queues:
        channel.queue_unbind(queue, exchange, key)
    assert queues
    return queues


def miss_a_binding(world, worker, event, build=None):
    """An output that no queue takes stays unsent, is counted, and is sent when the binding is back; the input does not wait."""
    trial = Trial(world, PLANS[worker](), build, with_tap=False)  # a tap would take it
    lost = unbind(world, worker, event)
    trial.start()
    trial.publish([asked("lonely")] if worker == "hospital" else [requested("lonely", component="cryo")])
    wait_until(lambda: counter(trial.worker, "carebus_publishes_total", answer="returned") >= 2, trial.patience,
               "the sweeper to try again")
    wait_until(lambda: trial.waiting() == 0 and sum(map(world.held, trial.queues())) == 0, what="the input's acknowledgement")
    assert trial.rows("SELECT type FROM outbox WHERE sent_at IS NULL") == [(event,)]
    channel = world.connect("admin").channel()
    for queue in lost:
        channel.queue_bind(queue, worker, event)
    wait_until(lambda: trial.unsent() == 0, 20, "the output to be sent")
    neighbour, heard = {"hospital": ("bloodbank", 1), "bloodbank": ("hospital", 2), "notification": ("hospital", 1)}[worker]
    assert world.depth(neighbour) == heard
