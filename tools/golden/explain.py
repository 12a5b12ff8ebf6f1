"""Golden values for pkg/explain: cosine similarity by torch, entropy by scipy.

Writes pkg/explain/testdata/golden.json. Run from the repository root.
"""
import json
import pathlib

import numpy as np
import scipy.stats
import torch

rng = np.random.default_rng(7)
rows, cols, dim = 3, 4, 6
emb = rng.standard_normal((rows * cols, dim)).astype(np.float32)
t = torch.from_numpy(emb).double()
sim = torch.nn.functional.cosine_similarity(t[:, None], t[None], dim=-1)

heads, prefix = 3, 2
tokens = prefix + rows * cols
logits = torch.from_numpy(rng.standard_normal((heads, tokens, tokens)).astype(np.float32) * 2)
probs = torch.softmax(logits, -1)
cls = probs[:, 0, prefix:]

out = {
    "rows": rows, "cols": cols, "dim": dim, "heads": heads, "prefix": prefix,
    "embeddings": emb.ravel().tolist(),
    "similarity": sim.ravel().tolist(),
    "probabilities": probs.ravel().tolist(),
    "mean": cls.double().mean(0).tolist(),
    "max": cls.max(0).values.tolist(),
    "on_patches": cls.double().sum(-1).tolist(),
    "entropy_bits": scipy.stats.entropy(cls.double().numpy(), base=2, axis=-1).tolist(),
}
path = pathlib.Path("pkg/explain/testdata/golden.json")
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps(out) + "\n")
