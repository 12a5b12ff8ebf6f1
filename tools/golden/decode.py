"""Picture files of every format, with the SHA-256 of PIL's pixels.

Writes pkg/data/testdata/ (files and golden.json); the kinds of JPEG are in
internal/jpeg/testdata. The expected pixels are those after exif_transpose and
convert("RGB"), and for 16-bit grey the high byte. Run from the repository root.
"""
import hashlib
import json
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

out = pathlib.Path("pkg/data/testdata")
shutil.rmtree(out / "pictures", ignore_errors=True)
(out / "pictures").mkdir(parents=True)
out = out / "pictures"
rng = np.random.default_rng(11)
H, W = 13, 19
y, x = np.mgrid[0:H, 0:W].astype(np.float64)
rgb = np.stack([127 + 120 * np.sin(x / 3 + y / 5), 255 * (x + y) / (H + W), 127 + 120 * np.cos(x * y / 20)], -1)
rgb = np.clip(rgb + rng.normal(0, 9, rgb.shape), 0, 255).astype(np.uint8)
alpha = np.clip(255 * (x - 3) / (W - 7), 0, 255).astype(np.uint8)
colour, rgba = Image.fromarray(rgb), Image.fromarray(np.dstack([rgb, alpha]))
grey, bilevel = colour.convert("L"), colour.convert("1")
palette = colour.quantize(17)


def save(name, im, **args):
    im.save(out / name, **args)


def png(name, depth, kind, rows, *chunks):
    """A PNG file built by hand, for kinds that PIL doesn't write."""
    def chunk(tag, data):
        return struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
    raw = b"".join(b"\0" + bytes(r) for r in rows)
    (out / name).write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, depth, kind, 0, 0, 0))
        + b"".join(chunk(*c) for c in chunks) + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def deep(*channels):
    return [r.astype(">u2").tobytes() for r in np.dstack(channels)]


# PNG: every pixel format.
for name, im in [("rgb", colour), ("rgba", rgba), ("grey", grey), ("bilevel", bilevel), ("palette", palette),
                 ("grey_alpha", rgba.convert("LA"))]:
    save(f"{name}.png", im)
save("palette_transparent.png", palette, transparency=3)
save("palette_alpha.png", palette, transparency=bytes(range(0, 255, 15)))
save("rgb_transparent.png", colour, transparency=tuple(int(v) for v in rgb[2, 2]))
save("grey_transparent.png", grey, transparency=100)
for bits in 1, 2, 4:
    save(f"palette_{bits}_bits.png", colour.quantize(2 ** bits), bits=bits)
wide = rng.integers(0, 65536, (H, W, 4))
low = np.where(x < 9, rng.integers(0, 300, (H, W)), wide[..., 0])
png("grey_16.png", 16, 0, deep(low))
png("grey_16_transparent.png", 16, 0, deep(low), (b"tRNS", struct.pack(">H", int(low[0, 0]))))
png("rgb_16.png", 16, 2, deep(wide[..., :3]))
png("rgb_16_transparent.png", 16, 2, deep(wide[..., :3]), (b"tRNS", struct.pack(">3H", *map(int, wide[0, 0, :3]))))
png("grey_alpha_16.png", 16, 4, deep(wide[..., :2]))
png("rgba_16.png", 16, 6, deep(wide))
for bits in 2, 4:
    v = rng.integers(0, 2 ** bits, (H, -(-W * bits // 8) * 8 // bits))
    rows = [np.packbits(np.unpackbits(r[:, None].astype(np.uint8), axis=1)[:, -bits:].ravel()).tobytes() for r in v]
    png(f"grey_{bits}_bits.png", bits, 0, rows)
# Indices beyond the palette.
png("palette_short.png", 8, 3, [bytes(r) for r in rng.integers(0, 4, (H, W)).astype(np.uint8)], (b"PLTE", bytes(range(200, 209))))
save("animated.png", colour, save_all=True, append_images=[grey.convert("RGB")])
# Truncated after the pixels, and inside the checksum of the pixels' chunk.
whole = (out / "rgb.png").read_bytes()
(out / "no_end.png").write_bytes(whole[:-12])
(out / "no_checksum.png").write_bytes(whole[:-14])

# GIF: first frame of several, a frame smaller than the screen, transparent, interlaced.
save("palette.gif", palette)
save("grey.gif", grey)
save("transparent.gif", palette, transparency=3)
save("interlaced.gif", palette, interlace=1)
save("animated.gif", palette, save_all=True, append_images=[colour.rotate(90).quantize(9)], duration=50)
for name, source in [("part", "palette"), ("part_transparent", "transparent")]:
    data = bytearray((out / f"{source}.gif").read_bytes())
    data[6:10] = struct.pack("<HH", W + 7, H + 5)
    at = data.index(b"," + struct.pack("<HHHH", 0, 0, W, H))
    data[at + 1:at + 5] = struct.pack("<HH", 3, 2)
    (out / f"{name}.gif").write_bytes(data)
    if name == "part":
        data[6:10] = struct.pack("<HH", 2, 2)
        (out / "beyond.gif").write_bytes(data)

# WebP: lossy (odd sizes), lossless, alpha, animated.
save("lossy.webp", colour, quality=70)
save("lossy_alpha.webp", rgba, quality=80)
save("lossless.webp", colour, lossless=True)
save("lossless_alpha.webp", rgba, lossless=True)
save("grey.webp", grey, quality=90)
for h, w in [(1, 1), (1, 6), (7, 1), (2, 2), (12, 18), (33, 46)]:
    save(f"lossy_{h}x{w}.webp", Image.fromarray(rng.integers(0, 256, (h, w, 3)).astype(np.uint8)).resize((w, h)), quality=40)
save("animated.webp", colour, save_all=True, append_images=[colour.rotate(180)], duration=50, quality=80)
save("animated_alpha.webp", rgba, save_all=True, append_images=[rgba.rotate(180)], duration=50, quality=80)
save("animated_lossless.webp", rgba, save_all=True, append_images=[rgba.rotate(180)], duration=50, lossless=True)

# BMP and TIFF.
for name, im in [("rgb", colour), ("grey", grey), ("palette", palette), ("rgba", rgba), ("bilevel", bilevel)]:
    save(f"{name}.bmp", im)
    save(f"{name}.tiff", im)
for compression in "tiff_lzw", "tiff_adobe_deflate", "packbits":
    save(f"{compression}.tif", colour, compression=compression)
for compression in "group3", "group4":
    save(f"{compression}.tif", bilevel, compression=compression)
    save(f"{compression}_white_is_zero.tif", bilevel, compression=compression, tiffinfo={262: 0})
inks = Image.fromarray(np.dstack([rgb, np.rot90(rgb[..., 1], 2)]), "CMYK")
save("cmyk.tif", inks)
save("cmyk_lzw.tif", inks, compression="tiff_lzw")


def tiff(name, order, tags, pixels):
    """An uncompressed TIFF file built by hand, with one strip at its end."""
    tags = {**tags, 256: W, 257: H, 259: 1, 278: H, 279: len(pixels)}
    start = 8 + 2 + 12 * (len(tags) + 1) + 4
    tags[273] = start
    more, entries = b"", b""
    for tag, value in sorted(tags.items()):
        if isinstance(value, int):
            entries += struct.pack(order + "HHIHH", tag, 3, 1, value, 0) if order == ">" else struct.pack("<HHII", tag, 3, 1, value)
        else:
            entries += struct.pack(order + "HHII", tag, 3, len(value), start + len(pixels) + len(more))
            more += struct.pack(f"{order}{len(value)}H", *value)
    head = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(order + "IH", 8, len(tags))
    (out / name).write_bytes(head + entries + b"\0\0\0\0" + pixels + more)


def tiff_pieces(name, photometric, samples, tile=None, planar=False, compression=1, predictor=False, order="<", extra=(), rows=5):
    """A TIFF file with tiles or strips, built by hand; samples is [height, width, samples] of 8 or 16 bits."""
    h, w, n = samples.shape
    bits = samples.dtype.itemsize * 8
    tw, th = tile or (w, rows)
    planes = [samples[..., i:i + 1] for i in range(n)] if planar else [samples]
    pieces = []
    for plane in planes:
        for top in range(0, h, th):
            for left in range(0, w, tw):
                part = plane[top:top + th, left:left + tw]
                if tile:  # the part of a tile outside the picture isn't zero
                    part = np.pad(part, ((0, th - part.shape[0]), (0, tw - part.shape[1]), (0, 0)), constant_values=99)
                if predictor:
                    part = np.concatenate([part[:, :1], part[:, 1:] - part[:, :-1]], 1)
                raw = part.astype(part.dtype.newbyteorder(order)).tobytes()
                pieces.append(zlib.compress(raw) if compression == 8 else raw)
    data, offsets = b"", []
    for piece in pieces:
        offsets.append(8 + len(data))
        data += piece + b"\0" * (len(piece) % 2)
    tags = {256: (3, [w]), 257: (3, [h]), 258: (3, [bits] * n), 259: (3, [compression]), 262: (3, [photometric]), 277: (3, [n]),
            284: (3, [2 if planar else 1])}
    if tile:
        tags |= {322: (3, [tw]), 323: (3, [th]), 324: (4, offsets), 325: (4, [len(p) for p in pieces])}
    else:
        tags |= {278: (3, [th]), 273: (4, offsets), 279: (4, [len(p) for p in pieces])}
    if predictor:
        tags[317] = (3, [2])
    if extra:
        tags[338] = (3, list(extra))
    entries, more = b"", b""
    after = 8 + len(data) + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, more = struct.pack(order + "I", after + len(more)), more + packed
        entries += struct.pack(order + "HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(order + "I", 8 + len(data))
    (out / name).write_bytes(head + data + struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0" + more)


deep_inks = np.asarray(inks).astype(np.uint16) * 256 + 77
for name, order in ("cmyk_16.tif", "<"), ("cmyk_16_big_endian.tif", ">"):
    tiff(name, order, {258: (16,) * 4, 262: 5, 277: 4, 284: 1}, deep_inks.astype(order + "u2").tobytes())
# Strips and tiles of every kind.
inks8, grey8 = np.asarray(inks), rgb[..., :1]
for kind, photometric, a, extra in [
    ("grey", 1, grey8, ()), ("inverted", 0, grey8, ()), ("rgb", 2, rgb, ()), ("rgba", 2, np.dstack([rgb, alpha]), (2,)),
    ("premultiplied", 2, np.dstack([rgb, alpha]), (1,)), ("cmyk", 5, inks8, ()),
]:
    tiff_pieces(f"tiles_{kind}.tif", photometric, a, (16, 16), extra=extra)
    tiff_pieces(f"tiles_deflate_{kind}.tif", photometric, a, (16, 16), compression=8, predictor=True, extra=extra, order=">")
    if a.shape[2] > 1 and kind != "premultiplied":  # PIL refuses planes of premultiplied colours
        tiff_pieces(f"planes_{kind}.tif", photometric, a, planar=True, extra=extra)
        tiff_pieces(f"planes_tiles_{kind}.tif", photometric, a, (16, 16), planar=True, compression=8, predictor=True, extra=extra)
    if a.shape[2] > 1:
        tiff_pieces(f"tiles_16_{kind}.tif", photometric, a.astype(np.uint16) * 256 + 77, (16, 16), compression=8, predictor=True, extra=extra, order=">")
tiff_pieces("cmyk_extra.tif", 5, np.dstack([inks8, alpha]), extra=(0,))
tiff_pieces("grey_alpha.tif", 1, np.dstack([grey8, alpha]), extra=(2,))
for mode in "L", "RGB", "YCbCr", "CMYK":
    colour.convert(mode).save(out / f"jpeg_{mode.lower()}.tif", compression="jpeg", quality=80)
palette.save(out / "palette_lzw.tif", compression="tiff_lzw")
save("grey_16.tif", Image.fromarray(low.astype(np.uint16)))
save("pages.tif", colour, save_all=True, append_images=[grey])

# All orientations, in every place where a file can store them.
exif = Image.Exif()
for o in range(1, 9):
    exif[0x0112] = o
    save(f"orientation_{o}.jpg", colour, exif=exif, quality=90)
exif[0x0112] = 6
save("orientation.png", rgba, exif=exif)
save("orientation.webp", colour, exif=exif, lossless=True)
save("orientation.tif", colour, tiffinfo={0x0112: 5})
big = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"
save("orientation_big_endian.jpg", colour, exif=big)
exif[0x0112] = 9
save("orientation_9.jpg", colour, exif=exif)
xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description tiff:Orientation="8"/></rdf:RDF></x:xmpmeta>'
save("orientation_xmp.jpg", colour, xmp=xmp)
save("orientation_xmp.webp", colour, xmp=xmp, lossless=True)
text = PngImagePlugin.PngInfo()
text.add_itxt("XML:com.adobe.xmp", xmp.decode().replace('="8"/>', '>3<'))
save("orientation_xmp.png", colour, pnginfo=text)
save("grey.jpg", grey)
save("cmyk.jpg", colour.convert("CMYK"))
save("named_wrong.png", colour, format="JPEG")


def record(path):
    im = ImageOps.exif_transpose(Image.open(path))
    if im.mode == "I;16":  # convert would clip at 255; Gaze keeps the high byte instead
        im = Image.fromarray((np.asarray(im) >> 8).astype(np.uint8))
    a = np.asarray(im.convert("RGB"))
    return {"height": a.shape[0], "width": a.shape[1], "sha256": hashlib.sha256(a.tobytes()).hexdigest()}


golden = {p.name: record(p) for p in sorted(out.iterdir())}
shared = pathlib.Path("../shared/data")
for ext in "jpg", "png":
    for p in sorted(shared.rglob(f"*.{ext}")):
        golden["shared:" + p.relative_to(shared).as_posix()] = record(p)
(out.parent / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
