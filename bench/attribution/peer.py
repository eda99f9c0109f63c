"""The peer of the benchmark: trains the models on Adult, exports them, and times the shap package's C code on them.

    python peer.py prepare DATA OUT           DATA is models/data; writes NAME.onnx, rows.bin, background.bin, about.json
    python peer.py time OUT NAME KIND ROWS    prints one line of JSON; KIND is interventional or path-dependent

Sex, race, marital status, relationship and country are inputs too: these models exist for the benchmark only. They are
regressors of a 0/1 label, so that the peer computes one output, as we do.
"""

import json
import os
import pickle
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np

ROWS = 40_000
BACKGROUND = 100


def adult(folder):
    """Inputs of Adult, categories as the place of their name in alphabetical order, and the label."""
    import pandas as pd

    parts = ("train", "calibration", "heldout")
    table = pd.concat([pd.read_csv(os.path.join(folder, f"adult-{part}.csv.gz")) for part in parts])
    inputs = table.drop(columns=["row", "income_above_50k"])
    for column in inputs.columns:
        if not pd.api.types.is_numeric_dtype(inputs[column]):
            inputs[column] = pd.Categorical(inputs[column]).codes
    return inputs.to_numpy(dtype=np.float32), table["income_above_50k"].to_numpy(dtype=np.float64), list(inputs.columns)


def models():
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor

    boosted = dict(n_estimators=100, learning_rate=0.1, subsample=0.5, random_state=1)
    return {
        "gbdt-6": GradientBoostingRegressor(max_depth=6, **boosted),
        "gbdt-8": GradientBoostingRegressor(max_depth=8, **boosted),
        "forest-10": RandomForestRegressor(n_estimators=100, max_depth=10, max_features=0.5, random_state=1, n_jobs=1),
    }


def prepare(data, out):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    x, y, names = adult(data)
    order = np.random.RandomState(7).permutation(len(x))
    x, y = x[order], y[order]
    np.ascontiguousarray(x[:ROWS]).tofile(os.path.join(out, "rows.bin"))
    np.ascontiguousarray(x[-BACKGROUND:]).tofile(os.path.join(out, "background.bin"))
    about = {"inputs": names, "background": BACKGROUND, "models": {}}
    for name, model in models().items():
        model.fit(x[:ROWS], y[:ROWS])
        onnx = convert_sklearn(model, initial_types=[("x", FloatTensorType([None, x.shape[1]]))], target_opset={"": 15, "ai.onnx.ml": 1})
        with open(os.path.join(out, f"{name}.onnx"), "wb") as file:
            file.write(onnx.SerializeToString())
        with open(os.path.join(out, f"{name}.pickle"), "wb") as file:
            pickle.dump(model, file)
        trees = [tree.tree_ for tree in np.asarray(model.estimators_).ravel()]
        about["models"][name] = {"trees": len(trees), "leaves": int(sum(tree.n_leaves for tree in trees))}
    with open(os.path.join(out, "about.json"), "w", encoding="utf8") as file:
        json.dump(about, file)


def explainer(model, kind, background):
    import shap

    if kind == "interventional":
        return shap.TreeExplainer(model, background, feature_perturbation="interventional")
    return shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")


def clock(out, name, kind, rows):
    """The best of three, without the first call, which loads; checks of additivity are off."""
    import shap

    with open(os.path.join(out, f"{name}.pickle"), "rb") as file:
        model = pickle.load(file)
    background = np.fromfile(os.path.join(out, "background.bin"), dtype=np.float32).reshape(BACKGROUND, -1).astype(np.float64)
    x = np.fromfile(os.path.join(out, "rows.bin"), dtype=np.float32).reshape(ROWS, -1).astype(np.float64)[:rows]
    explain = explainer(model, kind, background)
    explain.shap_values(x[:5], check_additivity=False)
    seconds, processor = [], []
    for _ in range(3):
        started, busy = time.perf_counter(), time.process_time()
        values = explain.shap_values(x, check_additivity=False)
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    values = np.asarray(values, dtype=np.float64)
    values.tofile(os.path.join(out, f"{name}-{kind}.bin"))
    print(json.dumps({"version": shap.__version__, "rows": rows, "seconds": min(seconds), "processor": min(processor)}))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "prepare":
        prepare(*arguments)
    else:
        clock(*arguments[:3], int(arguments[3]))
