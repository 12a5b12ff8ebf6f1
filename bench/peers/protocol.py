"""The protocol between workers and bench/run.py: lines on standard input and output.

The first input line is a task, a JSON object. The worker prepares it (loads, compiles,
computes the first answer and writes it to the file task["output"] as float32 values)
and replies {"ready": true} or {"error": "why it can't"}. Each further input line is a
number of repetitions; the reply is the seconds that they took.
"""
import json
import os
import sys
import time

import numpy as np


class CannotDo(Exception):
    """A peer can't do a row; the message says why, for the table."""


def serve(prepare):
    """prepare(task) returns (first answer, work): work() is one repetition."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # the output of libraries must not mix with the replies
    task = json.loads(sys.stdin.readline())
    try:
        answer, work = prepare(task)
        np.asarray(answer, np.float32).tofile(task["output"])
    except CannotDo as e:
        print(json.dumps({"error": str(e)}), file=replies)
        return
    print(json.dumps({"ready": True}), file=replies)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            work()
        print(json.dumps({"seconds": time.perf_counter() - start}), file=replies)


def values(task):
    """The task's input, in the task's shape."""
    return np.fromfile(task["input"], np.float32).reshape(task["shape"])
