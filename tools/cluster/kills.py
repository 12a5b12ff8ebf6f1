"""Kills, planned from a seed: of which kind, and after how many finished shards."""

import ctypes
import os
import random
import signal
import struct
import threading
import time
from pathlib import Path

import corpus
import nodes

IN_MOVED_TO, IN_CREATE = 0x80, 0x100


def planned(counts, shards, seed):
    """Kills as (finished shards, kind), spread over the first nine tenths of the job."""
    rng = random.Random(seed)
    kinds = [kind for kind, n in counts.items() for _ in range(n)]
    rng.shuffle(kinds)
    step = 0.9 * shards / len(kinds)
    return [(int((i + rng.random()) * step), kind) for i, kind in enumerate(kinds)]


def end(pid):
    """Kills a process at once. False if it is gone."""
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


class CommitKiller:
    """Kills a worker while it commits a part: when its temporary file appears, or when the part
    is there but not yet its receipt."""

    def __init__(self, job):
        self.job = job
        self.armed = None  # "file" or "part"
        self.left = []  # what was found after each kill
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self.libc.inotify_init1(os.O_CLOEXEC)
        folder = job / "parts"
        folder.mkdir(exist_ok=True)
        (job / "receipts").mkdir(exist_ok=True)
        if self.fd < 0 or self.libc.inotify_add_watch(self.fd, os.fsencode(folder), IN_CREATE | IN_MOVED_TO) < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            data = os.read(self.fd, 1 << 16)
            at = 0
            while at < len(data):
                _, mask, _, size = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + size].rstrip(b"\0").decode()
                at += 16 + size
                self.event(name)

    def event(self, name):
        temporary = name.endswith(".tmp")
        if self.armed == "file" and temporary:
            path = self.job / "parts" / name
            self.strike([self.writer(path)], lambda: path.exists(), "a temporary file")
        elif self.armed == "part" and name.endswith(".parquet"):
            # Which process made the part can't be seen any more, so all workers are killed.
            receipt = self.job / "receipts" / (Path(name).stem + ".json")
            self.strike(self.workers(), lambda: not receipt.exists(), "a part without a receipt")

    def workers(self):
        return nodes.matching("batch", "work", str(self.job))

    def writer(self, path):
        """The process that has a file open."""
        for pid in self.workers():
            try:
                for fd in Path(f"/proc/{pid}/fd").iterdir():
                    if os.readlink(fd) == str(path):
                        return pid
            except OSError:  # it ended
                continue
        return None

    def strike(self, pids, is_left, what):
        """Kills processes and notes what they left. If none is there, the next commit is waited for."""
        if not any([end(pid) for pid in pids if pid]):
            return
        time.sleep(0.05)
        self.left.append(what if is_left() else "nothing: the worker was faster")
        self.armed = None


class Killer:
    """Kills what is due. Subclasses have a method for each kind, which says whether there was anything to kill."""

    def __init__(self, job, counts, shards, seed):
        self.job, self.plan = job, planned(counts, shards, seed)
        self.rng = random.Random(seed)
        self.commits = CommitKiller(job)
        self.done = []

    def step(self, *args):
        """Kills what is due, if it is there."""
        if self.commits.armed or not self.plan or len(corpus.receipts(self.job)) < self.plan[0][0]:
            return
        kind = self.plan[0][1]
        if getattr(self, kind)(*args):
            self.done.append(kind)
            print(f"  {len(corpus.receipts(self.job)):4d} shards: {kind}", flush=True)
            self.plan.pop(0)

    def finish(self):
        """Fails unless all kills were made."""
        if self.plan or self.commits.armed:
            raise AssertionError(f"kills that weren't made: {self.plan} {self.commits.armed or ''}")
        print(f"{len(self.done)} kills; found after those in the middle of a commit: {', '.join(self.commits.left)}")

    def one(self, pids):
        return bool(pids) and end(self.rng.choice(pids))

    def worker(self, *_):
        return self.one(self.commits.workers())

    def file(self, *_):
        self.commits.armed = "file"
        return True

    def part(self, *_):
        self.commits.armed = "part"
        return True
