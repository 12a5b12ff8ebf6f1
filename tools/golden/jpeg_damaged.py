"""Pillow's results and libjpeg's warnings for damaged JPEG files.

Writes to internal/jpeg/testdata/damaged/: undamaged files, and damaged.txt with a line for
each case: the undamaged file's name, the recipe that damages it, the result, and the
warnings, separated by tabs. Run from the repository root, on x86-64 Linux (the warnings
are read from the libjpeg-turbo in Pillow's wheel, and the script relies on the layout of
its structures).

A recipe has words separated by spaces, applied in order: `-AT,N` deletes N bytes at offset
AT, `+AT,HEX` inserts bytes, `=AT,HEX` overwrites bytes. The result is the picture's width,
height, channels and the beginning of the SHA-256 of its pixels; `truncated` if Pillow says
that the file is truncated; or `refused`. The warnings are letters, as in WARNINGS.
"""
import ctypes
import glob
import hashlib
import io
import os
import pathlib
import random

import cv2
import numpy as np
import PIL
from PIL import Image, features

out = pathlib.Path("internal/jpeg/testdata/damaged")
out.mkdir(parents=True, exist_ok=True)
assert PIL.__version__ == "13.0.0" and features.version("libjpeg_turbo") == "3.2.0"

# --- Pillow's result ---


def verdict(data):
    try:
        im = Image.open(io.BytesIO(data), formats=["JPEG", "MPO"])
        im.load()
    except Exception as e:
        return "truncated" if str(e).startswith("image file is truncated") else "refused"
    a = np.asarray(im)
    if im.mode == "CMYK":  # Gaze keeps the stored values
        a = 255 - a
    channels = 1 if a.ndim == 2 else a.shape[2]
    digest = hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:16]
    return f"{a.shape[1]} {a.shape[0]} {channels} {digest}"


# --- libjpeg's warnings, with data supplied as Pillow does ---

WARNINGS = {
    "Corrupt JPEG data: premature end": "h",
    "Corrupt JPEG data: bad Huffman code": "b",
    "Corrupt JPEG data: found marker": "r",
    "Corrupt JPEG data: %u extraneous bytes": "e",
    "Inconsistent progression sequence": "p",
    "Invalid SOS parameters for sequential": "n",
    "Warning: unknown JFIF revision number": "j",
    "Unknown Adobe color transform code": "a",
}
libjpeg = ctypes.CDLL(glob.glob(os.path.dirname(PIL.__file__) + "/../pillow.libs/libjpeg-*.so*")[0])
P = ctypes.c_void_p


class Errors(ctypes.Structure):
    _fields_ = [(n, P) for n in ("exit", "emit", "output", "format", "reset")] + [
        ("code", ctypes.c_int), ("parameters", ctypes.c_char * 80), ("trace", ctypes.c_int), ("warnings", ctypes.c_long),
        ("table", ctypes.POINTER(ctypes.c_char_p)), ("rest", ctypes.c_char * 100)]


class Source(ctypes.Structure):
    _fields_ = [("next", P), ("left", ctypes.c_size_t)] + [(n, P) for n in ("init", "fill", "skip", "resync", "term")]


def fail(_):
    print("libjpeg refuses what Pillow decodes:", errors.table[errors.code], flush=True)
    os._exit(1)


def emit(_, level):
    if level < 0:
        text = errors.table[errors.code].decode()
        letters.add(next(v for k, v in WARNINGS.items() if text.startswith(k)))


def skip(_, n):
    while n > source.left and more():
        pass
    n = min(n, source.left)
    source.next += n
    source.left -= n


def more():
    """Supplies the next 64 KB, if there are any, as Pillow does when libjpeg needs more data."""
    n = min(65536, source.waiting)
    source.waiting -= n
    source.left += n
    return n > 0


def until(want, call, *args):
    while (result := call(*args)) not in want:
        assert more()
    return result


errors, source, letters = Errors(), Source(), set()
callbacks = [ctypes.CFUNCTYPE(None, P)(fail), ctypes.CFUNCTYPE(None, P, ctypes.c_int)(emit), ctypes.CFUNCTYPE(None, P)(lambda _: None),
             ctypes.CFUNCTYPE(ctypes.c_int, P)(lambda _: 0), ctypes.CFUNCTYPE(None, P, ctypes.c_long)(skip)]
address = [ctypes.cast(c, P).value for c in callbacks]


def warnings_of(data, width, height):
    letters.clear()
    info = ctypes.create_string_buffer(1024)
    libjpeg.jpeg_std_error(ctypes.byref(errors))
    errors.exit, errors.emit = address[:2]
    P.from_buffer(info, 0).value = ctypes.addressof(errors)
    libjpeg.jpeg_CreateDecompress(info, 62, ctypes.c_size_t(632))
    memory = ctypes.create_string_buffer(data, len(data))
    source.next, source.left, source.waiting = ctypes.addressof(memory), 0, len(data)
    source.init = source.term = address[2]
    source.fill, source.skip = address[3:]
    source.resync = ctypes.cast(libjpeg.jpeg_resync_to_restart, P).value
    P.from_buffer(info, 40).value = ctypes.addressof(source)
    while until((1, 2), libjpeg.jpeg_read_header, info, 0) == 2:  # tables only
        pass
    until((1,), libjpeg.jpeg_start_decompress, info)
    row = ctypes.create_string_buffer(4 * width + 64)
    rows = (P * 1)(ctypes.addressof(row))
    for _ in range(height):
        until((1,), libjpeg.jpeg_read_scanlines, info, rows, 1)
    libjpeg.jpeg_finish_decompress(info)
    libjpeg.jpeg_destroy_decompress(info)
    return "".join(sorted(letters))


# --- undamaged files ---


def picture(h, w, seed, noise=8.0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w].astype(np.float64)
    rgb = np.stack([127 + 120 * np.sin(x / 9 + y / 13), 255 * (x + y) / (h + w), 127 + 120 * np.cos(x * y / 300)], -1)
    rgb[(x > w * 0.6) & (y > h * 0.3)] = (220, 30, 40)
    return np.clip(rgb + rng.normal(0, noise, rgb.shape), 0, 255).astype(np.uint8)


def save(name, mode="RGB", size=(61, 75), seed=0, noise=8.0, **args):
    b = io.BytesIO()
    Image.fromarray(picture(*size, seed, noise)).convert(mode).save(b, "JPEG", **{"quality": 60, **args})
    return name, b.getvalue()


def save_cv2(name, factor, seed, *more):
    ok, b = cv2.imencode(".jpg", picture(61, 75, seed), [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor, cv2.IMWRITE_JPEG_QUALITY, 60, *more])
    assert ok
    return name, b.tobytes()


def sequential_scans(data):
    """A 4:4:4 file with each of its three components in a separate scan."""
    grey = [save("", "L", seed=i + 20)[1] for i in range(3)]
    head = data[:find(data, 0xDA)]
    scans = b""
    for i, g in enumerate(grey):
        s = find(g, 0xDA)
        n = g[s + 2] * 256 + g[s + 3]
        scans += b"\xff\xda\x00\x08\x01" + bytes([i + 1, 0]) + b"\x00\x3f\x00" + g[s + 2 + n:-2]
    return head + scans + b"\xff\xd9"


def segments(data):
    """Yields (start, marker, end) of every segment; a scan's data isn't included."""
    found, at = [], 2
    while data[at + 1] != 0xD9:
        end = at + 2 + data[at + 2] * 256 + data[at + 3]
        found.append((at, data[at + 1], end))
        at = end
        if found[-1][1] == 0xDA:
            while data[at] != 0xFF or data[at + 1] == 0 or 0xD0 <= data[at + 1] <= 0xD7:
                at += 1
    return found


def find(data, marker):
    return next(s for s, m, _ in segments(data) if m == marker)


whole = dict([
    save("420", subsampling=2), save("422", subsampling=1, seed=1), save("444", subsampling=0, seed=2, optimize=True),
    save("grey", "L", seed=3), save("cmyk", "CMYK", seed=4), save("rgb", keep_rgb=True, subsampling=0, seed=14),
    save("restart", seed=5, restart_marker_blocks=2), save("restart_rows", subsampling=0, seed=6, restart_marker_rows=1),
    save("progressive", seed=7, progressive=True), save("progressive_444", subsampling=0, seed=8, progressive=True, quality=85),
    save("progressive_grey", "L", seed=9, progressive=True), save("progressive_restart", seed=10, progressive=True, restart_marker_blocks=3),
    save_cv2("440", 0x121111, 11), save_cv2("411_progressive", 0x411111, 12, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    save("small_progressive", size=(9, 7), seed=15, progressive=True),
    # Larger than 64 KB, so that Pillow supplies it in several pieces.
    save("large", size=(230, 240), noise=50, quality=93, subsampling=0, seed=13),
])
whole["scans"] = sequential_scans(save("", subsampling=0, seed=16)[1])
# A single component may have sampling factors, which only affect the smoothing.
odd = bytearray(whole["progressive_grey"])
odd[find(odd, 0xC2) + 11] = 0x22
whole["progressive_grey_2x2"] = bytes(odd)

# --- damage ---


def delete(at, n):
    return f"-{at},{n}"


def insert(at, data):
    return f"+{at},{data.hex()}"


def write(at, data):
    return f"={at},{data.hex()}"


def apply(data, recipe):
    for op in recipe.split():
        at, what = op[1:].split(",")
        at = int(at)
        if op[0] == "-":
            data = data[:at] + data[at + int(what):]
        else:
            b = bytes.fromhex(what)
            data = data[:at] + b + data[at + (len(b) if op[0] == "=" else 0):]
    return data


EOI = b"\xff\xd9"
R = random.Random(7)


def noise(n):
    return bytes(R.randrange(256) for _ in range(n))


def cuts(data, first):
    """Truncated, with and without an end marker."""
    n = len(data)
    for at in sorted({*np.linspace(first, n - 1, 24).astype(int).tolist(), n - 4, n - 3, n - 2, n - 1}):
        yield delete(at, n - at)
        yield delete(at, n - at) + " " + insert(at, EOI)
    for at in (2, 3, 20, first - 8, first - 1):
        yield delete(at, n - at)
        yield delete(at, n - at) + " " + insert(at, EOI)


def bytes_lost(data, first):
    for at in np.linspace(first, len(data) - 3, 9).astype(int).tolist():
        yield delete(at, 1)
        yield delete(at, R.choice([2, 30, 100]))
        yield insert(at, noise(R.choice([1, 2, 10])))
        yield write(at, bytes([data[at] ^ 1 << R.randrange(8)]))
        yield write(at, noise(1))
        yield write(at, bytes(R.choice([1, 8])))
        yield write(at, b"\xff" * R.choice([1, 2, 3, 20]))


def stray_markers(data, first):
    for marker in (*range(0xD0, 0xD8), 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xDC, 0xFE, 0xE0, 0xC0, 0xD8, 0x01, 0x02, 0xF0):
        at = R.randint(first, len(data) - 3)
        yield insert(at, bytes([0xFF, marker]))
        yield insert(R.choice([first, len(data) - 2]), bytes([0xFF, marker]))
    yield insert(R.randint(first, len(data) - 3), b"\xff\xfe\x00\x05abc")


def stuffing(data, first):
    at = [i for i in range(first, len(data) - 2) if data[i] == 0xFF and data[i + 1] == 0]
    for i in R.sample(at, min(len(at), 6)):
        yield insert(i, b"\xff")
        yield insert(i, b"\xff\xff\xff")
        yield delete(i + 1, 1)
        yield write(i + 1, noise(1))


def restarts(data, first):
    at = [i for i in range(first, len(data) - 2) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    for i in R.sample(at, min(len(at), 10)):
        yield delete(i, 2)
        yield write(i + 1, noise(1))
        for k in R.sample(range(1, 8), 4):
            yield write(i + 1, bytes([0xD0 + (data[i + 1] + k) % 8]))
        yield insert(i, data[i:i + 2])
        yield insert(i, noise(3))
        j = R.choice(at)
        if j != i:
            yield delete(min(i, j), abs(i - j))
            yield insert(i, data[min(i, j):max(i, j)])
            yield write(i + 1, data[j + 1:j + 2]) + " " + write(j + 1, data[i + 1:i + 2])


def changed_segments(data):
    list_ = segments(data)
    for start, marker, end in list_:
        if marker != 0xDA:
            yield delete(start, end - start)
            yield insert(start, data[start:end])
        yield insert(start, noise(1))
        yield insert(start, b"\xff\xff")
        yield insert(start, b"\xff\x00")
        yield delete(end - 1, 1)
        yield insert(end - 1, noise(1))
        for at in range(start + 2, min(end, start + 24)):
            if marker in (0xC0, 0xC2, 0xDA, 0xDD) or R.random() < 0.2:
                yield write(at, bytes([R.choice([data[at] ^ 1 << R.randrange(8), R.randrange(256), R.randrange(5)])]))
        if marker in (0xE0, 0xEE):
            for n in (2, 6, 7, 8, 13, 14, 15):
                yield write(start + 2, bytes([0, n])) + " " + delete(start + 2 + n, max(end - start - 2 - n, 0))
    for name, cut in (b"JFIF\0\1\1", 5), (b"Adobe\0d", 5), (b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\1a\0", 6), (b"ICC_PROFILE\0\1\1abc", 1), (b"Exif\0\0II*\0", 4):
        marker = {b"J": 0xE0, b"A": 0xEE, b"P": 0xED, b"I": 0xE2, b"E": 0xE1}[name[:1]]
        for n in (0, 1, cut, len(name) - 1, len(name)):
            yield insert(2, bytes([0xFF, marker, 0, n + 2]) + name[:n])
    for transform in (0, 1, 2, 3):
        yield insert(2, b"\xff\xee\0\x0eAdobe\0d\0\0\0\0" + bytes([transform]))
        yield delete(2, 18) + " " + insert(2, b"\xff\xee\0\x0eAdobe\0d\0\0\0\0" + bytes([transform]))


def scans(data):
    starts = [s for s, m, _ in segments(data) if m == 0xDA]
    if len(starts) < 2:
        return
    # With the tables before it.
    begins = []
    for s in starts:
        before = [(a, e) for a, m, e in segments(data) if m == 0xC4 and e <= s]
        while before and before[-1][1] == s:
            s = before.pop()[0]
        begins.append(s)
    ends = begins[1:] + [len(data) - 2]
    for a, e in zip(begins, ends):
        yield delete(a, len(data) - 2 - a)
        yield delete(a, e - a)
        yield insert(a, data[a:e])
        half = (a + e) // 2
        yield delete(half, len(data) - 2 - half)
    for i in range(len(begins) - 1):
        a, e = begins[i], ends[i]
        yield insert(ends[i + 1], data[a:e]) + " " + delete(a, e - a)
    for _ in range(8):
        keep = sorted(R.sample(range(1, len(begins)), R.randrange(len(begins))))
        yield " ".join(delete(begins[i], ends[i] - begins[i]) for i in reversed(range(1, len(begins))) if i not in keep) or insert(2, b"\xff\xff")


def tails(data):
    n = len(data)
    for tail in (b"\0", noise(3), noise(300), data[:200], b"\xff\xd8" + data[2:60], b"\xff\xc4\x00\x20" + noise(40), b"\xff\xda\x00\x0c\x03\x01",
                 b"\xff\xc4\x00\x08\x00", b"\xff\xdb\x00\x43\x07", b"\xff\xdb\x00\x43\x01\x02", b"\xff\xdd\x00\x05", b"\xff\xdd\x00", b"\xff\xe0\xff\xff", b"\xff\xe1\x00\x01"):
        yield insert(n, tail)
        yield delete(n - 2, 2) + " " + insert(n - 2, tail)
        yield insert(n - 2, tail)
    yield insert(n - 2, bytes(9))
    yield write(n - 1, b"\xd8")
    # A file with only tables before the picture.
    tables = b"\xff\xd8" + b"".join(data[s:e] for s, m, e in segments(data) if m in (0xDB, 0xC4)) + EOI
    yield insert(0, tables)
    yield insert(0, tables + b"\0")


def several(data, first, n):
    for _ in range(n):
        ops, length = [], len(data)
        for _ in range(R.choice([2, 2, 3, 4])):
            at = R.randint(2 if R.random() < 0.1 else first, length - 3)
            k = R.randrange(4)
            if k == 0:
                m = min(R.choice([1, 2, 20]), length - at - 2)
                ops, length = ops + [delete(at, m)], length - m
            elif k == 1:
                b = noise(R.choice([1, 2, 5]))
                ops, length = ops + [insert(at, b)], length + len(b)
            elif k == 2:
                ops.append(write(at, noise(1)))
            else:
                ops, length = ops + [insert(at, bytes([0xFF, R.choice([0xD9, *range(0xD0, 0xD8)])]))], length + 2
        yield " ".join(ops)


def cases(name, data):
    first = segments(data)[[m for _, m, _ in segments(data)].index(0xDA)][2]
    yield insert(2, b"\xff\xff")  # fill bytes aren't damage
    if name == "large":
        # At the boundary between Pillow's pieces, and far from it.
        for recipe in (r for make in (cuts, bytes_lost, stuffing) for r in make(data, first)):
            if R.random() < 0.4:
                yield recipe
        for at in range(65536 - 1600, 65536 + 8):
            if data[at] == 0xFF and data[at + 1] == 0:
                yield insert(at, b"\xff")
        return
    for make in cuts, bytes_lost, stray_markers, stuffing, restarts:
        yield from make(data, first)
    for make in changed_segments, scans, tails:
        yield from make(data)
    yield from several(data, first, 25)


lines, counts = [], {}
for name, data in whole.items():
    (out / f"{name}.jpg").write_bytes(data)
    every = list(dict.fromkeys(cases(name, data)))
    if name not in ("420", "restart", "progressive_restart", "scans", "large"):
        every = R.sample(every, len(every) // 3)
    for recipe in every:
        broken = apply(data, recipe)
        result = verdict(broken)
        letters_of = ""
        if result not in ("truncated", "refused"):
            width, height = map(int, result.split()[:2])
            letters_of = warnings_of(broken, width, height)
        kind = result if result in ("truncated", "refused") else "decoded, warned of" if letters_of else "decoded"
        counts[kind] = counts.get(kind, 0) + 1
        lines.append(f"{name}\t{recipe}\t{result}\t{letters_of}\n")
(out / "damaged.txt").write_text("".join(lines))
print(len(lines), "cases:", counts)
