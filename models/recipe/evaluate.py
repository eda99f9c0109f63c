"""Vote, calibration, metrics with 95 % intervals, out-of-distribution score, exact Shapley values by enumeration."""

from itertools import product
from math import factorial

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

CLIP = 1e-6
Z = 1.959963984540054
BOOTSTRAP = 1000
ECE_BINS = 15


def vote(members, weights):
    return sum(weights[name] * members[name] for name in members)


def calibrate(p, calibration):
    return expit(calibration["a"] * logit(np.clip(p, CLIP, 1 - CLIP)) + calibration["b"])


def fit_platt(p, y):
    x = logit(np.clip(p, CLIP, 1 - CLIP))

    def loss(ab):
        s = ab[0] * x + ab[1]
        return np.mean(np.logaddexp(0, s) - y * s)

    found = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    return {"method": "platt-logit", "a": round(float(found.x[0]), 6), "b": round(float(found.x[1]), 6), "clip": CLIP}


def fit_vote(members, y, floor, tolerance, steps=20):
    """The weights k/steps, none below the floor, and their calibration: the most even ones among those whose log loss
    after calibration is within the tolerance of the smallest. Near the optimum the loss is flat, and evenness is a
    better reason to choose than noise."""
    names = list(members)
    candidates = []
    for counts in product(range(round(floor * steps), steps + 1), repeat=len(names)):
        if sum(counts) == steps:
            weights = {name: k / steps for name, k in zip(names, counts)}
            voted = vote(members, weights)
            calibration = fit_platt(voted, y)
            loss = log_loss(calibrate(voted, calibration), y)
            candidates.append((sum(k * k for k in counts), loss, weights, calibration))
    limit = min(loss for _, loss, _, _ in candidates) + tolerance
    chosen = min((c for c in candidates if c[1] <= limit), key=lambda c: c[:2])
    return chosen[2], chosen[3]


def log_loss(p, y):
    p = np.clip(p, CLIP, 1 - CLIP)
    return float(-np.mean(np.where(y == 1, np.log(p), np.log1p(-p))))


def auc(p, y):
    """Mann-Whitney with ties counted half."""
    values, inverse, counts = np.unique(p, return_inverse=True, return_counts=True)
    rank = np.cumsum(counts) - (counts - 1) / 2
    positives = int(y.sum())
    return float((rank[inverse][y == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(y) - positives)))


def brier(p, y):
    return float(np.mean((p - y) ** 2))


def ece(p, y):
    """Mean |observed - predicted| over bins of equal width, weighted by rows."""
    bins = np.minimum((p * ECE_BINS).astype(int), ECE_BINS - 1)
    return float(np.abs(np.bincount(bins, weights=p - y, minlength=ECE_BINS)).sum() / len(y))


def wilson(successes, n):
    share, z2 = successes / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return middle - half, middle + half


BOOTSTRAPPED = {"auc": auc, "brier": brier, "logLoss": log_loss, "ece": ece}


def score(p, y, seed):
    """All metrics of one column of probabilities, with intervals; the class is p >= 0.5."""
    hits = int(((p >= 0.5) == (y == 1)).sum())
    result = {"n": len(y), "accuracy": interval(hits / len(y), *wilson(hits, len(y)))}
    rng = np.random.default_rng(seed)
    drawn = {name: np.empty(BOOTSTRAP) for name in BOOTSTRAPPED}
    for b in range(BOOTSTRAP):
        rows = rng.integers(0, len(y), len(y))
        for name, metric in BOOTSTRAPPED.items():
            drawn[name][b] = metric(p[rows], y[rows])
    for name, metric in BOOTSTRAPPED.items():
        value = metric(p, y)
        # Resampling always raises the ECE, so its draws are centred on the value.
        shift = value - drawn[name].mean() if name == "ece" else 0
        low, high = np.percentile(drawn[name] + shift, [2.5, 97.5])
        result[name] = interval(value, max(low, 0), high)
    return result


def interval(value, low, high):
    return {"value": round(float(value), 6), "low": round(float(low), 6), "high": round(float(high), 6)}


def confusion(p, y):
    positive = p >= 0.5
    return {"truePositives": int((positive & (y == 1)).sum()), "falsePositives": int((positive & (y == 0)).sum()),
            "trueNegatives": int((~positive & (y == 0)).sum()), "falseNegatives": int((~positive & (y == 1)).sum())}


# Quantiles close to 0 and 1 are there so that rare values count as rare.
LEVELS = [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999, 1.0]


def edges_of(values):
    """Upper edges of the bins; a value shared by more than half of the rows is a bin of its own."""
    kinds, counts = np.unique(values, return_counts=True)
    common = kinds[counts > len(values) / 2]
    rest = values[~np.isin(values, common)]
    edges = np.concatenate([common, np.quantile(rest, LEVELS, method="inverted_cdf")])
    return sorted({float(e) for e in edges})


def frequencies(bins, size):
    counts = np.bincount(bins, minlength=size)
    return [round(float(f), 9) for f in (counts + 0.5) / (len(bins) + size / 2)]


def bin_of(table, spec):
    values = table[spec["name"]]
    if spec["kind"] == "numeric":
        return np.searchsorted(spec["edges"], values.to_numpy(dtype=float), side="left")
    place = {c: i for i, c in enumerate(spec["categories"])}
    return np.array([place[v] for v in values])


def surprise(table, specs):
    return sum(-np.log(np.array(s["frequencies"])[bin_of(table, s)]) for s in specs)


def fit_out_of_distribution(train, inputs, percentile=99.5):
    specs, ranges = [], []
    for source in inputs:
        spec = {"name": source["name"], "kind": source["kind"]}
        if source["kind"] == "numeric":
            values = train[source["name"]].to_numpy(dtype=float)
            spec["edges"] = edges_of(values)
            size = len(spec["edges"]) + 1
            ranges.append({"name": source["name"], "min": float(values.min()), "max": float(values.max())})
        else:
            spec["categories"] = source["categories"]
            size = len(spec["categories"])
        spec["frequencies"] = frequencies(bin_of(train, spec), size)
        specs.append(spec)
    threshold = float(np.percentile(surprise(train, specs), percentile))
    return {
        "method": "binned-surprise",
        "description": "score = sum over inputs of -ln(frequency of the bin). A number x falls into bin k when exactly k "
                       "edges are smaller than x. Refer when the score exceeds the threshold or a number leaves its range.",
        "smoothing": "(count + 0.5) / (rows + bins / 2)", "rows": len(train), "percentile": percentile,
        "threshold": round(threshold, 6), "inputs": specs, "ranges": ranges,
    }


def shapley(predict, row, background, inputs):
    """Exact interventional Shapley values of `predict` over the inputs, by enumeration of all coalitions."""
    m = len(inputs)
    value = np.empty(1 << m)
    blocks = []
    for mask in range(1 << m):
        mixed = background.copy()
        for j, spec in enumerate(inputs):
            if mask >> j & 1:
                start, length = spec["columns"]
                mixed[:, start:start + length] = row[start:start + length]
        blocks.append(mixed)
    value = predict(np.vstack(blocks)).reshape(1 << m, len(background)).mean(axis=1)
    phi = np.zeros(m)
    for j in range(m):
        for mask in range(1 << m):
            if not mask >> j & 1:
                size = mask.bit_count()
                phi[j] += factorial(size) * factorial(m - 1 - size) / factorial(m) * (value[mask | 1 << j] - value[mask])
    return float(value[0]), phi
