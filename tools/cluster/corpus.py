"""A corpus of drawn pictures, its job, and what must be true of the job when it is done."""

import hashlib
import json
import random
import struct
import subprocess
import zlib
from pathlib import Path

SIDE = 32  # pixels
MODEL = "pets-vit"  # a model that Gaze brings along, so that nothing is downloaded


def png(pixels, side):
    """The bytes of a PNG of RGB pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(b"\0" + pixels[y * side * 3:(y + 1) * side * 3] for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def picture(rng):
    """A rectangle on a background, both of random colours."""
    back, front = rng.randbytes(3), rng.randbytes(3)
    x, y = rng.randrange(SIDE - 8), rng.randrange(SIDE - 8)
    plain = back * SIDE
    crossed = back * x + front * 8 + back * (SIDE - 8 - x)
    return png(b"".join(crossed if y <= row < y + 8 else plain for row in range(SIDE)), SIDE)


def draw(folder, count, seed):
    """Draws pictures, of which one in a hundred is cut off or no picture. Returns the number of those."""
    rng = random.Random(seed)
    bad = set(rng.sample(range(count), max(1, count // 100)))
    for n in range(count):
        data = picture(rng)
        if n in bad:
            data = data[:rng.randrange(8, 50)] if n % 2 else b"this is no picture"
        at = folder / f"{n // 1000:03d}" / f"{n:06d}.png"
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_bytes(data)
    return len(bad)


def plan(gaze, job, pictures, shard):
    """Plans the job. The same pictures and size give the same job, and so the same parts."""
    command = [gaze, "batch", "plan", "-o", job, "--model", MODEL, "--want", "embeddings,attention", "--shard", shard, pictures]
    subprocess.run([str(c) for c in command], check=True, stdout=subprocess.DEVNULL)


def digests(job):
    """SHA-256 of each part."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted((job / "parts").iterdir())}


def receipts(job):
    """The numbers of the shards that have a receipt."""
    return {int(p.stem.removeprefix("part-")) for p in (job / "receipts").glob("part-*.json")}


def check(gaze, job, local, count, bad):
    """Fails unless the job is complete and is, byte for byte, what the local run made."""
    subprocess.run([gaze, "batch", "verify", job], check=True, stdout=subprocess.DEVNULL)
    manifest = json.loads((job / "manifest.json").read_text())
    found = manifest["rows"], manifest["bad"]
    if found != (count, bad):
        raise AssertionError(f"{job}: {found[0]} rows, {found[1]} of them bad; it should be {count} and {bad}")
    if digests(job) != digests(local):
        differ = [name for name, sum in digests(local).items() if digests(job).get(name) != sum]
        raise AssertionError(f"{job}: parts differ from a local run's: {differ[:10]}")
    if (job / "manifest.json").read_bytes() != (local / "manifest.json").read_bytes():
        raise AssertionError(f"{job}: the manifest differs from a local run's")
    names = {str(p.relative_to(job)) for p in job.rglob("*") if p.is_file() and p.relative_to(job).parts[0] != "logs"}
    expected = {str(p.relative_to(local)) for p in local.rglob("*") if p.is_file()}
    if names != expected:
        raise AssertionError(f"{job}: files are left over or missing: {sorted(names ^ expected)[:10]}")
