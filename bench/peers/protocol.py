"""What every worker speaks with bench/run.py: lines on standard input and output.

The first line in is a task, a JSON object. The worker prepares it (loads, compiles,
computes the first answer and writes it to the file task["output"] as float32 values)
and answers with {"ready": true} or {"error": "why it can't"}. Each line after that is
a number of repetitions, answered with the seconds that they took.
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
    os.dup2(2, 1)  # what libraries print must not come between the replies
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
    """The task's input, in its shape."""
    return np.fromfile(task["input"], np.float32).reshape(task["shape"])
