"""The machine: is it one that the stack runs on, and does it give what the stack needs?"""
import os
import pathlib
import resource
import statistics
import time

from .finding import FAIL, OK, WARN, Finding, graded
from .processes import is_started

GIB = 1024 ** 3
FSYNC_WRITES = 20
FILES_MIN = (4096, 1024)  # warn, fail; the bridge alone wants 2,564 for 2,500 connections


def var():
    """The stack's folder, or what there is of the path to it."""
    path = pathlib.Path(os.environ["VAR"])
    while not path.exists():
        path = path.parent
    return path


def system():
    facts = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release", encoding="utf-8") if "=" in line)
    name = f"{facts.get('NAME', '?')} {facts.get('VERSION_ID', '?')}".replace('"', "")
    architecture = os.uname().machine
    if facts.get("ID") == "debian" and facts.get("VERSION_ID") == '"12"' and architecture in ("x86_64", "aarch64"):
        yield Finding(OK, "system", f"{name}, {architecture}")
    else:
        yield Finding(WARN, "system", f"{name}, {architecture}", "it is made for and tested on Debian 12, x86_64")


def packages():
    missing = os.environ["MISSING"].split()
    if missing:
        yield Finding(FAIL, "packages", f"missing: {' '.join(missing)}", "run compose/up as root, or apt-get install them")
    else:
        yield Finding(OK, "packages", "all are installed")


def disk():
    stat = os.statvfs(var())
    free = stat.f_bavail * stat.f_frsize / GIB
    yield graded("disk", free, (5, 1), f"{free:.1f} GiB free for {os.environ['VAR']}",
                 "make room, or choose another place with VAR=folder: RabbitMQ takes nothing below 256 MiB")
    inodes = stat.f_favail / stat.f_files if stat.f_files else 1
    if inodes < 0.05:
        yield Finding(WARN, "disk", f"{inodes:.1%} of the inodes are free", "delete small files")


def fsync():
    """Every commit and every confirm waits for one."""
    path = var() / f".doctor-{os.getpid()}"
    if not os.access(path.parent, os.W_OK):
        yield Finding(WARN, "fsync", f"{path.parent} can't be written to, so it was not measured", "run compose/doctor as its owner")
        return
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        took_ms = []
        for _ in range(FSYNC_WRITES):
            os.pwrite(file, b"x" * 4096, 0)
            begun = time.monotonic()
            os.fdatasync(file)
            took_ms.append((time.monotonic() - begun) * 1000)
    finally:
        os.close(file)
        path.unlink()
    median = statistics.median(took_ms)
    yield graded("fsync", median, (20, 200), f"{median:.2f} ms in the middle, {max(took_ms):.1f} ms at most",
                 "each commit waits for it: use a local disk, or one with a battery-backed cache")


def memory():
    facts = dict(line.split(":") for line in open("/proc/meminfo", encoding="ascii"))
    available = int(facts["MemAvailable"].split()[0]) / 1024 ** 2
    needed = (0.25, 0.1) if is_started() else (1, 0.5)
    yield graded("memory", available, needed, f"{available:.1f} GiB available", "the stack needs about 0.5 GiB: end other programs")


def open_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = 10 ** 9 if hard == resource.RLIM_INFINITY else hard
    yield graded("open files", allowed, FILES_MIN, f"a process may have {'any number' if allowed == 10 ** 9 else hard}",
                 "raise it: ulimit -Hn, or LimitNOFILE of the service that starts this")


def listening():
    """Ports that somebody listens on."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):
            rows = [line.split() for line in open(table, encoding="ascii")][1:]
            found |= {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}
    return found


def ports():
    base = os.environ.get("AMQP_PORT")
    if base is None:
        yield Finding(OK, "ports", "compose/up will choose free ones")
        return
    block = range(int(base), int(base) + int(os.environ["BLOCK"]))
    taken = sorted(listening() & set(block))
    if taken and not is_started():
        yield Finding(FAIL, "ports", f"{', '.join(map(str, taken))} is taken by a program that is not ours",
                      "end it, or choose others: PORT_BASE=N compose/up")
    else:
        yield Finding(OK, "ports", f"{block[0]} to {block[-1]} are ours")


def secrets():
    folder = pathlib.Path(os.environ["SECRETS"])
    if not os.access(folder, os.R_OK):
        return  # there are none yet, or they are another user's
    open_ones = [path.name for path in sorted(folder.iterdir()) if path.stat().st_mode & 0o077]
    missing = [name for name in os.environ["SECRET_NAMES"].split() if not (folder / name).exists()]
    if open_ones:
        yield Finding(FAIL, "secrets", f"others may read {', '.join(open_ones)}", f"chmod 600 them, in {folder}, and think of new ones")
    if missing:
        yield Finding(FAIL, "secrets", f"missing: {', '.join(missing)}", "compose/up makes them")
    if not open_ones and not missing:
        yield Finding(OK, "secrets", "each is its owner's alone")


CHECKS = (system, packages, disk, fsync, memory, open_files, ports, secrets)
