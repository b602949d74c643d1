"""The HTTP door of a test's world: a running bridge, tokens, and requests with them."""
import json
import os
import pathlib
import subprocess

import requests

import world as world_module
from described import Description
from servers import BUILD, free_ports

ANSWER_SECONDS = 40


class Door:
    """A running bridge. `admin` is a token for everything."""

    def __init__(self, world, env=None, build=None):
        self.world = world
        self.port = free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self.tokens_file = world.folder / "tokens"
        self.build = pathlib.Path(build or BUILD)
        self.session = requests.Session()
        self.admin = self.token("admin")
        self.worker = None
        self.start(env)
        self.description = Description(self.session.get(self.url + "/openapi.json", timeout=ANSWER_SECONDS).json())

    def token(self, role, facility="*", rate=0, subject=None):
        """A new token; it is known to the bridge within CALLERS_LOOK_MS."""
        command = [str(self.build / "workers" / "client" / "carebus"), "token", "add", "--file", str(self.tokens_file), "--role",
                   role, "--facility", facility, "--rate", str(rate), "--subject", subject or f"{role}-of-{facility.strip('*')}x",
                   "-o", "json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["token"]

    def start(self, env=None, ready=True):
        world, secret, port = self.world, self.world.servers.secrets, self.world.servers.port
        environment = {
            "AMQP_URL": f"amqp://127.0.0.1:{port['AMQP_PORT']}/{world.vhost}", "AMQP_PASSWORD_FILE": secret / "amqp-bridge",
            "LISTENER_PASSWORD_FILE": secret / "amqp-bridge-listener", "REDIS_URL": f"redis://127.0.0.1:{port['REDIS_PORT']}",
            "REDIS_PASSWORD_FILE": secret / "redis-bridge", "IDEMPOTENCY_SECRET_FILE": secret / "idempotency-bridge",
            "TOKENS_FILE": self.tokens_file, "HTTP_PORT": self.port, "METRICS_PORT": self.port, "LOG_LEVEL": "debug",
            "PATH": os.environ["PATH"], **(env or {}),
        }
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if key in os.environ:
                environment.setdefault(key, os.environ[key])
        log = world.folder / f"bridge-{len(world.workers) + 1}.log"
        self.worker = world_module.Worker("bridge", self.build / "workers" / "bridge" / "carebus-bridge",
                                          {key: str(value) for key, value in environment.items()}, log)
        world.workers.append(self.worker)
        if ready:
            self.worker.wait_ready()

    def call(self, method, path, token=None, body=None, **keywords):
        """One request. `token` False: without one; `body` is sent as JSON unless it is bytes."""
        headers = dict(keywords.pop("headers", {}))
        if token is not False:
            headers["Authorization"] = f"Bearer {token or self.admin}"
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            keywords["data"] = body if isinstance(body, bytes) else json.dumps(body)
        answer = self.session.request(method, self.url + path, headers=headers, timeout=ANSWER_SECONDS, **keywords)
        if not keywords.get("stream"):
            self.description.check(method, path, answer, keywords.get("data"))
        return answer

    def get(self, path, token=None, **keywords):
        return self.call("GET", path, token, **keywords)

    def post(self, path, body=None, token=None, **keywords):
        return self.call("POST", path, token, body, **keywords)
