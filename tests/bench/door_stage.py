"""Where the HTTP figures are taken: all workers behind their bridge, the bare server beside it, and the programs that ask."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import time

import requests

import stage as stage_module
from door import Door
from servers import BUILD, DATABASES, free_ports, wait_until
from world import World

BARE = BUILD / "tests" / "bench" / "bare-http"
LISTENERS = BUILD / "tests" / "bench" / "bench-listeners"
CAREBUS = BUILD / "workers" / "client" / "carebus"
POST_SCRIPT = pathlib.Path(__file__).with_name("post.lua")
CONNECTIONS = 64
SETTLE_SECONDS = 600
ASKED = {"hospital_id": "hospital-001", "component": "red_cells", "group": "A+", "quantity": 2, "urgency": "routine"}
MILLISECONDS = {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}


def read_report(text):
    """What wrk tells: requests, those a second, those refused, average_ms, p50_ms and p99_ms."""
    assert "Socket errors" not in text, text
    number = r"([\d.]+)"
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    found = {"requests": int(re.search(r"(\d+) requests in", text)[1]), "refused": int(refused[1]) if refused else 0,
             "per_second": float(re.search(rf"Requests/sec: +{number}", text)[1])}
    for name, start in (("average", "Latency"), ("p50", "50%"), ("p99", "99%")):
        latency = re.search(rf"^ +{start} +{number}([a-z]+)\b", text, re.MULTILINE)
        assert latency, text
        found[f"{name}_ms"] = float(latency[1]) * MILLISECONDS[latency[2]]
    return found


@contextlib.contextmanager
def serve(program, environment):
    """A bare server while it runs. Yields its port and its process id."""
    port = free_ports(1)[0]
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", str(program)], env=environment | {"HTTP_PORT": str(port)}, text=True,
                          stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == "ready\n"
        yield port, process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


class DoorStage:
    """`path` shows a request whose view stays in Redis."""

    def __init__(self, servers):
        self.servers = servers
        self.world = World(servers)
        for name in DATABASES:
            self.world.start_worker(name, env={"LOG_LEVEL": "info"})
        self.door = Door(self.world, env={"LOG_LEVEL": "info"})
        self.path = self._make_request()

    def _make_request(self):
        answer = self.door.post("/v1/blood-requests", ASKED, headers={"Prefer": "wait=10"})
        assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
        path = answer.headers["Location"]
        wait_until(lambda: self.door.get(path).json()["status"] == "approved", what="the decision in the view")
        assert self.servers.redis().persist(f"view:request:{path.rpartition('/')[2]}"), "the view is not in Redis"
        return path

    def close(self):
        self.world.close()

    # -- processor time

    def _cpu(self, pid):
        own = {os.getpid(), pid, *(worker.pid for worker in self.world.workers),
               *stage_module.processes_below(self.servers.guard.pid)}
        return {"program": stage_module.cpu_seconds(pid), "machine": stage_module.machine_seconds(),
                "own": sum(map(stage_module.cpu_seconds, own))}

    @contextlib.contextmanager
    def watching(self, pid):
        """Yields a dict that is filled at the end: the program's CPU seconds, and the cores that others kept busy."""
        found = {}
        started, before = time.monotonic(), self._cpu(pid)
        yield found
        used = {part: seconds - before[part] for part, seconds in self._cpu(pid).items()}
        found["cpu_s"] = used["program"]
        found["others_cores"] = (used["machine"] - used["own"]) / (time.monotonic() - started)

    # -- programs

    @contextlib.contextmanager
    def serving(self, program):
        """The port and the process id of "bridge", which always runs, or of "bare" while it runs."""
        if program == "bridge":
            yield self.door.port, self.door.worker.pid
            return
        with serve(BARE, self.world.environment("bridge") | {"REDIS_PASSWORD": self.servers.secret("redis-bridge")}) as served:
            yield served

    def assert_same_answer(self):
        """The bare server answers what the bridge answers, but for the time of day."""
        answers = []
        for program in ("bridge", "bare"):
            with self.serving(program) as (port, _pid):
                answer = requests.get(f"http://127.0.0.1:{port}{self.path}", timeout=5,
                                      headers={"Authorization": f"Bearer {self.door.admin}"})
            shown = answer.json()
            assert answer.status_code == 200 and len(shown.pop("as_of")) == len("2026-01-01T08:00:00.000000Z"), answer.text
            answers.append((shown, {name: value for name, value in answer.headers.items() if name != "Date"}))
        assert answers[0] == answers[1], answers

    def wrk(self, port, path, seconds, *options):
        """Ask for a path over and over, over 64 connections; see read_report."""
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency", *options,
                   "-H", f"Authorization: Bearer {self.door.admin}", f"http://127.0.0.1:{port}{path}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return read_report(done.stdout)

    def post(self, seconds):
        """Ask for blood as fast as it is taken; then wait until everything is decided."""
        report = self.wrk(self.door.port, "/v1/blood-requests", seconds, "-s", str(POST_SCRIPT))
        wait_until(lambda: not any(map(self.world.held, DATABASES)), SETTLE_SECONDS, "the last decision")
        return report

    def load(self, rate, seconds):
        """`carebus load` over HTTP, each answer a decision; return its report."""
        environment = os.environ | {"CAREBUS_HTTP": self.door.url, "CAREBUS_TOKEN": self.door.admin}
        done = subprocess.run([str(CAREBUS), "load", "--via", "http", "--rate", str(rate), "--duration", str(seconds),
                               "--wait", "5", "--drain", "30", "-o", "json"], env=environment, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        report = json.loads(done.stdout)
        assert report["decided"]["approved"] == report["sent"] == rate * seconds, report
        return report["decided_ms"]

    def listen(self, clients, rate, count):
        """Publish events at a rate to so many clients of the stream; microseconds until each heard each, a line each."""
        environment = os.environ | {
            "AMQP_URL": self.world.environment("bridge")["AMQP_URL"], "SEND_USER": "admin",
            "SEND_PASSWORD": self.servers.secret("amqp-admin"), "HTTP_PORT": str(self.door.port),
            "TOKEN": self.door.admin}
        done = subprocess.run([str(LISTENERS), str(clients), str(rate), str(count)], env=environment, check=False,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert len(lines) == clients * count
        wait_until(lambda: not self._streams(), SETTLE_SECONDS, "the bridge to notice that all have left")
        return lines

    def _streams(self):
        return sum(value for name, value in self.door.worker.metrics().items() if name.startswith("carebus_streams{"))
