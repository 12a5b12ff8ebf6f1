"""Timings beside another process that computes without end, as on a desktop or a shared server.

The process isn't bound to a core and has the usual priority, so the system's scheduler divides
the cores. A program whose threads wait for each other by spinning then loses more than its share.
"""
import statistics

from cells import busy
from workers import Refused


def beside(row, found, running, rounds, seconds):
    """Alternating timings of the workers beside one busy process. "left" is the rate then, as a
    fraction of the rate alone."""
    with busy(1):
        for i in range(rounds):
            for name in list(running)[:: 1 if i % 2 else -1]:
                alone = row["items"] / found[name]["rate"]
                try:
                    repetitions = max(1, round(seconds / alone / 2))
                    found[name].setdefault("beside_seconds", []).append(running[name].run(repetitions) / repetitions)
                except Refused as e:
                    found[name] = {"error": f"beside a busy process: {e}"}
                    running.pop(name).close()
    for name in running:
        found[name]["left"] = row["items"] / statistics.median(found[name]["beside_seconds"]) / found[name]["rate"]
