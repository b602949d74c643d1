import json, os, random, signal, threading, time
import bodies
from servers import wait_until
from trial import counter


def test_chaos(world):
    tap = world.tap()
    h = world.start_worker("hospital", env={"SWEEP_AFTER_MS": 1500, "LOG_LEVEL": "info"})
    b = world.start_worker("bloodbank", env={"SWEEP_AFTER_MS": 1500, "LOG_LEVEL": "info"})
    admin = world.servers.connect("postgres")
    end = time.monotonic() + 25
    n = 0
    rng = random.Random(7)
    step = 0
    while time.monotonic() < end:
        for _ in range(30):
            world.publish("hospital.blood.request", bodies.request(f"c{n}", urgency=rng.choice(["routine", "emergency"])), message_id=bodies.identity(f"c{n}"))
            n += 1
        step += 1
        what = step % 6
        if what in (0, 3):
            with admin.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('hospital','bloodbank')")
        elif what in (1, 4):
            for c in world.management("connections"):
                if c.get("user") in ("hospital", "bloodbank") and rng.random() < .6:
                    try:
                        world.management("connections/" + c["name"].replace(" ", "%20").replace(">", "%3E"), "DELETE")
                    except AssertionError:
                        pass
        elif what == 2:
            world.servers.kill("redis"); world.servers.start("redis")
    print("published", n)
    wait_until(lambda: world.held("hospital") == 0 and world.held("hospital.emergency") == 0 and world.held("bloodbank") == 0 and world.held("bloodbank.emergency") == 0, 60, "drained")
    wait_until(lambda: not world.sql("hospital", "SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1") and not world.sql("bloodbank", "SELECT 1 FROM outbox WHERE sent_at IS NULL LIMIT 1"), 60, "sent")
    assert world.sql("hospital", "SELECT count(*) FROM request") == [(n,)]
    assert world.sql("bloodbank", "SELECT count(*) FROM request") == [(n,)]
    for q in ("hospital", "hospital.emergency", "bloodbank", "bloodbank.emergency"):
        assert world.parked(q) == []
    print(world.sql("hospital", "select status,count(*) from request group by 1"), world.sql("hospital", "select count(*) from attempt"), world.sql("bloodbank", "select count(*) from attempt"))
    for w in (h, b):
        print({k: v for k, v in w.metrics().items() if v and "bucket" not in k})
        assert w.stop() == 0


def test_stop_while_the_database_hangs(world):
    h = world.start_worker("hospital")
    admin = world.servers.connect("postgres")
    with admin.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE usename = 'hospital' AND datname = %s", [world.database("hospital")])
        pid = cursor.fetchone()[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        world.publish("hospital.blood.request", bodies.request("hang"), message_id=bodies.identity("hang"))
        time.sleep(1)
        begin = time.monotonic()
        assert h.stop(timeout=10) == 0
        took = time.monotonic() - begin
        print("stop took", took)
        assert took < 5
    finally:
        os.kill(pid, signal.SIGCONT)
