"""Numbers of fairlearn, aif360, aequitas, scikit-learn and scipy for the rows that come as JSON on standard input."""

import json
import logging
import sys
import warnings
from unittest.mock import MagicMock

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)

import numpy as np
import pandas as pd
from aif360.sklearn import metrics as aif
from aif360.sklearn.preprocessing import Reweighing
from fairlearn import metrics as fl
from fairlearn.postprocessing import ThresholdOptimizer
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, brier_score_loss, precision_score, roc_auc_score


def plain(value):
    """Numbers that JSON knows; what is not a number is null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    number = float(value)
    return number if np.isfinite(number) else None


RATES = {
    "selectionRate": fl.selection_rate,
    "truePositiveRate": fl.true_positive_rate,
    "falsePositiveRate": fl.false_positive_rate,
    "trueNegativeRate": fl.true_negative_rate,
    "falseNegativeRate": fl.false_negative_rate,
    "accuracy": accuracy_score,
    "precision": precision_score,
}


def frame(y, selected, sensitive, **more):
    return fl.MetricFrame(metrics=RATES, y_true=y, y_pred=selected, sensitive_features=sensitive, **more)


def spread(one):
    return {
        "groups": {str(key): row.to_dict() for key, row in one.by_group.iterrows()},
        "overall": one.overall.to_dict(),
        "difference": one.difference(method="between_groups").to_dict(),
        "ratio": one.ratio(method="between_groups").to_dict(),
        "differenceToOverall": one.difference(method="to_overall").to_dict(),
        "ratioToOverall": one.ratio(method="to_overall").to_dict(),
    }


def fairlearn(y, selected, sex, race, weights):
    both = [f"{a} & {b}" for a, b in zip(sex, race)]
    odds = {
        f"{kind}_{agg}": getattr(fl, f"equalized_odds_{kind}")(y, selected, sensitive_features=race, agg=agg)
        for kind in ["difference", "ratio"]
        for agg in ["worst_case", "mean"]
    }
    weighted = fl.MetricFrame(
        metrics=fl.selection_rate, y_true=y, y_pred=selected, sensitive_features=race,
        sample_params={"sample_weight": weights},
    )
    weighted_tpr = fl.MetricFrame(
        metrics=fl.true_positive_rate, y_true=y, y_pred=selected, sensitive_features=race,
        sample_params={"sample_weight": weights},
    )
    within = frame(y, selected, sex, control_features=race)
    return {
        "race": spread(frame(y, selected, race)),
        "both": spread(frame(y, selected, both)),
        "odds": odds,
        "parity": fl.demographic_parity_difference(y, selected, sensitive_features=race),
        "weightedSelection": weighted.by_group.to_dict(),
        "weightedTruePositiveRate": weighted_tpr.by_group.to_dict(),
        "withinRace": {key: row.to_dict() for key, row in within.difference().iterrows()},
        "noPositives": float(fl.true_positive_rate([0, 0, 0], [0, 1, 0])),
    }


def aif360(y, selected, sex, race, features):
    index = pd.Index(sex, name="sex")
    truth, predicted = pd.Series(y, index=index), pd.Series(selected, index=index)
    by_race = pd.Index(race, name="race")
    about = {"prot_attr": "sex", "priv_group": "Male"}
    pair = {
        name: getattr(aif, name)(truth, predicted, **about)
        for name in [
            "statistical_parity_difference", "disparate_impact_ratio", "equal_opportunity_difference",
            "average_odds_difference", "average_odds_error", "average_predictive_value_difference",
        ]
    }
    rates = {
        name: [aif.difference(metric, truth, predicted, **about), aif.ratio(metric, truth, predicted, **about)]
        for name, metric in {
            "falsePositiveRate": aif.false_positive_rate_error, "falseNegativeRate": aif.false_negative_rate_error,
            "falseOmissionRate": aif.false_omission_rate_error, "precision": precision_score,
            "prevalence": lambda y, p, **_: aif.base_rate(y),
        }.items()
    }
    table = pd.DataFrame(features)
    _, weights = Reweighing(prot_attr="sex").fit_transform(pd.DataFrame({"x": y}, index=index), truth)
    return {
        "pair": pair,
        "rates": rates,
        "entropy": {str(a): aif.generalized_entropy_error(truth, predicted, alpha=a) for a in [2, 1, 0.5, 3]},
        "entropyZero": aif.generalized_entropy_index(np.asarray([1.0, 2.0, 1.0, 3.0]), 0),
        "between": aif.between_group_generalized_entropy_error(
            pd.Series(y, index=by_race), pd.Series(selected, index=by_race), prot_attr="race"),
        "variation": aif.coefficient_of_variation(np.asarray(selected) - np.asarray(y) + 1.0),
        "consistency": aif.consistency_score(table, pd.Series(selected[: len(table)])),
        "differential": aif.smoothed_edf(
            pd.Series(y, index=by_race), pd.Series(selected, index=by_race), prot_attr="race", concentration=1.0),
        "reweighing": {
            f"{a} {int(b)}": weights[(np.asarray(sex) == a) & (np.asarray(y) == b)][0]
            for a in ["Female", "Male"] for b in [0, 1]
        },
    }


def aequitas(y, selected, race):
    # Only its tables are wanted; what it draws with is not installed.
    for drawing in ["seaborn", "altair", "aequitas.plotting", "aequitas.plot"]:
        sys.modules.setdefault(drawing, MagicMock())
    from aequitas.bias import Bias
    from aequitas.group import Group

    rows = pd.DataFrame({"score": selected, "label_value": y, "race": race})
    rows["race"] = rows["race"].astype(object)
    table, _ = Group().get_crosstabs(rows, attr_cols=["race"])
    bias = Bias().get_disparity_major_group(table, original_df=rows)
    columns = ["ppr", "pprev", "precision", "fdr", "for", "fpr", "fnr", "tpr", "tnr", "npv"]
    return {
        row["attribute_value"]: {
            column: [row[column], row.get(f"{column}_disparity", np.nan)] for column in columns
        }
        for row in bias.to_dict("records")
    }


def scipy(tables, first, second, p_values):
    def about(table):
        (a, n), (b, m) = table
        grid = [[a, n - a], [b, m - b]]
        risk = stats.contingency.relative_risk(a, n, b, m) if a and b else None
        return {
            "wilson": list(stats.binomtest(a, n).proportion_ci(0.95, "wilson")),
            "fisher": stats.fisher_exact(grid)[1],
            "chi2": list(stats.chi2_contingency(grid, correction=False)[:2]),
            "katz": [risk.relative_risk, *risk.confidence_interval(0.95)] if risk else [],
        }

    return {
        "tables": [about(table) for table in tables],
        "ks": stats.ks_2samp(first, second).statistic,
        "wasserstein": stats.wasserstein_distance(first, second),
        "kolmogorov": {str(x): stats.kstwobign.sf(x) for x in [0.3, 0.6, 1.0, 1.36, 2.5]},
        "bh": list(stats.false_discovery_control(p_values)),
    }


class Given(BaseEstimator, ClassifierMixin):
    """An estimator whose score is the only feature."""

    def fit(self, X, y):
        self.classes_ = np.array([0, 1])
        return self

    def predict_proba(self, X):
        p = np.asarray(X).reshape(-1)
        return np.column_stack([1 - p, p])


def mitigation(y, probabilities, sex):
    X, y = np.asarray(probabilities).reshape(-1, 1), np.asarray(y)
    answers = {}
    names = {
        "selectionRate": "demographic_parity", "truePositiveRate": "true_positive_rate_parity",
        "falsePositiveRate": "false_positive_rate_parity", "equalizedOdds": "equalized_odds",
    }
    for name, constraint in names.items():
        optimizer = ThresholdOptimizer(
            estimator=Given().fit(X, y), constraints=constraint, prefit=True, predict_method="predict_proba")
        optimizer.fit(X, y, sensitive_features=sex)
        chance = optimizer._pmf_predict(X, sensitive_features=sex)[:, 1]
        answers[name] = np.mean(np.where(y == 1, chance, 1 - chance))
    return answers


def scores(y, probabilities):
    p = np.asarray(probabilities)
    logit = np.log(p / (1 - p)).reshape(-1, 1)
    line = LogisticRegression(C=np.inf, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(logit, y)
    step = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    return {
        "auc": roc_auc_score(y, p), "brier": brier_score_loss(y, p),
        "slope": line.coef_[0][0], "intercept": line.intercept_[0], "isotonic": list(step.predict(p[:200])),
    }


asked = json.load(sys.stdin)
labels, chosen, sexes, races = asked["labels"], asked["selected"], asked["sex"], asked["race"]
print(json.dumps(plain({
    "fairlearn": fairlearn(labels, chosen, sexes, races, asked["weights"]),
    "aif360": aif360(labels, chosen, sexes, races, asked["features"]),
    "aequitas": aequitas(labels, chosen, races),
    "scipy": scipy(asked["tables"], asked["first"], asked["second"], asked["pValues"]),
    "mitigation": mitigation(labels, asked["probabilities"], sexes),
    "scores": scores(labels, asked["probabilities"]),
})))
