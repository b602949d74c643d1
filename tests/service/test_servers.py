"""The test run's servers end with the run, however it ends."""
import os
import pathlib
import signal
import subprocess
import sys

from servers import wait_until

CHILD = """
import sys
sys.path.insert(0, sys.argv[1])
from servers import Servers
servers = Servers()
servers.start("postgres", "redis")
servers._order("start", "rabbitmq")
print(servers.folder, servers.port["EPMD_PORT"], flush=True)
sys.stdin.read()
"""


def processes_in(folder):
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"DATA={folder}/".encode() in (entry / "environ").read_bytes() or \
                    os.readlink(entry / "cwd").startswith(folder):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def is_port_mapper(pid):
    try:
        return b"epmd" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_a_killed_run_leaves_nothing():
    run = subprocess.Popen([sys.executable, "-c", CHILD, str(pathlib.Path(__file__).parent)], stdin=subprocess.PIPE,
                           stdout=subprocess.PIPE, text=True)
    folder = run.stdout.readline().split()[0]
    wait_until(lambda: any(map(is_port_mapper, processes_in(folder))), 20, "the broker's port mapper")
    assert len(processes_in(folder)) >= 4
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdin.close()
    run.stdout.close()
    wait_until(lambda: not processes_in(folder), 20, "the servers' end")
    wait_until(lambda: not pathlib.Path(folder).exists(), 10, "the folder's removal")
