#!/usr/bin/python3
"""Makes everything that follows from the contract: C code, RabbitMQ definitions, the flow page."""

import argparse
import json
import os
import sys

sys.dont_write_bytecode = True

from generator import broker, code, flow  # noqa: E402
from generator.contract import Contract  # noqa: E402
from generator.schemas import Refused  # noqa: E402

FOLDER = os.path.dirname(os.path.abspath(__file__))


def write(folder, name, content):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as stream:
        stream.write(content)


def c_array(name, content):
    """A text of any length as a C array; string literals are limited to 4,095 bytes."""
    data = [str(byte) for byte in content.encode()] + ["0"]
    rows = [", ".join(data[start:start + 24]) for start in range(0, len(data), 24)]
    return f"\nconst char {name}[] = {{\n\t" + ",\n\t".join(rows) + ",\n};\n"


TOPOLOGY_HEADER = """/* The contract as texts. */
#pragma once

/* What the broker must look like, as JSON: vhost, users, exchanges, queues, bindings, policies, permissions. */
extern const char topology_text[];

/*
 * Who tells whom what, as JSON: users {name: kind}, events [{event, title, exchange, keys, emitters, consumers, queues,
 * caused_by {who emits it: events or "timer"}}]. Consumers are workers, `feed`, `views` and `asker`.
 */
extern const char flow_text[];
"""
TOPOLOGY_SOURCE = """/* Made from amqp-topology/ by generate.py: topology.json, and the flow. */
#include "topology_data.h"
"""


def make_code(contract, arguments):
    refuse_faults(contract)
    topology = json.dumps(broker.topology(contract), indent="\t") + "\n"
    write(arguments.output, "events.h", code.header(contract.model, contract.events))
    write(arguments.output, "events.c", code.source(contract.model, contract.events))
    write(arguments.output, "topology_data.h", TOPOLOGY_HEADER)
    write(arguments.output, "topology_data.c", TOPOLOGY_SOURCE + c_array("topology_text", topology)
          + c_array("flow_text", json.dumps(flow.data(contract)) + "\n"))
    write(arguments.output, "topology.json", topology)
    write(arguments.output, "flow.md", flow.page(contract))
    if arguments.depfile:
        sources = " ".join(path.replace(" ", "\\ ") for path in contract.sources())
        target = os.path.join(arguments.output, "events.h")
        write(os.path.dirname(arguments.depfile), os.path.basename(arguments.depfile), f"{target}: {sources}\n")


def read_passwords(path, users):
    with open(path, encoding="utf-8") as stream:
        passwords = json.load(stream)
    missing = [user for user in users if not passwords.get(user)]
    if missing:
        raise Refused(f"{path}: no password for {', '.join(missing)}")
    return passwords


def open_secret(path):
    """Hashes are secrets too: a new file that only its owner reads."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8")


def make_definitions(contract, arguments):
    passwords = read_passwords(arguments.passwords, contract.users)
    text = json.dumps(broker.definitions(contract, passwords, arguments.vhost), indent=2) + "\n"
    if arguments.output == "-":
        sys.stdout.write(text)
        return
    with open_secret(arguments.output) as stream:
        stream.write(text)


def refuse_faults(contract):
    faults = flow.lint(contract)
    if faults:
        raise Refused("\n".join(["the flow is not sound"] + faults))


def lint(contract, _arguments):
    refuse_faults(contract)
    print(f"ok: {len(contract.events)} events, {len(broker.bindings(contract))} bindings")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("code", help="events.{h,c}, topology_data.{h,c}, topology.json, flow.md")
    make.add_argument("--output", required=True, help="folder")
    make.add_argument("--depfile")
    make.set_defaults(run=make_code)
    apply = commands.add_parser("definitions", help="definitions.json for RabbitMQ, with hashed passwords")
    apply.add_argument("--passwords", required=True, help="JSON file: {user: password}")
    apply.add_argument("--vhost", help="another vhost than the contract's")
    apply.add_argument("--output", default="-")
    apply.set_defaults(run=make_definitions)
    commands.add_parser("lint", help="checks the flow of events").set_defaults(run=lint)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        arguments.run(Contract(FOLDER), arguments)
    except (Refused, OSError, ValueError) as error:
        sys.exit(f"generate.py: {error}")


if __name__ == "__main__":
    main()
