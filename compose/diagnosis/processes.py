"""The stack's processes: do they run, are they ready, were they restarted, what do their logs say?"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import urllib.request

from .finding import FAIL, OK, WARN, Finding

LOG_HOURS = 1
LOG_BYTES_MAX = 4 * 1024 ** 2  # of a log's end
LINE_SHOWN = 160
TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)")
FAULTS = {
    "rabbitmq": re.compile(r"\[(error|critical)\]"),
    "postgres": re.compile(r" (ERROR|FATAL|PANIC): "),
    "redis": re.compile(r"^\d+:\w .* (#|\*) .*(error|failed|OOM|out of memory)", re.IGNORECASE),
}
WORKER_FAULT = re.compile(r'level=error|"level":"error"|ERROR: \w+Sanitizer')


def names(variable):
    return os.environ[variable].split()


def is_started():
    """Does this stack's supervisor run?"""
    folder = pathlib.Path(os.environ["VAR"])
    try:
        pid = (folder / "state" / "supervisor.pid").read_text(encoding="ascii").strip()
        return os.readlink(f"/proc/{pid}/cwd") == str(folder / "service")
    except OSError:
        return False


def is_readable():
    return os.access(pathlib.Path(os.environ["SECRETS"]) / "amqp-admin", os.R_OK)


def status():
    program = pathlib.Path(os.environ["PROJECT"]) / "compose" / "status"
    return json.loads(subprocess.run([str(program), "--json"], check=True, capture_output=True, text=True).stdout)


def running():
    for row in status():
        name = row["name"]
        if not row["pid"]:
            yield Finding(FAIL, name, "does not run", f"compose/restart {name} starts it, compose/logs {name} tells why it ended")
        elif not row["ready"]:
            yield Finding(FAIL, name, f"runs (pid {row['pid']}) and is not ready", f"compose/logs {name} tells what it waits for")
        elif row["restarts"]:
            yield Finding(WARN, name, f"is ready, but was restarted {row['restarts']} times", f"compose/logs {name} tells why")
        else:
            yield Finding(OK, name, f"is ready, for {row['uptime']} s")


def programs():
    """Is what runs what was built?"""
    build, state = pathlib.Path(os.environ["BUILD"]), pathlib.Path(os.environ["VAR"]) / "state"
    old = []
    for name in names("WORKERS") + names("DOORS"):
        program, known = build / "workers" / name / f"carebus-{name}", state / f"{name}.sum"
        if program.exists() and known.exists():
            digest = hashlib.sha256(program.read_bytes()).hexdigest()
            if not known.read_text(encoding="ascii").startswith(digest):
                old.append(name)
    if old:
        yield Finding(WARN, "programs", f"built since they were started: {', '.join(old)}", "compose/up restarts them")
    else:
        yield Finding(OK, "programs", "those that run are those that were built")


def metrics(name):
    """{metric with its labels: value} of a worker."""
    ports = dict(pair.split("=") for pair in names("METRICS_PORTS"))
    with urllib.request.urlopen(f"http://127.0.0.1:{ports[name]}/metrics", timeout=5) as answer:
        lines = answer.read().decode().splitlines()
    return {key: float(value) for key, _, value in (line.rpartition(" ") for line in lines if line and line[0] != "#")}


def counters():
    """What should not grow."""
    watched = {"carebus_connection_failures_total": "connections were lost or refused",
               "carebus_outbox_swept_total": "outputs were sent late, by the sweeper"}
    told = False
    for name in names("WORKERS"):
        try:
            found = metrics(name)
        except OSError:
            continue  # that it is not there was told already
        for metric, text in watched.items():
            total = sum(value for key, value in found.items() if key.split("{")[0] == metric)
            if total:
                told = True
                yield Finding(WARN, "counters", f"{name}: {total:.0f} {text} since its start", f"compose/logs {name}")
    if not told:
        yield Finding(OK, "counters", "no connection was lost, nothing was sent late")


def last_lines(path):
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES_MAX))
        return file.read().decode("utf-8", "replace").splitlines()


def recent_faults(name):
    """Lines of the last hour that tell of a fault."""
    path = pathlib.Path(os.environ["LOG"]) / name / "current"
    since = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=LOG_HOURS)).strftime("%Y-%m-%d %H:%M:%S")
    fault = FAULTS.get(name, WORKER_FAULT)
    for line in last_lines(path) if path.exists() else ():
        time = TIME.search(line)
        if fault.search(line) and (time is None or " ".join(time.groups()) >= since):
            yield line


def logs():
    told = False
    for name in names("SERVICES"):
        lines = list(recent_faults(name))
        if lines:
            told = True
            text = f"{name}: {len(lines)} faults in the last hour, the last: {lines[-1][:LINE_SHOWN]}"
            yield Finding(WARN, "logs", text, f"compose/logs {name}")
    if not told:
        yield Finding(OK, "logs", "no fault in the last hour")


CHECKS = (running, programs, counters, logs)
