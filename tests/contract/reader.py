"""The generated readers as a program, built here with the sanitizers, and spoken to in lines."""
import os
import pathlib
import shlex
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
TOPOLOGY = PROJECT / "amqp-topology"
LIB = PROJECT / "lib"
PARTS = ("schema", "schema_read", "schema_write", "clock", "uuid", "digest", "arena", "buffer", "outcome")
FLAGS = ("-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror")
SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")

sys.path.insert(0, str(TOPOLOGY))
sys.dont_write_bytecode = True


def build(folder, sanitize=True):
    """Compile the program from `folder`/events.{h,c}; return its path."""
    program = folder / "read_event"
    sources = [str(pathlib.Path(__file__).parent / "read_event.c"), str(folder / "events.c")]
    sources += [str(LIB / f"{part}.c") for part in PARTS]
    flags = [*FLAGS, *(SANITIZE if sanitize else ()), f"-I{folder}", f"-I{LIB}"]
    command = [*shlex.split(os.environ.get("CC", "cc")), *flags, *sources, "-ljansson", "-lcrypto", "-lm",
               "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return program


def ask(program, lines):
    """[(event, JSON as text or bytes)] to [(is good, what was written or why not)]."""
    data = b"".join(event.encode() + b"\t" + (text if isinstance(text, bytes) else text.encode()) + b"\n"
                    for event, text in lines)
    done = subprocess.run([str(program)], input=data, capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    answers = [answer.decode().split("\t", 1) for answer in done.stdout.split(b"\n")[:-1]]
    assert len(answers) == len(lines)
    return [(verdict == "ok", text) for verdict, text in answers]
