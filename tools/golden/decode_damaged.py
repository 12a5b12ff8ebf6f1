"""Pillow's results for damaged PNG, GIF, BMP, WebP and TIFF files.

Writes pkg/data/testdata/damaged.txt, with a line for each case: the undamaged file's name
in pkg/data/testdata/pictures, the recipe that damages it, and the result, separated by
tabs. jpeg_damaged.py is for JPEG files. Run from the repository root, after decode.py.

A recipe has words separated by spaces, applied in order: `-AT,N` deletes N bytes at offset
AT, `+AT,HEX` inserts bytes, `=AT,HEX` overwrites bytes, and `crc` corrects the checksums of
a PNG file. The result is the picture's width, height and the beginning of the SHA-256 of
its pixels, as in decode.py, or `refused`.
"""
import hashlib
import io
import pathlib
import random
import struct
import warnings
import zlib

import numpy as np
import PIL
from PIL import Image, ImageOps

assert PIL.__version__ == "13.0.0"
warnings.simplefilter("ignore")
pictures = pathlib.Path("pkg/data/testdata/pictures")
R = random.Random(5)


def verdict(data):
    try:
        im = Image.open(io.BytesIO(data))
        im.load()
        im = ImageOps.exif_transpose(im)
        if im.mode == "I;16":
            im = Image.fromarray((np.asarray(im) >> 8).astype(np.uint8))
        a = np.asarray(im.convert("RGB"))
    except Exception:
        return "refused"
    return f"{a.shape[1]} {a.shape[0]} {hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:16]}"


def chunks(data):
    """Yields (start, name, end) of a PNG file's chunks."""
    found, at = [], 8
    while at + 8 <= len(data):
        end = at + 12 + struct.unpack(">I", data[at:at + 4])[0]
        if end > len(data):
            break
        found.append((at, data[at + 4:at + 8], end))
        at = end
    return found


def right(data):
    data = bytearray(data)
    for start, _, end in chunks(data):
        data[end - 4:end] = struct.pack(">I", zlib.crc32(data[start + 4:end - 4]))
    return bytes(data)


def delete(at, n):
    return f"-{at},{n}"


def insert(at, data):
    return f"+{at},{data.hex()}"


def write(at, data):
    return f"={at},{data.hex()}"


def apply(data, recipe):
    for op in recipe.split():
        if op == "crc":
            data = right(data)
            continue
        at, what = op[1:].split(",")
        at = int(at)
        if op[0] == "-":
            data = data[:at] + data[at + int(what):]
        else:
            b = bytes.fromhex(what)
            data = data[:at] + b + data[at + (len(b) if op[0] == "=" else 0):]
    return data


def noise(n):
    return bytes(R.randrange(256) for _ in range(n))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def cuts(data, n=14):
    for k in {*range(1, 20), *np.linspace(20, len(data) - 8, n).astype(int).tolist()}:
        yield delete(len(data) - k, k)
    for tail in (b"\0", noise(5), noise(200)):
        yield insert(len(data), tail)


def anywhere(data, n, first=8):
    for _ in range(n):
        at = R.randrange(first, len(data))
        yield write(at, bytes([data[at] ^ 1 << R.randrange(8)]))
        yield write(at, noise(1))
        yield delete(at, R.choice([1, 2, 20]))
        yield insert(at, noise(R.choice([1, 2, 10])))


def png(data):
    yield from cuts(data)
    if b"acTL" in data:  # PIL also reads the other frames
        return
    for recipe in anywhere(data, 12):
        yield recipe
        yield recipe + " crc"
    for start, name, end in chunks(data):
        yield write(end - 1, bytes([data[end - 1] ^ 1]))  # a wrong checksum
        yield delete(start, end - start)
        yield insert(start, data[start:end])
        text = chunk(b"tEXt", b"a\0b")
        yield insert(start, text)
        if name in (b"IDAT", b"IEND"):
            yield insert(end, text[:-1] + bytes([text[-1] ^ 1]))
        for other in (chunk(b"ABCD", b"x"), chunk(b"a-cd", b"x"), chunk(b"tRNS", b""), chunk(b"tRNS", bytes(8)), chunk(b"gAMA", b"ab"), chunk(b"sRGB", b"")):
            yield insert(start, other)
    pixels = next(c for c in chunks(data) if c[1] == b"IDAT")
    start, end = pixels[0] + 8, pixels[2] - 4
    packed = data[start:end]
    raw = zlib.decompress(packed)
    row = len(raw) // struct.unpack(">I", data[20:24])[0]

    def replaced(*pieces):
        new = b"".join(chunk(b"IDAT", p) for p in pieces)
        return delete(pixels[0], pixels[2] - pixels[0]) + " " + insert(pixels[0], new)

    for k in range(1, 9):
        yield replaced(packed[:-k])
        yield replaced(packed[:-k], packed[-k:])
    yield replaced(packed[:-1] + bytes([packed[-1] ^ 1]))
    yield replaced(packed[:-2], packed[-2:-1] + bytes([packed[-1] ^ 1]))
    yield replaced(packed[:9], b"", packed[9:])
    yield replaced(zlib.compress(raw + raw[:row]))
    for rows in 1, 5, 12:
        yield replaced(zlib.compress(raw[:rows * row]))
        yield replaced(zlib.compress(raw[:rows * row + 1]))


def gif(data):
    yield from cuts(data)
    yield from anywhere(data, 25, 6)
    for at in (13, data.index(b",")):
        yield insert(at, b"\0")
        yield insert(at, b"!\xfe\x03abc\0")
        yield insert(at, b"!\xf9\0")


def bmp(data):
    yield from cuts(data)
    yield from anywhere(data, 6, 54)


def webp(data):
    yield from cuts(data, 6)
    size = struct.unpack("<I", data[4:8])[0]
    for wrong in (0, 3, size - 4, size + 1, size + 4, 2 ** 31 - 1):
        yield write(4, struct.pack("<I", wrong))


def tiff(data):
    if struct.unpack("<I", data[4:8])[0] < len(data) // 2:  # the directory comes first
        yield from cuts(data)
    for k in np.linspace(140, len(data) - 8, 14).astype(int).tolist():
        yield delete(len(data) - k, k)
    yield insert(len(data), noise(9))
    yield from (r for r in anywhere(data, 3) if r[0] == "=")


lines, counts = [], {}
for make, names in [
    (png, "rgb.png rgba.png palette.png palette_2_bits.png palette_short.png grey_16.png bilevel.png animated.png orientation.png rgb_transparent.png".split()),
    (gif, "palette.gif grey.gif transparent.gif interlaced.gif part.gif animated.gif".split()),
    (bmp, "rgb.bmp palette.bmp bilevel.bmp rgba.bmp".split()),
    (webp, "lossy.webp lossy_alpha.webp animated.webp".split()),
    (tiff, "rgb.tiff cmyk.tif cmyk_lzw.tif tiff_adobe_deflate.tif packbits.tif tiles_cmyk.tif planes_tiles_rgb.tif".split()),
]:
    for name in names:
        data = (pictures / name).read_bytes()
        for recipe in dict.fromkeys(make(data)):
            result = verdict(apply(data, recipe))
            counts[result == "refused"] = counts.get(result == "refused", 0) + 1
            lines.append(f"{name}\t{recipe}\t{result}\n")
(pictures.parent / "damaged.txt").write_text("".join(lines))
print(len(lines), "cases; refused:", counts[True])
