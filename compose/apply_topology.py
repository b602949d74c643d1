"""Applies the contract's topology to a broker: apply_topology.py MANAGEMENT_URL SECRETS_FOLDER.

The definitions are made by the contract's generator with the passwords (hashed) of the folder's files amqp-<user>.
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


def apply(url, password, definitions):
    login = base64.b64encode(f"admin:{password}".encode()).decode()
    request = urllib.request.Request(url + "/api/definitions", data=definitions, method="POST", headers={
        "Content-Type": "application/json", "Authorization": "Basic " + login})
    deadline = time.monotonic() + MANAGEMENT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=MANAGEMENT_SECONDS):
                return
        except urllib.error.HTTPError as fault:
            sys.exit(f"the broker refuses the definitions: {fault.code} {fault.read().decode()}")
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def main():
    secrets = pathlib.Path(sys.argv[2])
    apply(sys.argv[1], (secrets / "amqp-admin").read_text(encoding="ascii").strip(), make_definitions(secrets))


if __name__ == "__main__":
    main()
