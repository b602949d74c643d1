"""The files for containers, which no test here can run: held against the programs' settings, the local run and the package list."""
import os
import pathlib
import re
import subprocess

import pytest
import yaml

PROJECT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CAREBUS_BUILD", PROJECT / "build"))
COMPOSE = PROJECT / "compose"
DOCKERFILE = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
WORKERS = ("hospital", "bloodbank", "notification", "appointment")
PROGRAMS = (*WORKERS, "bridge")
JOBS = ("migrate", "declare", "token")
SETTING = re.compile(r"^  ([A-Z][A-Z0-9_]+)\n(?: {6}.*\n)*? {6}\((required)?", re.MULTILINE)


@pytest.fixture(scope="module")
def stack():
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))


def script(name):
    return (COMPOSE / name).read_text(encoding="utf-8")


def shell(command):
    """What the shared shell code of compose/ makes of it."""
    done = subprocess.run(["bash", "-c", f". {COMPOSE}/common.sh; {command}"], capture_output=True, text=True, check=True,
                          env=os.environ | {"VAR": "/nonexistent"})
    return done.stdout.split()


def settings(name):
    """{variable: is it required?} of a program, by its --help."""
    program = BUILD / "workers" / name / f"carebus-{name}"
    if not program.exists():
        pytest.skip(f"no {program}: build first")
    text = subprocess.run([str(program), "--help"], capture_output=True, text=True, check=True).stdout
    found = {variable: required == "required" for variable, required in SETTING.findall(text)}
    assert len(found) > 10, text
    return found


def secret_names(service):
    return [secret if isinstance(secret, str) else secret["source"] for secret in service.get("secrets", [])]


# --- the programs


def test_every_process_of_the_local_run_is_a_service(stack):
    assert set(stack["services"]) == set(shell("say $SERVICES")) | {*JOBS, "front"}
    assert set(PROGRAMS) == set(shell("say $WORKERS $DOORS"))


@pytest.mark.parametrize("name", PROGRAMS)
def test_settings_are_given_and_known(stack, name):
    known, given = settings(name), stack["services"][name]["environment"]
    plain = [variable.removesuffix("_FILE") if variable not in known else variable for variable in given]
    assert len(plain) == len(set(plain)), "given twice"
    assert set(plain) <= set(known), f"unknown: {set(plain) - set(known)}"
    missing = {variable for variable, required in known.items() if required} - set(plain)
    assert not missing, f"required and not given: {missing}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_program_accepts_the_environment(stack, name, tmp_path):
    settings(name)
    given = {}
    for variable, value in stack["services"][name]["environment"].items():
        if value.startswith("/run/secrets/"):
            secret = tmp_path / value.removeprefix("/run/secrets/")
            secret.write_text("secret", encoding="ascii")
            value = str(secret)
        given[variable] = value
    program = BUILD / "workers" / name / f"carebus-{name}"
    done = subprocess.run([str(program), "--check"], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    given.pop("AMQP_URL")
    done = subprocess.run([str(program), "--check"], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 78, "without an address it refuses"


@pytest.mark.parametrize("name", PROGRAMS)
def test_settings_are_those_of_the_local_run(stack, name):
    kind = "bridge" if name == "bridge" else "worker"
    function = re.search(rf"^run_{kind}\(\) \{{(.*?)^\}}", script("service"), re.DOTALL | re.MULTILINE)[1]
    exported = {word.split("=")[0] for line in re.findall(r"export (.*)", function) for word in line.split()}
    exported |= {"LISTENER_PASSWORD_FILE"} if name == "appointment" else set()
    assert exported == set(stack["services"][name]["environment"])


@pytest.mark.parametrize("name", PROGRAMS)
def test_health_is_asked_where_the_program_answers(stack, name):
    service = stack["services"][name]
    port = service["environment"].get("METRICS_PORT") or service["environment"]["HTTP_PORT"]
    assert service["healthcheck"]["test"] == ["CMD", "ready", port]
    assert service["command"] == [f"carebus-{name}"] and "/readyz" in script("container/ready")


# --- secrets


def test_secrets_are_handed_to_whom_they_belong(stack):
    declared = set(stack["secrets"])
    assert declared == set(shell("say $SECRET_NAMES")) | {"rabbitmq-admin.conf", "tls-certificate", "tls-key"}
    used = set()
    for name, service in stack["services"].items():
        handed = secret_names(service)
        used |= set(handed)
        text = yaml.safe_dump(service)
        for path in re.findall(r"/run/secrets/([\w.-]+)", text):
            assert path in handed, f"{name} reads {path} and does not get it"
        if name in PROGRAMS:
            read = set(re.findall(r"/run/secrets/([\w.-]+)", yaml.safe_dump(service["environment"])))
            assert read == set(handed), f"{name} gets {set(handed) - read} for nothing"
    assert used == declared
    assert not re.search(r"(?i)password: *[^/\s]", yaml.safe_dump(stack)), "no secret is in the file itself"
    for secret in stack["secrets"].values():
        assert secret["file"].startswith("container/secrets/")
    assert "/compose/container/secrets/" in (PROJECT / ".gitignore").read_text(encoding="utf-8")


def test_secrets_are_made(stack, tmp_path):
    folder = tmp_path / "secrets"
    command = [str(COMPOSE / "container" / "make-secrets"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(made) == set(stack["secrets"]) and all(made.values())
    assert made["rabbitmq-admin.conf"] == b"default_pass = " + made["amqp-admin"] + b"\n"
    assert folder.stat().st_mode & 0o077 == 0
    subprocess.run(command, check=True, capture_output=True)
    assert made == {path.name: path.read_bytes() for path in folder.iterdir()}, "those that are there stay"


# --- hardening


def test_services_are_hardened(stack):
    for name, service in stack["services"].items():
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service and "cap_add" not in service and service.get("pid") is None, name
        limits = service["deploy"]["resources"]["limits"]
        assert re.fullmatch(r"\d+[MG]", limits["memory"]) and limits["pids"] > 0, name
        assert service["logging"]["options"]["max-size"], name
        assert "docker.sock" not in yaml.safe_dump(service), name


def test_services_are_kept_running_and_looked_at(stack):
    for name, service in stack["services"].items():
        assert service["restart"] == ("no" if name in JOBS else "unless-stopped"), name
        if name not in (*JOBS, "topology"):
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
        for other, how in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other in JOBS else "service_healthy"
            assert how["condition"] == done and (other in JOBS or "test" in stack["services"][other]["healthcheck"]), (name, other)


def test_ports_are_bound_to_loopback(stack):
    published = {name: service["ports"] for name, service in stack["services"].items() if "ports" in service}
    assert set(published) == {"rabbitmq", "bridge"}
    for name, ports in published.items():
        for port in ports:
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), f"{name}: {port}"
    assert stack["networks"]["bus"]["internal"] is True
    for name, service in stack["services"].items():
        assert ("networks" in service) != ("network_mode" in service), name
        assert "desk" not in service.get("networks", ()) or name in published, f"{name} is on the outer network for nothing"


def test_images_are_official_or_ours(stack):
    for name, service in stack["services"].items():
        image = service["image"]
        assert re.fullmatch(r"[a-z-]+:[a-z0-9.-]+", image) and not image.endswith(":latest"), f"{name}: {image}"
        assert ("build" in service) == image.endswith(":local"), name
        if "build" in service:
            assert f"AS {service['build']['target']}\n" in DOCKERFILE, name
            assert (COMPOSE / service["build"]["context"] / service["build"]["dockerfile"]).samefile(COMPOSE / "Dockerfile")


def test_mounted_files_are_there(stack):
    named = set(stack["volumes"])
    for name, service in stack["services"].items():
        for mount in service.get("volumes", []):
            source, target, *options = mount.split(":")
            if source.startswith("."):
                assert (COMPOSE / source).is_file() and options == ["ro"], f"{name}: {mount}"
            else:
                assert source in named and target.startswith("/var/lib/"), f"{name}: {mount}"


# --- servers as in the local run


def test_postgres_has_the_settings_of_the_local_run(stack):
    local = set(re.findall(r"-c (\w+=[^ \\\n]*)", script("server-postgres"))) - {"listen_addresses=127.0.0.1", "unix_socket_directories="}
    command = stack["services"]["postgres"]["command"]
    assert {value for flag, value in zip(command, command[1:]) if flag == "-c"} == local and len(local) > 5
    arguments = stack["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split()
    assert all(argument in script("server-postgres") for argument in arguments)


def test_rabbitmq_has_the_settings_of_the_local_run():
    def lines(text):
        return dict(re.findall(r"^\s*([a-z_.]+[a-z0-9_.]*) = (.+)$", text, re.MULTILINE))
    local, container = lines(script("server-rabbitmq")), lines(script("container/rabbitmq.conf"))
    local["collect_statistics_interval"] = "2000"  # its default
    where = {key for key in local if re.match(r"(listeners|management|prometheus)\.tcp", key)} | {"default_pass"}
    assert container == {key: value for key, value in local.items() if key not in where} | {
        "vm_memory_high_watermark.absolute": "600MB"}


def test_redis_is_started_by_the_script_of_the_local_run(stack):
    redis = stack["services"]["redis"]
    assert redis["entrypoint"] == ["/carebus/compose/server-redis"]
    needed = set(re.search(r"Environment: (.*)\.", script("server-redis"))[1].replace(" (default: loopback)", "").split(", "))
    assert set(redis["environment"]) == needed
    assert {f"redis-{name}" for name in ("admin", *WORKERS, "bridge")} == set(secret_names(redis))
    sourced = re.findall(r'\$\(dirname "\$\(readlink -f "\$0"\)"\)"?/([\w./]+)', script("server-redis"))
    mounted = {mount.split(":")[1] for mount in redis["volumes"]}
    assert {os.path.normpath(f"/carebus/compose/{path}") for path in sourced} <= mounted


def test_jobs_do_what_up_does(stack):
    migrate, declare = stack["services"]["migrate"], stack["services"]["declare"]
    assert migrate["command"][2].split()[-len(WORKERS):] == list(WORKERS) and "sql/migrate" in migrate["command"][2]
    assert {f"postgres-{name}" for name in ("admin", *WORKERS)} == set(secret_names(migrate))
    users = yaml.safe_load((PROJECT / "amqp-topology" / "asyncapi.yaml").read_text(encoding="utf-8"))["x-topology"]["users"]
    assert {f"amqp-{user}" for user in users} == set(secret_names(declare))


# --- the image


def stages():
    """{stage: (its base, its instructions)}"""
    found, name = {}, None
    for line in re.sub(r"\\\n\s*", " ", DOCKERFILE).splitlines():
        if not line or line.startswith("#"):
            continue
        word, _, rest = line.partition(" ")
        assert word in ("FROM", "ENV", "COPY", "RUN", "USER", "CMD"), f"instruction {word}"
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found[name] = (base, [])
        else:
            found[name][1].append((word, rest))
    return found


def packages(*groups):
    done = subprocess.run([str(COMPOSE / "container" / "install-packages"), *groups], capture_output=True, text=True, check=True,
                          env=os.environ | {"PACKAGES": str(COMPOSE / "packages"), "DRY_RUN": "yes"})
    return set(done.stdout.split())


def listed(group):
    return set(" ".join(re.findall(rf"^{group}: *(.*)$", script("packages"), re.MULTILINE)).split())


def test_packages_are_those_of_the_list():
    groups = {name: [found for word, rest in instructions if word == "RUN"
                     for found in re.findall(r"install-packages ([\w -]+?)(?: &&|$)", rest)]
              for name, (_, instructions) in stages().items()}
    assert groups == {"base": [], "build": ["build python"], "worker": ["library"], "tools": ["python postgres-client"], "front": ["front"]}
    assert packages("build") == listed("build") and packages("front") == listed("front") == {"nginx-light"}
    assert packages("library") | packages("python") | packages("postgres-client") < listed("run")
    servers = listed("run") - packages("library", "python", "postgres-client")
    assert servers == {"rabbitmq-server", "postgresql-15", "redis-server", "redis-tools", "runit"}, "what containers have images for"
    assert listed("front") <= listed("test"), "the nginx of the image is the one that is tested"
    assert "apt-get" not in DOCKERFILE


def test_every_library_of_a_program_is_installed():
    """What the linker says the programs need is in the image: Debian's package of each library is listed."""
    provided = packages("library") | {"libc6"}
    for name in (*PROGRAMS, "client"):
        program = BUILD / "workers" / name / ("carebus" if name == "client" else f"carebus-{name}")
        if not program.exists():
            pytest.skip(f"no {program}: build first")
        listing = subprocess.run(["objdump", "-p", str(program)], capture_output=True, text=True, check=True).stdout
        needed = re.findall(r"NEEDED +(\S+)", listing)
        for library in needed:
            if re.match(r"lib(asan|ubsan|clang_rt)", library):
                continue  # of a build with sanitizers
            owner = subprocess.run(["dpkg", "-S", f"*/{library}"], capture_output=True, text=True, check=False).stdout
            owners = {line.split(":")[0] for line in owner.splitlines()}
            assert owners & provided, f"{name} needs {library} of {owners}"


def test_stages_build_on_debian():
    assert {name: base for name, (base, _) in stages().items()} == {
        "base": "debian:12", "build": "base", "worker": "base", "tools": "base", "front": "base"}
    for name, (_, instructions) in stages().items():
        if name not in ("base", "build"):
            assert ("USER", "carebus") in instructions, f"{name} runs as root"


def test_programs_are_built_and_copied():
    everything = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    targets = re.search(r"ninja -C /build (.*)", everything)[1].split()
    assert targets == ["workers/client/carebus"] + [f"workers/{name}/carebus-{name}" for name in shell("say $WORKERS $DOORS")]
    copied = re.search(r"COPY --from=build (.*)", everything)[1].split()
    assert copied[:-1] == [f"/build/{target}" for target in targets] + ["/src/compose/container/ready"]
    assert copied[-1] == "/usr/local/bin/"


def test_copied_files_are_there():
    for _, instructions in stages().values():
        for word, rest in instructions:
            if word == "COPY" and not rest.startswith("--from"):
                for source in rest.split()[:-1]:
                    assert (PROJECT / source).exists(), source


def test_images_hold_no_secrets():
    ignored = script("Dockerfile.dockerignore").split("\n")
    assert {"/.git", "/var", "/build*", "/compose/container/secrets"} <= set(ignored)


def test_no_registry_is_named(stack):
    text = DOCKERFILE + yaml.safe_dump(stack)
    assert not re.search(r"(?:FROM|image:) *[\w.-]+\.[a-z]{2,}/", text)
