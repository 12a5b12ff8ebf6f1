#!/usr/bin/env python3
"""Measures what Spark costs: the user time of all its programs and Gaze's over a job, beside
that of one process that works on the same shards: cost.py --gaze bin/gaze --spark-home … --model … SOURCE…"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

import corpus
import nodes
import spark

TICKS = os.sysconf("SC_CLK_TCK")


def arguments():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--gaze", type=Path, required=True, help="the program, with gaze-spark beside it")
    p.add_argument("--spark-home", type=Path, required=True)
    p.add_argument("--model", required=True)
    p.add_argument("--shard", type=int, default=100, help="pictures of a shard")
    p.add_argument("--per-task", type=int, default=0, help="shards of a task (default: as gaze chooses)")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--pipeline", help="how pictures are prepared (default: the model's)")
    p.add_argument("source", nargs="+")
    return p.parse_args()


def used(pid):
    """Seconds of user time of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[13])) / TICKS


def of_spark():
    """Seconds of user time of Spark's programs, with the processes that they started."""
    return sum(used(pid) for pid in nodes.matching("-cp") if Path(f"/proc/{pid}/comm").read_text().strip() == "java")


def of_children():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def plan(o, job):
    pipeline = ["--pipeline", o.pipeline] if o.pipeline else []
    command = [o.gaze, "batch", "plan", "-o", job, "--model", o.model, "--want", "embeddings", "--shard", str(o.shard), *pipeline, *o.source]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def shards(o, job):
    text = subprocess.run([o.gaze, "batch", "status", "--json", job], check=True, capture_output=True, text=True).stdout
    return json.loads(text)["shards"]


def main():
    o = arguments()
    why = nodes.isolate()
    if why:
        raise SystemExit(f"no namespaces of networks and processes here ({why})")
    o.gaze = o.gaze.resolve()
    folder = Path(tempfile.mkdtemp(prefix="gaze-cost-"))
    (folder / "logs").mkdir()
    cluster = spark.Spark(o.spark_home, folder / "logs", os.environ, cores=1)
    plan(o, folder / "warm")
    spark.run(o.gaze, cluster, folder / "warm", None, o.per_task)  # Java compiles as it goes
    for n in range(o.rounds):
        loop, job = folder / f"loop{n}", folder / f"job{n}"
        plan(o, loop)
        plan(o, job)
        before = of_children()
        subprocess.run([o.gaze, "batch", "work", loop, "--shard", f"0-{shards(o, loop) - 1}"], check=True, stdout=subprocess.DEVNULL)
        plain = of_children() - before
        before = of_children() + of_spark()
        spark.run(o.gaze, cluster, job, None, o.per_task)
        whole = of_children() + of_spark() - before
        assert corpus.digests(loop) == corpus.digests(job)
        print(f"one process {plain:.2f} s, Spark {whole:.2f} s of user time: {100 * (whole / plain - 1):+.1f} %", flush=True)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
