"""Runs every check and prints what it found; see compose/doctor."""
import dataclasses
import json
import os
import sys

from . import machine, processes, servers
from .finding import FAIL, Finding


def examine(check):
    """The check's findings; a check that breaks is a finding too, and the others go on."""
    name = check.__name__.replace("_", " ")
    try:
        yield from check()
    except Exception as fault:  # whatever it is, it is told and the rest is looked at
        yield Finding(FAIL, name, f"could not be looked at: {type(fault).__name__}: {fault}".replace("\n", " "),
                      "see compose/status and compose/logs")


def findings():
    for check in machine.CHECKS:
        yield from examine(check)
    if not processes.is_started():
        yield Finding("ok", "stack", f"nothing is running in {os.environ['VAR']}; compose/up starts it")
        return
    if not processes.is_readable():
        yield Finding(FAIL, "stack", "it belongs to another user, who alone may see its passwords", "run compose/doctor as that user")
        return
    for check in (*processes.CHECKS, *servers.CHECKS):
        yield from examine(check)


def main():
    found = []
    for finding in findings():
        found.append(finding)
        if "--json" not in sys.argv:
            print(finding.line(), flush=True)
    if "--json" in sys.argv:
        print(json.dumps([dataclasses.asdict(finding) for finding in found], indent=1))
    sys.exit(1 if any(finding.level == FAIL for finding in found) else 0)


main()
