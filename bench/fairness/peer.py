"""Fairlearn's MetricFrame over the rows of three binary files, with as many bootstrap replicates as asked."""

import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import fairlearn
import numpy as np
from fairlearn import metrics as fl
from sklearn.metrics import accuracy_score, precision_score

folder, replicates, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
codes = np.fromfile(f"{folder}/codes.bin", dtype=np.int32)
selected = np.fromfile(f"{folder}/selected.bin", dtype=np.uint8).astype(np.int64)
labels = np.fromfile(f"{folder}/labels.bin", dtype=np.uint8).astype(np.int64)
metrics = {
    "selectionRate": fl.selection_rate,
    "truePositiveRate": fl.true_positive_rate,
    "falsePositiveRate": fl.false_positive_rate,
    "precision": precision_score,
    "accuracy": accuracy_score,
}


def report(count):
    started, cpu = time.perf_counter(), time.process_time()
    more = {"n_boot": count, "ci_quantiles": [0.025, 0.975], "random_state": seed} if count else {}
    frame = fl.MetricFrame(metrics=metrics, y_true=labels, y_pred=selected, sensitive_features=codes, **more)
    difference, ratio = frame.difference(), frame.ratio()
    intervals = [frame.by_group_ci, frame.difference_ci(), frame.ratio_ci()] if count else None
    seconds = {"wall": time.perf_counter() - started, "cpu": time.process_time() - cpu}
    low_high = [intervals[1][0].to_dict(), intervals[1][1].to_dict()] if count else None
    return seconds, difference.to_dict(), ratio.to_dict(), low_high


plain, difference, ratio, _ = report(0)
booted, _, _, interval = report(replicates)
print(json.dumps({
    "version": fairlearn.__version__,
    "plain": plain,
    "bootstrap": booted,
    "replicates": replicates,
    "difference": difference,
    "ratio": ratio,
    "differenceInterval": interval,
}))
