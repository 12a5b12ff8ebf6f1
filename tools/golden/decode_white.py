"""Transparent pictures and the SHA-256 of what transformers' convert_to_rgb makes of them.

Writes pkg/data/testdata/transparent/ (files of kinds that decode.py has none of) and
white.json, for those and for the files of decode.py. Expected is exif_transpose, then
convert_to_rgb of transformers 5.23, which puts transparent pictures on white; and for
the files in transparent/ convert("RGB"), too. Run from the repository root, after
decode.py.
"""
import hashlib
import io
import json
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps
from transformers.image_transforms import convert_to_rgb

data = pathlib.Path("pkg/data/testdata")
out = data / "transparent"
shutil.rmtree(out, ignore_errors=True)
out.mkdir(parents=True)
rng = np.random.default_rng(5)
H, W = 9, 14


def pixels(channels):
    """Noise, of which a third is transparent, a third opaque."""
    a = rng.integers(0, 256, (H, W, channels), dtype=np.uint8)
    which = rng.integers(0, 3, (H, W))
    a[..., -1] = np.where(which == 0, 0, np.where(which == 1, 255, a[..., -1]))
    return a


rgba = Image.fromarray(pixels(4), "RGBA")
levels = Image.fromarray(rng.integers(0, 3, (H, W), dtype=np.uint8), "L")

# PNG and GIF.
Image.fromarray(rng.integers(0, 2, (H, W), dtype=np.uint8) * 255).convert("1").save(out / "bilevel.png", transparency=255)
levels.point(lambda v: v * 80).save(out / "grey.gif", transparency=80)
exif = Image.Exif()
exif[0x0112] = 6
rgba.save(out / "turned.png", exif=exif)
indexed = Image.fromarray(rng.integers(0, 9, (H, W), dtype=np.uint8), "P")
indexed.putpalette(bytes(rng.integers(0, 256, 27, dtype=np.uint8)))
for name, im, clear in ("palette", indexed, bytes([255, 0, 128, 3, 77])), ("grey", levels, 1), ("rgb", Image.fromarray(rng.integers(0, 2, (H, W, 3), dtype=np.uint8)), (1, 0, 1)):
    im.save(out / "whole.png", transparency=clear)
    (out / f"{name}_no_end.png").write_bytes((out / "whole.png").read_bytes()[:-12])
(out / "whole.png").unlink()


# WebP: what may stand in a file, and in which order.
def webp_chunks(im, **args):
    b = io.BytesIO()
    im.save(b, "WEBP", **args)
    b, at, chunks = b.getvalue(), 12, {}
    while at + 8 <= len(b):
        n = struct.unpack("<I", b[at + 4:at + 8])[0]
        chunks[b[at:at + 4]] = b[at + 8:at + 8 + n]
        at += 8 + n + n % 2
    return chunks


def webp(name, *chunks):
    body = b"WEBP" + b"".join(n + struct.pack("<I", len(d)) + d + b"\0" * (len(d) % 2) for n, d in chunks)
    (out / f"{name}.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def header(flags, width=W, height=H, more=b""):
    return b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3] + more


clear = b"VP8L", webp_chunks(rgba, lossless=True, exact=True)[b"VP8L"]
opaque = b"VP8L", webp_chunks(rgba.convert("RGB"), lossless=True)[b"VP8L"]
lossy = webp_chunks(rgba, quality=80)
alpha, colours = (b"ALPH", lossy[b"ALPH"]), (b"VP8 ", lossy[b"VP8 "])
turned = b"EXIF", exif.tobytes()
unknown = b"ABCD", b"xyz"
for name, *chunks in [
    ("lossless_header", header(0x10), clear), ("lossless_turned", header(0x18), clear, turned), ("lossless_turned_before", header(0x18), turned, clear),
    ("lossless_no_flag", header(0), clear), ("lossless_opaque", header(0x10), opaque), ("lossless_profile", header(0x30), (b"ICCP", b"abcd"), clear),
    ("lossless_unknown", header(0x10), unknown, clear), ("lossless_unknown_after", clear, unknown), ("lossless_two", clear, opaque),
    ("lossy_no_alpha", header(0x10), colours), ("lossy_no_flag", header(0), alpha, colours), ("lossy_turned", header(0x18), alpha, colours, turned),
    # Refused:
    ("two_pictures", header(0x10), clear, opaque), ("two_lossy", header(0), colours, colours), ("lossless_alpha_too", header(0x10), alpha, clear),
    ("alpha_alone", alpha, colours), ("alpha_after", header(0x10), colours, alpha), ("alpha_twice", header(0x10), alpha, alpha, colours),
    ("apart", header(0x10), alpha, unknown, colours), ("unknown_first", unknown, clear), ("no_frames", header(0x12), clear), ("long_header", header(0x10, more=b"\0\0"), clear),
    ("two_headers", header(0x10), header(0x10), clear), ("late_header", header(0x10), clear, header(0x10)), ("wide", header(0x10, W + 1), clear), ("high", header(0, W, H + 1), colours),
]:
    webp(name, *chunks)
part = Image.new("RGBA", (W + 9, H + 6))
part.paste(rgba, (6, 4))
part.save(out / "part.webp", save_all=True, append_images=[part.rotate(180)], lossless=True)

# Damage in an animation, of which only the first frame is shown.
whole = (data / "pictures" / "animated_alpha.webp").read_bytes()
second = whole.index(b"ANMF", whole.index(b"ANMF") + 4)
key = whole.index(b"\x9d\x01\x2a", second)
for name, at, byte in [
    ("frame_wrong_size", whole.index(b"ANMF") + 8 + 10, 0xC5), ("later_wrong_size", second + 8 + 6, 0x7F),  # the pixels' own size counts
    ("flag", 20, 0x13), ("no_animation_header", whole.index(b"ANIM") + 1, 0x03), ("later_outside", second + 8, 0xBF),  # refused, as are:
    ("later_no_key", key, 0x9C), ("later_no_picture", second + 24, 0x42), ("frame_unknown", whole.index(b"ALPH"), 0x42),
]:
    b = bytearray(whole)
    b[at] = byte
    (out / f"animated_{name}.webp").write_bytes(b)
broken = bytearray(alpha[1])
broken[len(broken) // 2:] = bytes(len(broken) - len(broken) // 2)
webp("lossy_no_flag_broken", header(0), (b"ALPH", bytes(broken)), colours)
# An EXIF block that isn't one.
b = bytearray((data / "pictures" / "orientation_6.jpg").read_bytes())
at = b.index(b"Exif") + 6
assert b[at:at + 4] in (b"II*\0", b"MM\0*")
b[at + 3 if b[at:at + 1] == b"M" else at + 2] ^= 0x10
(out / "exif_damaged.jpg").write_bytes(b)


# TIFF: what an extra sample may be.
def tiff(name, photometric, samples, extra, order="<", palette=()):
    bits = samples.dtype.itemsize * 8
    tags = {256: [W], 257: [H], 258: [bits] * samples.shape[2], 259: [1], 262: [photometric], 277: [samples.shape[2]], 278: [H], 279: [samples.nbytes]}
    if extra:
        tags[338] = list(extra)
    if len(palette):
        tags[320] = [int(v) for v in palette]
    tags[273] = [0]
    after = 8 + 2 + 12 * len(tags) + 4
    size = sum(2 * len(v) for v in tags.values() if len(v) > 2)
    tags[273] = [after + size]
    entries, more = b"", b""
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}H", *values)
        if len(packed) > 4:
            packed, more = struct.pack(order + "I", after + len(more)), more + packed
        entries += struct.pack(order + "HHI", tag, 3, len(values)) + packed.ljust(4, b"\0")
    head = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(order + "IH", 8, len(tags))
    (out / f"{name}.tif").write_bytes(head + entries + b"\0\0\0\0" + more + samples.astype(samples.dtype.newbyteorder(order)).tobytes())


for name, extra in ("missing", ()), ("unspecified", (0,)), ("multiplied", (1,)), ("alone", (2,)), ("corel", (999,)), ("two", (2, 0)), ("multiplied_two", (1, 0)), ("none_of_two", (0, 0)):
    tiff(f"rgb_{name}", 2, pixels(3 + max(len(extra), 1)) if len(extra) < 2 else np.dstack([pixels(4), pixels(1)]), extra)
for name, extra in ("missing", ()), ("unspecified", (0,)), ("multiplied", (1,)), ("alone", (2,)):
    tiff(f"rgb_16_{name}", 2, pixels(4).astype(np.uint16) * 256 + 77, extra, ">" if name == "alone" else "<")
for name, extra in ("unspecified", (0,)), ("alone", (2,)):
    tiff(f"grey_{name}", 1, pixels(2), extra)
    tiff(f"palette_{name}", 3, pixels(2), extra, palette=rng.integers(0, 65536, 768))
rgba.save(out / "masks.bmp")
# Damaged: fewer tiles than the picture has, a checksum behind more data than it takes, lengths beyond the end, an unknown order of planes.
b = bytearray((data / "pictures" / "tiles_rgba.tif").read_bytes())
order = "<" if b[:1] == b"I" else ">"
directory = struct.unpack_from(order + "I", b, 4)[0]
entry = {struct.unpack_from(order + "H", b, directory + 2 + 12 * i)[0]: directory + 2 + 12 * i for i in range(struct.unpack_from(order + "H", b, directory)[0])}
more = bytearray(b)
more[entry[256] + 8:entry[256] + 10] = struct.pack(order + "H", 60)
(out / "tiles_missing.tif").write_bytes(more)
b = bytearray((data / "pictures" / "tiles_deflate_rgb.tif").read_bytes())
order = "<" if b[:1] == b"I" else ">"
directory = struct.unpack_from(order + "I", b, 4)[0]
entry = {struct.unpack_from(order + "H", b, directory + 2 + 12 * i)[0]: directory + 2 + 12 * i for i in range(struct.unpack_from(order + "H", b, directory)[0])}
for name, tag, at, value in ("lengths", 325, 8, struct.pack(order + "I", len(b))), ("planes", 284, 8, struct.pack(order + "H", 116)):
    wrong = bytearray(b)
    wrong[entry[tag] + at:entry[tag] + at + len(value)] = value
    (out / f"wrong_{name}.tif").write_bytes(wrong)
first = struct.unpack_from(order + "I", b, struct.unpack_from(order + "I", b, entry[324] + 8)[0])[0]
length = struct.unpack_from(order + "I", b, struct.unpack_from(order + "I", b, entry[325] + 8)[0])[0]
packed = zlib.compress(zlib.decompress(bytes(b[first:first + length])) + b"more")[:-4] + b"\0\0\0\0"
wrong = bytearray(b) + packed
struct.pack_into(order + "I", wrong, struct.unpack_from(order + "I", b, entry[324] + 8)[0], len(b))
struct.pack_into(order + "I", wrong, struct.unpack_from(order + "I", b, entry[325] + 8)[0], len(packed))
(out / "checksum_behind_more.tif").write_bytes(wrong)


def digest(a):
    return {"height": a.shape[0], "width": a.shape[1], "sha256": hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()}


def white(path):
    im = ImageOps.exif_transpose(Image.open(path))
    if path.name == "grey_16_transparent.png":  # Pillow passes over its transparent colour, and cuts greys off at 255
        wide, key = np.asarray(im), im.info["transparency"]
        grey = np.where(wide == key, 255, wide >> 8).astype(np.uint8)
        return np.dstack([grey] * 3)
    if path.name == "rgb_16_transparent.png":  # Pillow compares the colour's low bytes with the pixels' high ones
        key, wide = im.info["transparency"], raw16(path.read_bytes())
        return np.where((wide == key).all(-1, keepdims=True), 255, wide >> 8).astype(np.uint8)
    if im.mode == "I;16":
        im = Image.fromarray((np.asarray(im) >> 8).astype(np.uint8))
    return convert_to_rgb(im, return_numpy=True)


def raw16(file):
    """The pixels of a PNG file of decode.py's of 16-bit colours, without filters."""
    width, height = struct.unpack(">II", file[16:24])
    at = file.index(b"IDAT")
    raw = zlib.decompress(file[at + 4:at + 4 + struct.unpack(">I", file[at - 4:at])[0]])
    rows = np.frombuffer(raw, np.uint8).reshape(height, -1)[:, 1:]
    return rows.reshape(height, -1).view(">u2").reshape(height, width, 3).astype(int)


golden = {}
for folder in "pictures", "transparent":
    for path in sorted((data / folder).iterdir()):
        record = {}
        try:
            record["white"] = digest(white(path))
            if folder == "transparent":
                record["dropped"] = digest(np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB")))
        except Exception as e:
            record = {"error": str(e).splitlines()[0].split("'")[0][:60]}
        golden[f"{folder}/{path.name}"] = record
(data / "white.json").write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in golden.items()) + "\n}\n")
print(len(golden), "files,", sum("error" in v for v in golden.values()), "refused")
