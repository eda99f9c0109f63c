"""What other libraries say of the samples that come in as JSON; one JSON document on standard output."""

import json
import math
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def scipy_says(asked):
    from scipy import stats
    from scipy.spatial import distance

    a, b = np.array(asked["reference"]), np.array(asked["current"])
    small = [np.array(asked["small"][0]), np.array(asked["small"][1])]
    before, now = np.array(asked["counts"][0], float), np.array(asked["counts"][1], float)
    exact = stats.ks_2samp(*small, method="exact")
    large = stats.ks_2samp(a, b, method="asymp")
    table = stats.chi2_contingency(np.array([before, now]), correction=False)
    return {
        "ksExact": [exact.statistic, exact.pvalue],
        "ks": [large.statistic, large.pvalue],
        "wasserstein": stats.wasserstein_distance(a, b),
        "jensenShannon": [distance.jensenshannon(before, now), distance.jensenshannon(before, now, base=2)],
        "chiSquare": [table.statistic, table.pvalue],
        "chiSquareQuantile": stats.chi2.ppf(0.95, 9),
    }


def evidently_says(asked):
    import pandas as pd
    from evidently.legacy.calculations.stattests import registry

    a, b = pd.Series(asked["reference"]), pd.Series(asked["current"])
    kind = registry.ColumnType.Numerical
    answers = {}
    for name in ("wasserstein", "psi", "jensenshannon", "hellinger", "ks"):
        test = registry.get_stattest(a, b, kind, name)
        answers[name] = float(test.func(a, b, kind, 0.1)[0])
    # The edges that it takes, from both samples together, so that its numbers can be followed.
    edges = np.histogram_bin_edges(pd.concat([a, b], axis=0).values, bins="sturges")
    answers["edges"] = list(map(float, edges))
    answers["deviation"] = float(np.std(a))
    return answers


def river_says(asked):
    from river import drift

    def alarms(detector, values):
        found = []
        for place, value in enumerate(values):
            detector.update(value)
            if detector.drift_detected:
                found.append(place)
        return found

    values, errors = asked["stream"], asked["errors"]
    adwin = drift.ADWIN()
    says = {
        "adwin": alarms(adwin, values),
        "window": [adwin.width, adwin.estimation, adwin.variance],
        "pageHinkley": alarms(drift.PageHinkley(threshold=20, alpha=1.0), values),
    }
    detector, warned = drift.binary.DDM(), []
    drifted = []
    for place, error in enumerate(errors):
        detector.update(error)
        if detector.warning_detected:
            warned.append(place)
        if detector.drift_detected:
            drifted.append(place)
    return {**says, "ddm": drifted, "ddmWarnings": warned}


def sklearn_says(asked):
    """Calibration and CBPE by the formulas of the literature, on scikit-learn's isotonic regression."""
    from sklearn.isotonic import IsotonicRegression

    model = IsotonicRegression(out_of_bounds="clip", increasing=True)
    model.fit(np.array(asked["scores"]), np.array(asked["labels"]))
    p = model.predict(np.array(asked["newScores"]))
    chosen = np.array(asked["newScores"]) >= 0.5
    tp, fp = p[chosen].sum(), (1 - p[chosen]).sum()
    fn, tn = p[~chosen].sum(), (1 - p[~chosen]).sum()
    return {
        "calibrated": list(map(float, p)),
        "cells": [float(tp), float(fp), float(fn), float(tn)],
        "f1": float(2 * tp / (2 * tp + fp + fn)),
    }


def nannyml_says(asked):
    from nannyml.drift.univariate.methods import CategoricalJensenShannonDistance
    from nannyml.performance_estimation.confidence_based import metrics
    from nannyml.thresholds import ConstantThreshold
    import pandas as pd

    scores = np.array(asked["newScores"])
    p = np.array(sklearn_says(asked)["calibrated"])
    chosen = (scores >= 0.5).astype(int)
    one, other = (pd.Series(names) for names in asked["names"])
    method = CategoricalJensenShannonDistance(
        chunker=None, threshold=ConstantThreshold(upper=0.1)
    )
    method._fit(one)
    return {
        "jensenShannon": float(method._calculate(other)),
        "accuracy": float(metrics.estimate_accuracy(chosen, p)),
        "precision": float(metrics.estimate_precision(chosen, p)),
        "recall": float(metrics.estimate_recall(chosen, p)),
        "f1": float(metrics.estimate_f1(chosen, p)),
        "rocAuc": float(metrics.estimate_roc_auc(p, scores)),
    }


asked = json.load(sys.stdin)
parts = {
    "scipy": scipy_says,
    "evidently": evidently_says,
    "river": river_says,
    "sklearn": sklearn_says,
    "nannyml": nannyml_says,
}
def finite(value):
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(one) for one in value]
    if isinstance(value, (np.floating, np.integer)):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


print(json.dumps(finite(parts[asked["part"]](asked))))
