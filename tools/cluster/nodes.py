"""Nodes of a cluster on this machine: each has its own network and its own processes, all of
which end with it."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

INSIDE = "CLUSTER_TEST_INSIDE"
HEAD = "10.77.0.1"
ISOLATE = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]


def isolate():
    """Starts this program again in a network and a process space of its own, so that it can't
    reach other programs and nothing survives it. Says why where that isn't allowed."""
    if os.environ.get(INSIDE):
        # The first process of a process space gets no signal that it has no handler for.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "cluster", "type", "bridge")
        run("ip", "addr", "add", HEAD + "/24", "dev", "cluster")
        run("ip", "link", "set", "cluster", "up")
        names()
        return None
    trial = subprocess.run([*ISOLATE, "ip", "link", "add", "cluster", "type", "bridge"], capture_output=True, text=True)
    if trial.returncode != 0:
        return trial.stderr.strip() or "unshare failed"
    os.environ[INSIDE] = "1"
    os.execvp(ISOLATE[0], [*ISOLATE, sys.executable, *sys.argv])


def names():
    """Gives the nodes names, and has other names fail at once: no name server can be reached from here."""
    for path, text in {"/etc/hosts": "127.0.0.1 localhost\n" + f"{HEAD} head {socket.gethostname()}\n" +
                                     "".join(f"10.77.0.{n} node{n}\n" for n in range(2, 10)), "/etc/resolv.conf": ""}.items():
        with tempfile.NamedTemporaryFile("w", delete=False) as f:
            f.write(text)
        os.chmod(f.name, 0o644)
        run("mount", "--bind", f.name, path)
        os.unlink(f.name)


def run(*command):
    subprocess.run(command, check=True)


class Node:
    """A machine of the cluster, at 10.77.0.NUMBER."""

    def __init__(self, number):
        self.number = number
        self.address = f"10.77.0.{number}"
        self.start()

    def start(self):
        link = f"node{self.number}"
        subprocess.run(["ip", "link", "del", link], stderr=subprocess.DEVNULL)  # of the node before
        self.shell = subprocess.Popen([*ISOLATE, "sleep", "infinity"], stderr=subprocess.DEVNULL)
        self.init = self.first_process()
        run("ip", "link", "add", link, "master", "cluster", "type", "veth", "peer", "name", "eth0", "netns", str(self.init))
        run("ip", "link", "set", link, "up")
        inside = self.enter()
        run(*inside, "ip", "link", "set", "lo", "up")
        run(*inside, "ip", "addr", "add", self.address + "/24", "dev", "eth0")
        run(*inside, "ip", "link", "set", "eth0", "up")

    def first_process(self):
        """The process that all others of the node end with, once it is one."""
        children = Path(f"/proc/{self.shell.pid}/task/{self.shell.pid}/children")
        for _ in range(500):
            for pid in children.read_text().split():
                if Path(f"/proc/{pid}/comm").read_text().strip() == "sleep":
                    return int(pid)
            time.sleep(0.02)
        raise TimeoutError("a node doesn't start")

    def enter(self):
        return ["nsenter", "--target", str(self.init), "--net", "--pid", "--mount"]

    def launch(self, command, log, env):
        """Starts a program on the node."""
        with open(log, "ab") as out:
            return subprocess.Popen([*self.enter(), *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)

    def kill(self):
        """What pulling the plug does."""
        os.kill(self.init, signal.SIGKILL)
        self.shell.wait()


def processes():
    """The command lines of all processes, by their numbers."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
            except OSError:  # it ended
                pass
    return found


def matching(*words):
    """The processes whose command line has all the words, in ascending order."""
    return sorted(pid for pid, line in processes().items() if all(w.encode() in line for w in words))
