"""Applies the contract's topology to a broker: apply_topology.py MANAGEMENT_URL SECRETS_FOLDER [STAMP].

The definitions are made by the contract's generator with the passwords (hashed) of the folder's files amqp-<user>. The file
STAMP says that the broker's register of queues is on disk (sync-queues): it is removed before a queue is made.
"""
import base64
import pathlib
import subprocess
import sys
import tempfile
import json
import time
import urllib.error
import urllib.request

PROJECT = pathlib.Path(__file__).resolve().parents[1]
MANAGEMENT_SECONDS = 30  # the management API comes up a little after the broker


def make_definitions(secrets):
    passwords = {path.name.removeprefix("amqp-"): path.read_text(encoding="ascii").strip()
                 for path in secrets.glob("amqp-*")}
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="ascii") as file:  # readable by us alone
        json.dump(passwords, file)
        file.flush()
        return subprocess.run([sys.executable, str(PROJECT / "amqp-topology" / "generate.py"), "definitions",
                               "--passwords", file.name], check=True, stdout=subprocess.PIPE).stdout


def call(url, password, path, data=None):
    """The body of the management API's answer, once it answers."""
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(url + path, data=data, headers={
        "Content-Type": "application/json", "Authorization": "Basic " + login})
    deadline = time.monotonic() + MANAGEMENT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=MANAGEMENT_SECONDS) as answer:
                return answer.read()
        except urllib.error.HTTPError as fault:
            sys.exit(f"the broker refuses {path}: {fault.code} {fault.read().decode()}")
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def names(queues):
    return {(queue["vhost"], queue["name"]) for queue in queues}


def main():
    url, secrets = sys.argv[1], pathlib.Path(sys.argv[2])
    password = (secrets / "amqp-admin").read_text(encoding="ascii").strip()
    definitions = make_definitions(secrets)
    if len(sys.argv) > 3:
        there = names(json.loads(call(url, password, "/api/queues?columns=vhost,name")))
        if names(json.loads(definitions)["queues"]) - there:
            pathlib.Path(sys.argv[3]).unlink(missing_ok=True)
    call(url, password, "/api/definitions", definitions)


if __name__ == "__main__":
    main()
