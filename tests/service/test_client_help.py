"""What `carebus` says of itself: help, manual page, completion; all from the same tables, so all tell the same."""
import json
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

from servers import BUILD
from test_client import DONE, FAULT, PROGRAM, run_alone

CLIENT = pathlib.Path(BUILD) / "workers" / "client"
COMMANDS = json.loads(run_alone("help", "-o", "json").stdout)["commands"] if PROGRAM.exists() else []
NAMES = [command["name"] for command in COMMANDS]


@pytest.fixture(params=COMMANDS, ids=NAMES)
def command(request):
    return request.param


# -- help

def test_help_lists_every_command():
    for words in ((), ("--help",), ("help",)):
        done = run_alone(*words)
        assert all(re.search(rf"^  {name} ", done.stdout or done.stderr, re.MULTILINE) for name in NAMES)
        assert done.returncode == (DONE if words else FAULT)


def test_a_command_explains_itself(command):
    done = run_alone(command["name"], "--help")
    assert done.returncode == DONE and not done.stderr and done.stdout == run_alone("help", command["name"]).stdout
    for option in command["options"]:
        assert f"--{option['name']}" in done.stdout
    assert "Exit:" in done.stdout and "Examples:" in done.stdout


def test_an_example_uses_what_there_is(command):
    options = {f"--{option['name']}" for option in command["options"]}
    lines = re.findall(rf"carebus {command['name']}\b([^|>&)]*)", command["examples"])
    assert lines
    for line in lines:
        words = shlex.split(line)
        assert {word for word in words if word.startswith("--")} <= options, line


def test_help_of_nothing():
    done = run_alone("help", "bleed")
    assert done.returncode == FAULT and "no such command" in done.stderr


# -- the manual page

def manual():
    return (CLIENT / "carebus.1").read_text("utf-8")


@pytest.mark.parametrize("words", [("groff", "-man", "-ww", "-z", "-Tutf8"), ("man", "--warnings", "-l")], ids=["groff", "man"])
def test_the_page_is_well_formed(words):
    assert shutil.which(words[0]), f"{words[0]} is not installed; compose/packages names the packages"
    done = subprocess.run([*words, str(CLIENT / "carebus.1")], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert manual().isascii() and manual() == run_alone("help", "--man").stdout


def test_the_page_tells_everything(command):
    rendered = subprocess.run(["groff", "-man", "-Tascii", "-P-cbou", "-rLL=200n", str(CLIENT / "carebus.1")],
                              capture_output=True, text=True, timeout=60, check=True).stdout
    part = re.search(rf"^   carebus {command['name']}$(.*?)(^   carebus |^[A-Z])", rendered, re.MULTILINE | re.DOTALL)[1]
    for option in command["options"]:
        where = rendered if option["name"] in ("help", "output") else part
        assert re.search(rf"^ +(-\w, )?--{option['name']}\b", where, re.MULTILINE), option["name"]
    for line in command["examples"].splitlines():
        assert line.strip() in part
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT"):
        assert re.search(f"^{heading}$", rendered, re.MULTILINE)
    environment = rendered[rendered.index("\nENVIRONMENT"):]
    for name in ("HTTP", "TOKEN", "AMQP", "AMQP_ADMIN", "MANAGEMENT"):
        assert re.search(f"^ +CAREBUS_{name}$", environment, re.MULTILINE), name


def test_page_and_completion_are_installed():
    planned = json.loads(subprocess.run(["meson", "introspect", "--installed", str(BUILD)], capture_output=True, text=True,
                                        timeout=60, check=True).stdout)
    targets = {pathlib.Path(source).name: target for source, target in planned.items()}
    assert targets["carebus.1"].endswith("/man/man1/carebus.1")
    assert targets["carebus.bash"].endswith("/bash-completion/completions/carebus.bash")
    assert targets["carebus"].endswith("/bin/carebus")


# -- completion

COMPLETE = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_carebus
printf '%s\\n' "${COMPREPLY[@]}"
"""


def complete(*words, folder=None):
    """What bash offers for the last of the words."""
    done = subprocess.run(["bash", "--norc", "-euc", COMPLETE, "bash", str(CLIENT / "carebus.bash"), "carebus", *words],
                          capture_output=True, text=True, timeout=20, check=False, cwd=folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def test_the_script_is_sound():
    script = CLIENT / "carebus.bash"
    subprocess.run(["bash", "-n", str(script)], check=True)
    subprocess.run(["shellcheck", str(script)], check=True)
    assert script.read_text("utf-8") == run_alone("completion", "bash").stdout
    assert json.loads(run_alone("completion", "bash", "-o", "json").stdout)["script"] == script.read_text("utf-8")
    assert run_alone("completion", "fish").returncode == FAULT
    registered = subprocess.run(["bash", "--norc", "-c", f"source {script}; complete -p carebus"], capture_output=True, text=True,
                                timeout=20, check=True).stdout
    assert registered == "complete -F _carebus carebus\n"


def test_commands_are_completed():
    assert complete("") == set(NAMES)
    assert complete("w") == {"watch"} and complete("help", "par") == {"parked"}


def test_options_are_completed(command):
    offered = complete(command["name"], "-")
    assert {f"--{option['name']}" for option in command["options"]} <= offered and "-o" in offered
    for option in command["options"]:
        assert f"--{option['name']}" in complete(command["name"], f"--{option['name']}")


def test_choices_are_completed(command):
    for option in command["options"]:
        if "choices" in option:
            choices = set(option["choices"].split("|"))
            assert complete(command["name"], f"--{option['name']}", "") == choices
            assert complete(command["name"], f"--{option['name']}", "=") == choices
            one = sorted(choices)[0]
            assert one in complete(command["name"], f"--{option['name']}", "=", one[0])


@pytest.mark.parametrize("words, offered", [
    (("topology", ""), {"check", "plan", "apply"}), (("topology", "pl"), {"plan"}), (("topology", "--watch", "5", "c"), {"check"}),
    (("topology", "--watch", "=", "5", "c"), {"check"}), (("topology", "check", ""), set()),
    (("parked", "r"), {"replay"}), (("parked", "-o", "json", "show", "hospital.e"), {"hospital.emergency.parked"}),
    (("parked", "--dry-run", "re"), {"replay"}), (("request", "--group", "AB"), {"AB-", "AB+"}),
    (("request", "--hospital", ""), set()), (("completion", ""), {"bash"}), (("nothing", ""), set()),
    (("flow", "--event", "bloodbank.stock.l"), {"bloodbank.stock.low"})])
def test_what_is_offered(words, offered):
    assert complete(*words) == offered


def test_files_are_completed(tmp_path):
    (tmp_path / "dropped.jsonl").touch()
    assert complete("parked", "drop", "hospital", "--to", "dro", folder=tmp_path) == {"dropped.jsonl"}
