"""The house's invariants, as far as the sources and the compiled objects tell. (That an input is acknowledged only after
its effect is shown by tests/nemesis; that a worker can't reach another's database, by tests/service.)"""
import os
import pathlib
import re
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CAREBUS_BUILD", PROJECT / "build"))
WORKERS = ("hospital", "bloodbank", "notification", "appointment")
SOURCES = sorted(path for folder in ("lib", "workers") for path in (PROJECT / folder).rglob("*.[ch]"))
INCLUDE = re.compile(r'^#include [<"]([^>"]+)[>"]', re.MULTILINE)

# Who alone may include what.
GATES = {"amqp": r"lib/broker\w*\.[ch]", "libpq-fe.h": r"lib/database\w*\.[ch]", "hiredis/": r"lib/keyvalue\w*\.[ch]",
         "microhttpd.h": r"lib/http\w*\.[ch]"}
# Calls that make a function impure, and those that the house forbids everywhere.
IMPURE = {"time", "clock_gettime", "gettimeofday", "getenv", "secure_getenv", "rand", "random", "getrandom", "open", "fopen",
          "read", "write", "send", "recv", "socket", "connect", "printf", "fprintf", "puts", "fwrite", "__printf_chk",
          "__fprintf_chk", "syslog"}
IMPURE_PREFIXES = ("amqp_", "PQ", "redis", "MHD_", "log_", "database_", "broker_", "keyvalue_", "consumer_", "publisher_",
                   "clock_", "curl_")
FORBIDDEN = {"sprintf", "vsprintf", "strcpy", "strcat", "strncpy", "strtok", "atoi", "atol", "gets", "system", "rand",
             "srand", "__sprintf_chk", "__strcpy_chk", "__strcat_chk", "__strncpy_chk"}


def name_of(path):
    return str(path.relative_to(PROJECT))


def domain_files(worker):
    """The nouns of a worker: all but its face, its main, and what speaks SQL."""
    keep_out = re.compile(rf"^({worker}|main|(\w+_)?(load|store|rows|need|question)\w*)\.c$")
    return [path for path in sorted((PROJECT / "workers" / worker).glob("*.c")) if not keep_out.match(path.name)]


def symbols_needed(source):
    """Undefined symbols of a source's object in the build folder."""
    objects = list((BUILD / source.parent.relative_to(PROJECT)).rglob(source.name + ".o"))
    if not objects:
        pytest.skip(f"no object of {name_of(source)} in {BUILD}: build first")
    listing = subprocess.run(["nm", "-u", *map(str, objects)], check=True, capture_output=True, text=True).stdout
    return {line.split()[-1].split("@")[0] for line in listing.splitlines() if " U " in line}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_libraries_have_one_gate_each(path):
    for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for library, gate in GATES.items():
            if header.startswith(library):
                assert re.fullmatch(gate, name_of(path)), f"{name_of(path)} includes {header}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.parent.name == "lib"], ids=name_of)
def test_only_the_runtime_knows_all_servers(path):
    doors = {door for header in INCLUDE.findall(path.read_text(encoding="utf-8"))
             for door in ("broker", "database", "keyvalue") if re.match(rf"{door}\w*\.h", header)}
    assert len(doors) < 2 or path.name.startswith("worker"), f"{name_of(path)} knows {sorted(doors)}"


@pytest.mark.parametrize("worker", (*WORKERS, "client"))
def test_a_worker_includes_nothing_of_another(worker):
    others = {path.name for other in WORKERS if other != worker for path in (PROJECT / "workers" / other).glob("*.h")}
    own = {path.name for path in (PROJECT / "workers" / worker).glob("*.h")}
    for path in (PROJECT / "workers" / worker).rglob("*.[ch]"):
        for header in INCLUDE.findall(path.read_text(encoding="utf-8")):
            assert "workers/" not in header and ".." not in header, f"{name_of(path)} includes {header}"
            assert header not in others - own, f"{name_of(path)} includes {header} of another worker"


@pytest.mark.parametrize("path", [path for worker in WORKERS for path in domain_files(worker)], ids=name_of)
def test_domain_does_no_io(path):
    needed = symbols_needed(path)
    impure = {name for name in needed if name in IMPURE or name.startswith(IMPURE_PREFIXES)}
    assert not impure, f"{name_of(path)} calls {sorted(impure)}"


def test_domain_files_are_there():
    assert all(len(domain_files(worker)) >= 2 for worker in WORKERS)


def test_the_client_is_a_door():
    """No SQL, no rule of a domain: it speaks to the broker alone."""
    for path in (PROJECT / "workers" / "client").glob("*.[ch]"):
        text = path.read_text(encoding="utf-8")
        headers = set(INCLUDE.findall(text))
        assert not {header for header in headers if re.match(r"(database|worker|outbox|keyvalue)\w*\.h", header)}, name_of(path)
        assert not re.search(r'"(SELECT|INSERT INTO|UPDATE|DELETE FROM) ', text), f"{name_of(path)} speaks SQL"
    program = BUILD / "workers" / "client" / "carebus"
    if program.exists():
        needed = subprocess.run(["nm", "-D", "-u", str(program)], check=True, capture_output=True, text=True).stdout
        assert not re.search(r" U (PQ|redis)\w+", needed)


def test_one_allocator():
    """allocate is called from one file of one worker."""
    callers = [name_of(path) for path in SOURCES if path.suffix == ".c"
               and re.search(r"(?<![\w>.])(?:allocation_decide|allocate)\(", path.read_text(encoding="utf-8"))
               and path.name != "allocation.c"]
    assert {pathlib.PurePath(caller).parts[1] for caller in callers} <= {"bloodbank"}, callers


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_event_names_come_from_the_contract(path):
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    spelled = re.findall(r'"((?:hospital|bloodbank|notification|appointment)\.[a-z_]+\.[a-z_]+)"', text)
    assert not spelled, f"{name_of(path)} spells {spelled}: use the generated names"


@pytest.mark.parametrize("program", [f"workers/{name}/carebus-{name}" for name in WORKERS] + ["workers/client/carebus"])
def test_no_forbidden_call(program):
    path = BUILD / program
    if not path.exists():
        pytest.skip(f"no {path}: build first")
    listing = subprocess.run(["nm", "-D", "-u", str(path)], check=True, capture_output=True, text=True).stdout
    called = {line.split()[-1].split("@")[0] for line in listing.splitlines()}
    assert not called & FORBIDDEN, f"{program} calls {sorted(called & FORBIDDEN)}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 500, f"{name_of(path)}: a file has at most 500 lines"
    assert text.startswith(("/*", "//")), f"{name_of(path)}: a file begins with what it is for"


@pytest.mark.parametrize("folder", ["lib", "workers", "amqp-topology", "sql", "compose", "tests", "docs", ".ci"])
def test_nothing_is_put_off(folder):
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
    for path in (PROJECT / folder).rglob("*"):
        if path.is_file() and path.suffix in (".c", ".h", ".py", ".sh", ".sql", ".lua", ".yaml", ".json", ".md", ".build", ""):
            assert not marks.search(path.read_text(encoding="utf-8")), f"{name_of(path)} puts something off"


def test_tests_do_not_sleep():
    sleeping = re.compile(r"time\.sle" r"ep\(|(?<![\w.])(?:u|nano)?sle" r"ep\(")
    for path in (PROJECT / "tests").rglob("*.[cp]*"):
        if path.suffix in (".c", ".py"):
            assert not sleeping.search(path.read_text(encoding="utf-8")), f"{name_of(path)} sleeps; poll with a deadline"
