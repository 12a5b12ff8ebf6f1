"""Writes the results: JSON, Markdown tables, and progress lines."""
import json
import math
import os
import statistics
import subprocess

from rows import operations

TITLES = {
    "inference": "Inference", "small": "Small models", "neighbours": "Beside a busy process", "start": "From the start of the process to the first answer", "training": "Training steps",
    "attention": "The class token's attention in all layers, one picture", "explain": "Maps that explain the predicted class",
    "caption": "Captions",
    "pipeline": "Decoding and augmenting on one core", "notebook": "A notebook", "scaling": "Scaling",
    "gpu": "In bfloat16 on a GPU",
}


def number(x):
    """Three significant digits."""
    return f"{x:.{max(0, 2 - math.floor(math.log10(abs(x))))}f}" if x else "0"


def figure(one):
    """A peer's figure: its rate, or the median seconds of work that is done once."""
    return one["rate"] if "rate" in one else statistics.median(one["seconds"])


def ratios(row):
    """Gaze's speed relative to each peer, by the peers' names."""
    found = {name: figure(one) for name, one in row["peers"].items() if "error" not in one and not name.endswith("-loaded")}
    gaze = next((name for name in ("gaze", "gaze-gpu") if name in found), None)
    if gaze is None:
        return {}
    faster = (lambda a, b: b / a) if row["unit"] == "s" else (lambda a, b: a / b)
    return {name: faster(found[gaze], value) for name, value in found.items() if name != gaze}


def line(row, found):
    """A row in one line."""
    words = []
    for name, one in found.items():
        if "error" in one:
            words.append(f"{name}: {one['error']}")
        else:
            words.append(f"{name} {number(figure(one))} {row['unit']}" + (f", {one['peak_mib']:.0f} MiB" if one.get("peak_mib") else ""))
    return "; ".join(words)


def table(head, rows):
    lines = ["| " + " | ".join(cells) + " |" for cells in [head, *rows]]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]]) + "\n"


def cells(row, order, show):
    """A row's cells; a dash if a peer has no figure."""
    for name in order:
        one = row["peers"].get(name)
        yield "–" if one is None or "error" in one else show(name, one)


def rates(rows, order, titles):
    """The table of rates, with Gaze's ratio to each peer."""
    def show(row):
        by = ratios(row)
        return lambda name, one: number(figure(one)) + (f" ({by[name]:.2f})" if name in by else "")

    body = [[row["name"], *cells(row, order, show(row))] for row in rows]
    return table(["median, " + rows[0]["unit"], *(titles[n] for n in order)], body)


def shares(rows, order, titles, peak):
    """The table of each peer's matrix products as a fraction of the processor's peak rate."""
    def show(row):
        each = operations(row["task"]["model"], row["group"] == "training") * 1e-9 / peak
        return lambda name, one: f"{100 * each * one['rate']:.0f} %"

    body = [[row["name"], *cells(row, order, show(row))] for row in rows]
    return table([f"of {number(peak)} GFLOP/s", *(titles[n] for n in order)], body)


def notebook(rows):
    """The table of what a notebook does: targets, ratios, and what becomes of them on a busy machine."""
    head = ["median seconds", "target", "Gaze", "ipykernel", "Gaze / ipykernel", "busy machine: Gaze", "ipykernel", "busy / idle: Gaze", "ipykernel"]
    body = []
    for row in rows:
        f = {name: figure(one) for name, one in row["peers"].items() if "error" not in one}

        def ratio(a, b, f=f):
            return f"{f[a] / f[b]:.2f}" if a in f and b in f else "–"

        shown = {name: number(value) for name, value in f.items()}
        gaze, target = shown.get("gaze", "–"), row.get("target")
        if target and "gaze" in f:
            gaze += " ✓" if f["gaze"] <= target else " ✗"
        body.append([row["name"], f"≤ {target}" if target else "–", gaze, shown.get("ipykernel", "–"), ratio("gaze", "ipykernel"),
                     shown.get("gaze-loaded", "–"), shown.get("ipykernel-loaded", "–"), ratio("gaze-loaded", "gaze"), ratio("ipykernel-loaded", "ipykernel")])
    return table(head, body)


def group(name, rows, titles, peak=None):
    """A group's section of the document."""
    order = list(dict.fromkeys(n for row in rows for n in row["peers"]))
    out = [f"## {TITLES[name]}\n", notebook(rows) if name == "notebook" else rates(rows, order, titles)]
    for field, head in (("left", "beside a busy process, of the rate alone"), ("cold_s", "with empty caches, s"), ("peak_mib", "peak memory, MiB"), ("first_answer_s", "first answer, s")):
        if any(field in one for row in rows for one in row["peers"].values()):
            body = [[row["name"], *cells(row, order, lambda n, one: number(one[field]) if one.get(field) else "–")] for row in rows]
            out.append(table([head, *(titles[n] for n in order)], body))
    if peak and name in ("inference", "training"):
        out.append(shares(rows, order, titles, peak))
    reasons = {f"{titles[n]}: {one['error']}" for row in rows for n, one in row["peers"].items() if "error" in one}
    if reasons:
        out.append("".join(f"- {r}\n" for r in sorted(reasons)))
    return "\n".join(out)


def summary(rows, titles):
    """Each row's best peer other than Gaze, by rate and by memory."""
    body = []
    for row in rows:
        others = {n: one for n, one in row["peers"].items() if not n.startswith("gaze") and not n.endswith("-loaded") and "error" not in one}
        by = {n: r for n, r in ratios(row).items() if n in others}
        if not by:
            continue
        best, gaze = min(by, key=by.get), row["peers"].get("gaze") or row["peers"]["gaze-gpu"]
        cells = [f"{row['group']}: {row['name']}", f"{number(figure(gaze))} {row['unit']}", f"{titles[best]}, {number(figure(others[best]))}",
                 f"{by[best]:.2f}", "–", "–"]
        memory = {n: one["peak_mib"] for n, one in others.items() if one.get("peak_mib")}
        if memory and gaze.get("peak_mib"):
            least = min(memory, key=memory.get)
            cells[4:] = [f"{titles[least]}, {memory[least]:.0f}", f"{gaze['peak_mib'] / memory[least]:.2f}"]
        body.append(cells)
    head = ["", "Gaze, XLA", "fastest other", "Gaze's speed relative to it", "other with least memory, MiB", "Gaze's memory relative to it"]
    return "## Gaze and the best other\n\n" + table(head, body) if body else ""


def dates(result):
    """A line about rows that were measured at another time than the whole run."""
    other = {}
    for row in result["rows"]:
        if (day := row.get("date", "")[:10]) and row.get("commit") and (day, row["commit"]) != (result["machine"]["date"][:10], result["machine"]["commit"]):
            other.setdefault((day, row["commit"]), []).append(f"{row['group']}: {row['name']}")
    return "".join(f"Measured on {day}, commit {commit}: {'; '.join(names)}.\n" for (day, commit), names in sorted(other.items()))


HELD = ("**Held to AVX2 on a processor with wider vectors (`BENCH_ISA=avx2`)**: Gaze's kernels, XLA, JAX, oneDNN, MKL and torch's own "
        "code. ONNX Runtime's MLAS can't be held back, and XLA's YNNPACK, inside JAX, ignores the limit.\n")


def markdown(result):
    m = result["machine"]
    out = ["# Gaze and its peers\n"]
    if result["quick"]:
        out.append("**Tiny models, few rounds: this only shows that the harness works. The figures aren't a comparison.**\n")
    if m.get("isa"):
        out.append(HELD)
    out.append(f"{m['date']}, commit {m['commit']}: {m.get('name') or m['processor']}, {m['cores']} cores, {m['system']}; load {m['load'][0]:.1f} before and "
               f"{m['load_after'][0]:.1f} after. Go {m['go'].removeprefix('go')}, Python {m['python']}, "
               + ", ".join(f"{k} {v}" for k, v in m["versions"].items())
               + f". {result['rounds']} alternating rounds, {result['minutes']} minutes.\n")
    out.append("In brackets: the speed of Gaze on XLA relative to that peer, by the medians. "
               "[bench/README.md](../../README.md) describes what is measured and how.\n")
    if dates(result):
        out.append(dates(result))
    engines = {one["engine"] for row in result["rows"] for one in row["peers"].values() if one.get("engine")}
    if engines:
        out.append("Gaze's XLA: " + "; ".join(sorted(engines)) + ".\n")
    out.append(summary(result["rows"], result["peers"]))
    for name in dict.fromkeys(row["group"] for row in result["rows"]):
        out.append(group(name, [row for row in result["rows"] if row["group"] == name], result["peers"], m.get("peak_gflops")))
    return "\n".join(out)


def save(result, path):
    """Writes the file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("w") as f:
        f.write(json.dumps(result, indent=1) + "\n")
        f.flush()
        os.fsync(f.fileno())
    temporary.rename(path)


def merged(folder, new):
    """The results in a folder with new rows in place of those of the same names. The rest of
    a group keeps its place; each row has its own date."""
    path = folder / "bench.json"
    if not path.exists():
        return new
    old = json.loads(path.read_text())
    for row in old["rows"]:  # from the time when only the run had a date
        row.setdefault("date", old["machine"]["date"])
        row.setdefault("commit", old["machine"]["commit"])
    fresh = {(row["group"], row["name"]): row for row in new["rows"]}
    rows = [fresh.pop((row["group"], row["name"]), row) for row in old["rows"]]
    order = list(dict.fromkeys(row["group"] for row in [*rows, *fresh.values()]))
    rows = sorted([*rows, *fresh.values()], key=lambda row: order.index(row["group"]))
    return old | {"rows": rows, "peers": old["peers"] | new["peers"]}


def write(result, folder, charts):
    save(result, folder / "bench.json")
    (folder / "bench.md").write_text(markdown(result))
    for old in folder.glob("bench-*.png"):
        old.unlink()
    subprocess.run([str(charts), str(folder)], check=True)
