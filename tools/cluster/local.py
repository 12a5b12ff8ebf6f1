"""Worker processes on this machine, of which some are killed, and 'gaze batch run' with them."""

import subprocess
import time

import corpus
import kills

# What is killed, and how often.
KILLS = {"worker": 3, "driver": 2, "file": 1, "part": 1}


class Killer(kills.Killer):
    """Kills what is due. step takes the process of 'gaze batch run'."""

    def driver(self, driver):
        return driver.poll() is None and kills.end(driver.pid)


def run(gaze, job, killer, log, limit=50):
    """Runs the job until it succeeds. Returns how often it was begun."""
    for attempt in range(1, limit + 1):
        with open(log, "ab") as out:
            driver = subprocess.Popen([gaze, "batch", "run", job, "--workers", "2"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        while driver.poll() is None:
            if killer:
                killer.step(driver)
            time.sleep(0.01)
        if driver.returncode == 0:
            return attempt
    raise AssertionError(f"the job isn't complete after {limit} runs; see {log}")


def test(o, folder, bad):
    job, local, log = (folder / n for n in ("job", "local", "logs/run.log"))
    killer = None if o.no_kills else Killer(job, KILLS, o.shards, o.seed)
    runs = run(o.gaze, job, killer, log)
    corpus.check(o.gaze, job, local, o.pictures, bad)
    print(f"local: {o.shards} shards, begun {runs} times, as an undisturbed run made them")
    if killer:
        killer.finish()
