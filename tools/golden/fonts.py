"""The fonts for the text in pkg/plots: Arimo Regular and Bold; Latin, Greek and Cyrillic.

Joins the parts of the npm package @fontsource/arimo 5.3.0 (SIL Open Font
License 1.1, no reserved font name) into two TrueType files without hinting.
Run from the repository root with the unpacked package's folder as argument:
    npm pack @fontsource/arimo@5.3.0 && tar xzf fontsource-arimo-5.3.0.tgz
    python tools/golden/fonts.py package
"""
import pathlib
import shutil
import sys
import tempfile

from fontTools import merge, subset
from fontTools.ttLib import TTFont

PARTS = ["latin", "latin-ext", "greek", "cyrillic", "vietnamese"]

source = pathlib.Path(sys.argv[1])
target = pathlib.Path("pkg/plots/fonts")
target.mkdir(exist_ok=True)
for weight, name in [(400, "Arimo-Regular"), (700, "Arimo-Bold")]:
    with tempfile.TemporaryDirectory() as tmp:
        paths, seen = [], set()
        for part in PARTS:
            font = TTFont(source / "files" / f"arimo-{part}-{weight}-normal.woff")
            font.flavor = None
            options = subset.Options(hinting=False, layout_features=["kern"], notdef_outline=True,
                                     glyph_names=False, name_IDs=[0, 1, 2, 3, 4, 5, 6, 13, 14])
            sub = subset.Subsetter(options)
            sub.populate(unicodes=set(font.getBestCmap()) - seen)
            seen |= set(font.getBestCmap())
            sub.subset(font)
            paths.append(f"{tmp}/{part}.ttf")
            font.save(paths[-1])
        joined = merge.Merger().merge(paths)
        joined.recalcTimestamp = False
        joined["head"].modified = joined["head"].created
        joined.save(target / f"{name}.ttf")
        print(name, len(seen), "characters", (target / f"{name}.ttf").stat().st_size, "bytes")
shutil.copy(source / "LICENSE", target / "OFL.txt")
