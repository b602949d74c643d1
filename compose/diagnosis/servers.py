"""The servers, and what is in them: durability, schemas, queues, topology, outputs that wait."""
import base64
import hashlib
import json
import os
import pathlib
import subprocess
import time
import urllib.request

from .finding import FAIL, OK, WARN, Finding, graded
from .processes import names

WAITING_MESSAGES = (1000, 100000)  # in a work queue: warn, fail
UNSENT_MINUTES = 1
SKEW_SECONDS = (0.5, 5)  # between the database's clock and ours: warn, fail
ANSWER_SECONDS = 10


def secret(name):
    return (pathlib.Path(os.environ["SECRETS"]) / name).read_text(encoding="ascii").strip()


def management(path):
    login = base64.b64encode(f"admin:{secret('amqp-admin')}".encode()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{os.environ['MANAGEMENT_PORT']}/api/{path}",
                                     headers={"Authorization": f"Basic {login}"})
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as fault:  # the health checks answer 503 with what is wrong
        return json.load(fault)


def sql(database, statement):
    """Rows, as lists of texts."""
    environment = os.environ | {"PGPASSWORD": secret("postgres-admin"), "PGCONNECT_TIMEOUT": str(ANSWER_SECONDS)}
    command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", os.environ["POSTGRES_PORT"],
               "-U", "postgres", "-d", database, "-c", statement]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    return [line.split("\t") for line in done.stdout.splitlines()]


def redis(*words):
    environment = os.environ | {"REDISCLI_AUTH": secret("redis-admin")}
    command = ["redis-cli", "-h", "127.0.0.1", "-p", os.environ["REDIS_PORT"], "--user", "admin", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=ANSWER_SECONDS).stdout.splitlines()


def broker():
    health = management("health/checks/alarms")
    if health.get("status") != "ok":
        yield Finding(FAIL, "broker", f"an alarm is on: {health.get('reason')}", "it takes no messages until disk or memory is free again")
    for node in management("nodes"):
        used = node["fd_used"] / node["fd_total"]
        text = f"uses {node['mem_used'] / 2 ** 20:.0f} MiB and {node['fd_used']} of {node['fd_total']} files"
        yield graded("broker", used, (0.8, 0.95), text, "raise the limit of open files")


def queues():
    found = {queue["name"]: queue for queue in management("queues/carebus?disable_stats=false")}
    own = {name: queue for name, queue in found.items() if queue.get("type") == "quorum"}
    told = False
    for name, queue in sorted(own.items()):
        if queue.get("state") not in (None, "running"):
            told = True
            yield Finding(FAIL, "queues", f"{name} is {queue['state']}", "see the broker's log: compose/logs rabbitmq")
        elif name.endswith(".parked"):
            if queue.get("messages"):
                told = True
                yield Finding(WARN, "queues", f"{queue['messages']} messages are parked in {name}",
                              "compose/carebus parked list tells why; replay or drop them")
        elif not queue.get("consumers"):
            told = True
            yield Finding(FAIL, "queues", f"nobody reads {name}; {queue.get('messages', 0)} messages wait in it",
                          f"is {name.split('.')[0]} running? compose/status")
        else:
            waiting = graded("queues", queue.get("messages_ready", 0), WAITING_MESSAGES,
                             f"{queue.get('messages_ready', 0)} messages wait in {name}", "start more processes of its worker")
            told = told or waiting.level != OK
            if waiting.level != OK:
                yield waiting
    if not told:
        yield Finding(OK, "queues", f"{len(own)} run, all that are to be read are read, nothing is parked")


def topology():
    program = pathlib.Path(os.environ["BUILD"]) / "workers" / "client" / "carebus"
    environment = os.environ | {"CAREBUS_MANAGEMENT": f"http://admin:{secret('amqp-admin')}@127.0.0.1:{os.environ['MANAGEMENT_PORT']}"}
    done = subprocess.run([str(program), "topology", "check", "--vhost", "carebus"], env=environment, capture_output=True, text=True,
                          check=False, timeout=60)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode == 0:
        yield Finding(OK, "topology", "the broker is as the contract says")
    elif done.returncode == 1:
        for line in lines:
            yield Finding(FAIL, "topology", line, "compose/carebus topology apply makes it right")
    else:
        yield Finding(FAIL, "topology", f"could not be told: {' '.join(lines)}", "compose/logs rabbitmq")


def durability():
    rows = dict(sql("postgres", "SELECT name, setting FROM pg_settings WHERE name IN "
                                "('fsync', 'full_page_writes', 'synchronous_commit')"))
    off = [name for name, setting in sorted(rows.items()) if setting not in ("on", "remote_apply", "remote_write")]
    if off or len(rows) != 3:
        yield Finding(FAIL, "durability", f"PostgreSQL has {', '.join(off)} off", "workers refuse to start so; turn it on")
    else:
        yield Finding(OK, "durability", "PostgreSQL keeps what it commits")
    kept = redis("config", "get", "appendonly") + redis("config", "get", "save")
    if kept[1:2] != ["no"] or any(kept[3:]):
        yield Finding(WARN, "durability", "Redis keeps data on disk", "after a restart it would show old views: save '', appendonly no")
    if "carebus" not in redis("function", "list"):
        yield Finding(FAIL, "durability", "Redis has lost the functions that keep old views from replacing new ones",
                      "compose/restart redis loads them")


def connections():
    used, most = map(int, sql("postgres", "SELECT count(*), current_setting('max_connections') FROM pg_stat_activity")[0])
    yield graded("connections", used / most, (0.8, 0.95), f"PostgreSQL has {used} of {most}", "raise max_connections, or end some")
    for pid, user, seconds in sql("postgres", "SELECT pid, usename, extract(epoch FROM now() - xact_start)::int FROM pg_stat_activity "
                                              "WHERE state LIKE 'idle in transaction%' AND xact_start < now() - interval '1 minute'"):
        yield Finding(WARN, "connections", f"{user} (pid {pid}) is idle in a transaction for {seconds} s",
                      "it holds back the vacuum: end it")


def clocks():
    """Half of the time that asking takes is the most we can be wrong by."""
    begun = time.time()
    theirs = float(sql("postgres", "SELECT extract(epoch FROM clock_timestamp())")[0][0])
    took = time.time() - begun
    skew = max(0.0, abs(theirs - (begun + took / 2)) - took / 2)
    yield graded("clocks", skew, SKEW_SECONDS, f"the database's and ours differ by less than {skew + took / 2:.2f} s",
                 "expiry and reservations go by the clock: synchronise it")


def files_of(database):
    """{set/name: checksum} of the migrations in the sources."""
    folder = pathlib.Path(os.environ["PROJECT"]) / "sql"
    return {f"{kind}/{path.stem}": hashlib.sha256(path.read_bytes()).hexdigest()
            for kind in ("machine", database) for path in sorted((folder / kind / "migrations").glob("[0-9]*_*.sql"))}


def schemas():
    for database in names("WORKERS"):
        applied = dict(sql(database, "SELECT set || '/' || name, checksum FROM schema_migration"))
        wanted = files_of(database)
        missing = sorted(wanted.keys() - applied.keys())
        changed = sorted(name for name in wanted.keys() & applied.keys() if applied[name] != wanted[name])
        newer = sorted(applied.keys() - wanted.keys())
        if missing:
            yield Finding(FAIL, "schemas", f"{database} lacks {', '.join(missing)}", "compose/up migrates it")
        if changed:
            yield Finding(FAIL, "schemas", f"{database}: {', '.join(changed)} was changed after it was applied",
                          "write a new migration instead")
        if newer:
            yield Finding(FAIL, "schemas", f"{database} has {', '.join(newer)}, which these sources do not know", "run the newer release")
        if not missing + changed + newer:
            yield Finding(OK, "schemas", f"{database} has all {len(wanted)} migrations")


def outbox():
    """Outputs that should have left long ago."""
    told = False
    for database in names("WORKERS"):
        count, types = sql(database, "SELECT count(*), string_agg(DISTINCT type, ', ') FROM outbox WHERE sent_at IS NULL "
                                     f"AND created_at < now() - interval '{UNSENT_MINUTES} min'")[0]
        if int(count):
            told = True
            yield Finding(FAIL, "outbox", f"{database}: {count} outputs are unsent for more than {UNSENT_MINUTES} min: {types}",
                          "is the broker reachable, the topology whole? the sweeper sends them when it can")
    if not told:
        yield Finding(OK, "outbox", f"nothing is unsent for more than {UNSENT_MINUTES} min")


CHECKS = (broker, queues, topology, durability, connections, clocks, schemas, outbox)
