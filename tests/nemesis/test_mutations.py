"""The sweep must notice a broken machine: each promise is broken once, in a copy of the sources, and the same trials must fail."""
import dataclasses
import shutil
import subprocess

import pytest

import kills
import trial
from servers import PROJECT

PATIENCE_SECONDS = 6  # a broken machine will not settle


@dataclasses.dataclass
class Mutation:
    """One promise, broken by replacing a text of the one file that has it; and the trial that must fail then."""
    name: str
    trial: object
    old: str
    new: str


def killed(point):
    return lambda world, expected, build: kills.kill_in_a_batch(world, expected, "hospital", point, build)


def missed(world, _expected, build):
    kills.miss_a_binding(world, "hospital", "hospital.blood.requested", build)


MUTATIONS = [
    Mutation("what was seen before is decided again", killed("after_commit"),
             "flight->incoming[i].newness = SEEN;", "flight->incoming[i].newness = FRESH;"),
    Mutation("no row stays in the inbox", killed("after_commit"),
             "\t\tif (incoming->is_parked)\n\t\t\tparameter_uuid", "\t\tif (true)\n\t\t\tparameter_uuid"),
    Mutation("mandatory is not set", missed, ".is_mandatory = output->is_mandatory,", ".is_mandatory = false,"),
    Mutation("acknowledged before the confirms", killed("after_publish"),
             "\tlaunch_outputs(runtime, flight, &flight->outbox);\n",
             "\tacks_note(runtime, flight);\n\truntime->acks_since_ms = 0;\n\tlinks_serve(runtime);\n\tlinks_serve(runtime);\n"
             "\tlaunch_outputs(runtime, flight, &flight->outbox);\n"),
    Mutation("acknowledged before the commit", killed("before_commit"),
             "\tcrash_point_pass(CRASH_BEFORE_COMMIT);\n",
             "\tstruct why early;\n\tconsumer_ack(runtime->consumer, runtime->acks.incarnation, runtime->acks.next - 1, true, &early);\n"
             "\tlinks_serve(runtime);\n\tcrash_point_pass(CRASH_BEFORE_COMMIT);\n"),
    Mutation("the sweeper finds nothing", killed("after_commit"),
             "\tWHERE sent_at IS NULL AND", "\tWHERE false AND sent_at IS NULL AND"),
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


@pytest.mark.parametrize("check", [killed("after_commit"), missed], ids=["killed", "missed"])
def test_the_copy_itself_passes(world, references, copy, monkeypatch, check):
    compile_copy(copy[1])
    expected = references("hospital")
    monkeypatch.setattr(trial, "SETTLE_SECONDS", PATIENCE_SECONDS)
    check(world, expected, copy[1])


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_sweep_notices(world, references, copy, monkeypatch, mutation):
    source, build = copy
    expected = references("hospital")
    paths = [path for path in (*(source / "lib").glob("*.c"), source / "sql" / "machine" / "queries.sql")
             if mutation.old in path.read_text(encoding="utf-8")]
    assert len(paths) == 1, f"the sources have changed, write the mutation anew: found in {paths}"
    path = paths[0]
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(mutation.old, mutation.new), encoding="utf-8")
    monkeypatch.setattr(trial, "SETTLE_SECONDS", PATIENCE_SECONDS)
    try:
        compile_copy(build)
        with pytest.raises(AssertionError) as noticed:
            mutation.trial(world, expected, build)
    finally:
        path.write_text(text, encoding="utf-8")
    print(noticed.value)
