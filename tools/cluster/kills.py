"""Kills, planned from a seed: of which kind, and after how many finished shards."""

import ctypes
import os
import random
import signal
import struct
import threading
import time
from pathlib import Path

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
            if self.strike(self.writer(self.job / "parts" / name), lambda: (self.job / "parts" / name).exists()):
                self.armed = None
        elif self.armed == "part" and not temporary and name.endswith(".parquet"):
            receipt = self.job / "receipts" / (Path(name).stem + ".json")
            # The process that made the part writes the receipt next: it is the one that has no file open yet,
            # so all workers are killed, as when a node dies.
            pids = [pid for pid in self.workers()]
            if pids:
                for pid in pids:
                    end(pid)
                time.sleep(0.05)
                self.left.append("a part without a receipt" if not receipt.exists() else "nothing: it was too fast")
                self.armed = None

    def workers(self):
        import nodes

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

    def strike(self, pid, left):
        if pid is None or not end(pid):
            return False
        time.sleep(0.05)
        self.left.append("a temporary file" if left() else "nothing: it was too fast")
        return True
