"""The sweep must notice a broken machine: each promise is broken once, in a copy of the sources, and the same trials must fail."""
import dataclasses
import os
import pathlib
import shutil
import subprocess

import pytest

from servers import PROJECT
from test_sweep import check_kill, check_missing_binding


@dataclasses.dataclass
class Mutation:
    """One promise, broken by replacing text in a file of lib/."""
    name: str
    file: str
    old: str
    new: str


MUTATIONS = [
    Mutation("inbox: what was seen before is decided again", "worker_batch.c",
             "flight->incoming[i].newness = SEEN;", "flight->incoming[i].newness = FRESH;"),
    Mutation("inbox: its rows are not kept", "worker_batch.c",
             "\tforget_parked(runtime, flight);\n", "\tfor (size_t i = 0; i < flight->incoming_count; i++)\n"
             "\t\tflight->incoming[i].is_parked = true;\n\tforget_parked(runtime, flight);\n"),
    Mutation("mandatory is not set", "worker_send.c", ".is_mandatory = output->is_mandatory,", ".is_mandatory = false,"),
    Mutation("acknowledged before the confirms", "worker_send.c",
             "\tlaunch_outputs(runtime, flight, &flight->outbox);\n",
             "\tacknowledge(runtime, flight);\n\tlinks_serve(runtime);\n\tlaunch_outputs(runtime, flight, &flight->outbox);\n"),
    Mutation("acknowledged when read", "worker_send.c",
             "struct flight *flight_new(struct runtime *runtime)\n{\n",
             "struct flight *flight_new(struct runtime *runtime)\n{\n\tfor (uint64_t tag = runtime->acks.first; "
             "tag < runtime->acks.next; tag++)\n\t\tconsumer_ack(runtime->consumer, runtime->acks.incarnation, tag, false, "
             "&(struct why){ 0 });\n\tlinks_serve(runtime);\n"),
    Mutation("the sweeper finds nothing", "worker_timer.c", "outcome == DONE && row < rows_count(rows)", "outcome == DONE && row < 0"),
]
# Few, but every promise has one that depends on it.
TRIALS = [
    ("killed after_commit", lambda world, references, build: check_kill(world, references("hospital"), "hospital", "after_commit", build)),
    ("killed after_inbox", lambda world, references, build: check_kill(world, references("hospital"), "hospital", "after_inbox", build)),
    ("killed after_publish", lambda world, references, build: check_kill(world, references("hospital"), "hospital", "after_publish", build)),
    ("a missing binding", lambda world, references, build: check_missing_binding(world, "hospital", "hospital.blood.requested", build)),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources and a build folder with crash points, to be changed at will."""
    folder = tmp_path_factory.mktemp("mutants")
    source = folder / "source"
    for part in ("lib", "workers", "amqp-topology", "sql"):
        shutil.copytree(PROJECT / part, source / part)
    for file in ("meson.build", "meson_options.txt"):
        text = (PROJECT / file).read_text(encoding="utf-8")
        (source / file).write_text(text.replace("subdir('tests')\n", ""), encoding="utf-8")
    subprocess.run(["meson", "setup", "-Dcrash_points=true", "--buildtype", "debug", folder / "build", source], check=True,
                   capture_output=True)
    return source, folder / "build"


def compile_copy(build):
    done = subprocess.run(["ninja", "-C", build, "workers/hospital/carebus-hospital"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_sweep_notices(world, references, copy, mutation):
    source, build = copy
    references("hospital")
    path = source / "lib" / mutation.file
    text = path.read_text(encoding="utf-8")
    assert text.count(mutation.old) == 1, f"{mutation.file} has changed: write the mutation anew"
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        compile_copy(build)
        noticed = find_noticed(world, references, build)
    finally:
        path.write_text(text, encoding="utf-8")
    assert noticed, "no trial failed"
    print(f"{mutation.name}: noticed by: {noticed}")
