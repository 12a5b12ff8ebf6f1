"""Reads the events that pkg/train writes, with TensorBoard's own reader.

    go test -run TestEventsGolden ./pkg/train -args -regen
    python tools/golden/tensorboard_events.py [RUN]   # not named tensorboard.py, which would hide the package

Without RUN it compares the file in pkg/train/testdata with the values that the test
writes. With the folder of a run it compares the run's events with its metrics.jsonl.
"""

import json
import math
import pathlib
import sys

from tensorboard.backend.event_processing import event_accumulator


def read(path):
    events = event_accumulator.EventAccumulator(str(path), size_guidance={event_accumulator.SCALARS: 0})
    events.Reload()
    return {tag: [(e.wall_time, e.step, e.value) for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def near(a, b):
    assert math.isclose(a, b, rel_tol=1e-6), (a, b)


def check_golden(path):
    found = read(path)
    assert set(found) == {"train/loss", "train/learning_rate", "validation/accuracy"}, set(found)
    for tag, value in (("train/loss", lambda i: 1 / i), ("train/learning_rate", lambda i: 1e-3 * i)):
        assert [e[1] for e in found[tag]] == list(range(1, 11))
        for at, step, got in found[tag]:
            near(at, 1700000000 + step / 2)
            near(got, value(step))
    assert found["validation/accuracy"] == [(1700000060.0, 10, 0.75)]
    return found


def check_run(folder):
    found = read(folder)
    lines = [json.loads(line) for line in open(folder / "metrics.jsonl")]
    updates = [line for line in lines if line.get("grad_norm")]  # a rate of 0 is omitted
    assert [e[1] for e in found["train/learning_rate"]] == [line["update"] for line in updates]
    for event, line in zip(found["train/learning_rate"], updates):
        near(event[2], line.get("rate", 0))
    for event, line in zip(found["train/gradient_norm"], updates):
        near(event[2], line["grad_norm"])
    epochs = [line for line in lines if line.get("validation")]
    assert [e[1] for e in found["validation/loss"]] == [line["update"] for line in epochs]
    for event, line in zip(found["validation/loss"], epochs):
        near(event[2], line["validation"]["loss"])
    for event, line in zip(found["validation/accuracy"], epochs):
        near(event[2], line["validation"]["accuracy"])
    return found


if len(sys.argv) > 1:
    result = check_run(pathlib.Path(sys.argv[1]))
else:
    root = pathlib.Path(__file__).resolve().parents[2]
    result = check_golden(root / "pkg/train/testdata/events.out.tfevents.gaze")
for name, events in result.items():
    print(name, len(events), "events, last", events[-1])
