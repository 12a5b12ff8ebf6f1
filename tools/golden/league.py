"""The league's statistics, by scipy, statsmodels and scikit-posthocs.

Writes pkg/evaluate/maps/league/testdata/statistics.json: ranks, Friedman's and
Wilcoxon's tests, Holm's correction, p-values of all pairs, Kendall's tau, cliques,
and the intervals of a bootstrap whose weights are given.
"""
import json
from pathlib import Path

import numpy as np
import pandas as pd
import scikit_posthocs
from scipy import stats
from statsmodels.stats.multitest import multipletests

OUT = Path(__file__).resolve().parents[2] / "pkg/evaluate/maps/league/testdata/statistics.json"
rng = np.random.default_rng(18)


def numbers(x):
    return [float(f"{v:.12g}") for v in np.asarray(x, float).ravel()]


def table(rows, cols, levels, shift):
    """Scores with ties (a few levels) and entrants that are better by steps of shift."""
    x = rng.normal(size=(rows, cols)) + shift * np.arange(cols)
    return np.round(x * levels) / levels if levels else x


cases = []
for rows, cols, levels, shift in [(30, 4, 0, 0.3), (60, 5, 2, 0.2), (12, 3, 1, 0.0), (200, 8, 4, 0.1), (9, 6, 0, 1.0), (40, 4, 1, 0.0)]:
    x = table(rows, cols, levels, shift)
    if rows == 40:
        x[:, 1] = x[:, 0]  # no difference at all
    ranks = stats.rankdata(-x, axis=1)
    f = stats.friedmanchisquare(*x.T)
    pairs, signed = [], []
    for i in range(cols):
        for j in range(i + 1, cols):
            d = x[:, i] - x[:, j]
            if not d.any():
                pairs.append(1.0)
                signed.append([0.0, 1.0, 0.0])
                continue
            w = stats.wilcoxon(d, zero_method="pratt", correction=False, method="asymptotic")
            r = stats.rankdata(np.abs(d))
            plus, minus = r[d > 0].sum(), r[d < 0].sum()
            z = abs(stats.norm.ppf(w.pvalue / 2)) * np.sign(plus - minus) if w.pvalue > 1e-300 else None
            pairs.append(w.pvalue)
            signed.append([plus, minus, w.pvalue, z, (plus - minus) / (plus + minus)])
    holm = multipletests(pairs, method="holm")[1]
    matrix = np.ones((cols, cols))
    matrix[np.triu_indices(cols, 1)] = holm
    matrix = np.minimum(matrix, matrix.T)
    if rows != 40:  # scikit-posthocs makes NaN of pairs that never differ
        frame = pd.DataFrame(x)
        long = frame.melt(var_name="g", value_name="v")
        theirs = scikit_posthocs.posthoc_wilcoxon(long, val_col="v", group_col="g", zero_method="pratt", correction=False,
                                                  p_adjust="holm", method="asymptotic").to_numpy()
        assert np.allclose(theirs[np.triu_indices(cols, 1)], holm, rtol=1e-9), (theirs, holm)
    cases.append({"rows": rows, "cols": cols, "values": numbers(x), "ranks": numbers(ranks), "friedman": numbers([f.statistic, f.pvalue]),
                  "signed": [numbers([v for v in s if v is not None]) for s in signed], "p": numbers(pairs), "holm": numbers(holm),
                  "tau": numbers([np.nan_to_num(stats.kendalltau(x[0], r).statistic, nan=9) for r in x[1:]]),
                  "tails": [numbers([k, v, stats.chi2.sf(v, k)]) for k, v in [(cols, 0.3), (cols, 7.5), (2 * cols, 90.0), (35, 20.0), (35, 300.0)]]})

# Intervals: values [models][pictures][entrants], the pictures that count in each model, and
# weights of models and of pictures for each resample.
models, pictures, entrants, resamples = 3, 25, 3, 40
values = rng.normal(size=(models, pictures, entrants)) + np.arange(entrants)
counts = rng.random((models, pictures)) < 0.85
wm = rng.multinomial(models, [1 / models] * models, size=resamples)
wp = rng.multinomial(pictures, [1 / pictures] * pictures, size=resamples)
means = np.zeros((resamples, entrants))
for b in range(resamples):
    each = np.array([(wp[b] * counts[m]) @ values[m] / (wp[b] * counts[m]).sum() for m in range(models)])
    means[b] = wm[b] @ each / models
bootstrap = {"models": models, "pictures": pictures, "entrants": entrants, "values": numbers(values), "counts": [int(v) for v in counts.ravel()],
             "model_weights": wm.tolist(), "picture_weights": wp.tolist(), "means": numbers(means),
             "intervals": [numbers(np.quantile(means[:, k], [0.025, 0.975])) for k in range(entrants)],
             "differences": [numbers(np.quantile(means[:, k] - means[:, 0], [0.025, 0.975])) for k in range(entrants)]}

OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(json.dumps({"cases": cases, "bootstrap": bootstrap}, separators=(",", ":")) + "\n")
print(OUT, OUT.stat().st_size)
