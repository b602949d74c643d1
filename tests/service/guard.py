"""Holds the test run's servers and ends them when the run ends, however it ends.

It is started by servers.py in a session of its own and reads commands from its standard input, one a line:
`start NAME`, `signal NAME NUMBER`, `wait NAME`. Each is answered by one line. End of input - the test run closed it, or was
killed - means: end every process below this one, remove the folder, go.
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def children_of(pid):
    """Pids below `pid`, the nearest first."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
                below = [int(word) for word in file.read().split()]
        except OSError:
            continue
        found += below
        waiting += below
    return found


def send_signal(process, number):
    """To a child. One that is to stop has stopped when this returns, with all its threads: on a busy machine that takes a while."""
    process.send_signal(number)
    if number == signal.SIGSTOP:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)


class Guard:
    def __init__(self, folder, servers):
        self.folder = folder
        self.servers = servers
        self.running = {}

    def start(self, name):
        """Start a server; its process becomes the server itself by exec, so the pid stays."""
        server = self.servers[name]
        with open(os.path.join(self.folder, name + ".log"), "ab") as log:
            process = subprocess.Popen(server["command"], env={**os.environ, **server["environment"]},
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")
        self.running[name] = process
        return str(process.pid)

    def signal(self, name, number):
        send_signal(self.running[name], int(number))
        return "ok"

    def wait(self, name):
        return str(self.running[name].wait())

    def end(self):
        # Whoever is left behind by its parent (epmd, a shell's child) falls to us, the subreaper.
        for _ in range(50):
            pids = children_of(os.getpid())
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                while os.waitpid(-1, 0)[0]:
                    pass
            except ChildProcessError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    folder = sys.argv[1]
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # a handler, because an ignored signal would stay ignored in the servers
    with open(os.path.join(folder, "servers.json"), encoding="utf-8") as file:
        guard = Guard(folder, json.load(file))
    try:
        for line in sys.stdin:
            verb, *words = line.split()
            print(getattr(guard, verb)(*words), flush=True)
    finally:
        guard.end()


if __name__ == "__main__":
    main()
