"""Golden values for enlarging maps in pkg/plots, by torch.

Writes pkg/plots/testdata/upsample.json. Bicubic is torch's antialiased variant, whose
kernel for enlarging is Catmull-Rom's. It differs at the borders, where it renormalises
the weights instead of repeating edge values; the test skips the borders.
Run from the repository root.
"""
import json
import pathlib

import torch
import torch.nn.functional as F

g = torch.Generator().manual_seed(11)
cases = []
for rows, cols, to_rows, to_cols in [(4, 5, 12, 15), (3, 7, 10, 11), (6, 6, 4, 3), (1, 1, 3, 2)]:
    m = torch.rand(rows, cols, generator=g, dtype=torch.float64)
    x = m[None, None]
    case = {"map": m.tolist(), "rows": to_rows, "cols": to_cols,
            "nearest": F.interpolate(x, (to_rows, to_cols), mode="nearest-exact")[0, 0].tolist(),
            "bilinear": F.interpolate(x, (to_rows, to_cols), mode="bilinear", align_corners=False)[0, 0].tolist()}
    if to_rows > rows > 3:
        case["bicubic"] = F.interpolate(x, (to_rows, to_cols), mode="bicubic", antialias=True,
                                        align_corners=False)[0, 0].clamp(m.min(), m.max()).tolist()
    cases.append(case)
path = pathlib.Path("pkg/plots/testdata/upsample.json")
path.write_text(json.dumps(cases) + "\n")
