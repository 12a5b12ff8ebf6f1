#!/usr/bin/env python3
"""Runs a job on a cluster on this machine, kills what can be killed, and checks that every
picture has its row once: test.py local|spark|slurm --gaze bin/gaze [--pictures N] [--kills] …"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import corpus
import local as local_engine
import nodes
import slurm
import spark


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("engine", choices=["local", "spark", "slurm"])
    p.add_argument("--gaze", type=Path, required=True, help="the program; for Spark, gaze-spark is beside it")
    p.add_argument("--spark-home", type=Path, help="Spark's folder")
    p.add_argument("--pictures", type=int, default=10_000)
    p.add_argument("--shard", type=int, default=100, help="pictures of a shard")
    p.add_argument("--per-task", type=int, default=2, help="shards of a task")
    p.add_argument("--no-kills", action="store_true")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep", type=Path, help="a new folder for the job and the logs (default: a temporary one)")
    return p.parse_args()


def main():
    o = arguments()
    if o.engine != "local":
        why = nodes.isolate()
        if why:
            print(f"cluster: skipped: no namespaces of networks and processes here ({why})")
            return
    o.gaze = o.gaze.resolve()
    folder = o.keep or Path(tempfile.mkdtemp(prefix="gaze-cluster-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        test(o, folder.resolve())
    except BaseException:
        print(f"cluster: FAILED; logs are in {folder}", file=sys.stderr)
        raise
    if not o.keep:
        shutil.rmtree(folder)


def test(o, folder):
    start = time.monotonic()
    pictures, job, local, logs = (folder / n for n in ("pictures", "job", "local", "logs"))
    logs.mkdir()
    bad = corpus.draw(pictures, o.pictures, o.seed)
    for at in (local, job):
        corpus.plan(o.gaze, at, pictures, o.shard)
    subprocess.run([o.gaze, "batch", "run", local, "--quiet"], check=True)
    corpus.check(o.gaze, local, local, o.pictures, bad)
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    print(f"{o.pictures} pictures, {bad} bad; an undisturbed run on this machine took {used:.1f} s of processor time", flush=True)
    o.shards = -(-o.pictures // o.shard)
    {"local": local_engine, "spark": spark, "slurm": slurm}[o.engine].test(o, folder, bad)
    print(f"cluster: {o.engine} ok, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
