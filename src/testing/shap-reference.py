"""Models of four libraries on three data sets, as ONNX, with what the shap package says of them.

    python shap-reference.py DATA OUT     DATA is models/data; prints the cases as one line of JSON

Every model sees all its training rows with equal weights, so that the cover it stores is a count of rows, which can be
counted again. XGBoost stores the sum of Hessians instead, which is a count for squared error only.
"""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import numpy as np

DATA, OUT = sys.argv[1:3]
BACKGROUND = 30
ROWS = 40
CASES = []


def adult():
    import pandas as pd

    table = pd.read_csv(os.path.join(DATA, "adult-calibration.csv.gz")).head(4000)
    inputs = table.drop(columns=["row", "income_above_50k"])
    for column in inputs.columns:
        if not pd.api.types.is_numeric_dtype(inputs[column]):
            inputs[column] = pd.Categorical(inputs[column]).codes
    return inputs.to_numpy(dtype=np.float32), table["income_above_50k"].to_numpy()


def save(case, kind, values):
    name = f"{case}-{kind}.bin"
    np.ascontiguousarray(values, dtype=np.float64).tofile(os.path.join(OUT, name))
    return name


def arranged(values, columns):
    """Rows by outputs by columns."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim == 2:
        values = values[:, :columns]
        return values[:, None, :]
    return np.transpose(values, (0, 2, 1))


def explain(case, model, x, onnx, outputs=1, interventional=True):
    import shap

    path = os.path.join(OUT, f"{case}.onnx")
    if isinstance(onnx, bytes):
        with open(path, "wb") as file:
            file.write(onnx)
    else:
        model.save_model(path, format="onnx")
    x = arranged_rows(model, x)
    np.ascontiguousarray(x).tofile(os.path.join(OUT, f"{case}.x"))
    kinds = {}
    rows = x[:ROWS].astype(np.float64)
    wanted = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(rows, check_additivity=False)
    kinds["path-dependent"] = save(case, "path", pick(arranged(wanted, x.shape[1]), outputs))
    if interventional:
        background = x[-BACKGROUND:].astype(np.float64)
        explainer = shap.TreeExplainer(model, background, feature_perturbation="interventional")
        values = explainer.shap_values(rows, check_additivity=False)
        kinds["interventional"] = save(case, "background", pick(arranged(values, x.shape[1]), outputs))
    CASES.append({"name": case, "columns": x.shape[1], "rows": ROWS, "background": BACKGROUND, "outputs": outputs, "kinds": kinds})


def arranged_rows(model, x):
    """All rows, those in the middle that the package sends elsewhere than the model: it rounds thresholds to float32."""
    if not hasattr(model, "estimators_"):
        return x
    stray = np.zeros(len(x), dtype=bool)
    for tree in (estimator.tree_ for estimator in np.asarray(model.estimators_).ravel()):
        for feature, threshold in zip(tree.feature, tree.threshold):
            if feature >= 0:
                column = x[:, feature].astype(np.float64)
                stray |= (column <= threshold) != (column <= np.float64(np.float32(threshold)))
    kept = x[~stray]
    return np.concatenate([kept[:-BACKGROUND], x[stray], kept[-BACKGROUND:]])


def pick(values, outputs):
    """Of two classes the second: the other is its mirror."""
    return values[:, -1:, :] if outputs == 1 else values


def sklearn_onnx(model, columns):
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType

    options = {"zipmap": False} if hasattr(model, "predict_proba") else {}
    target = {"": 15, "ai.onnx.ml": 3}
    kind = [("x", FloatTensorType([None, columns]))]
    return convert_sklearn(model, initial_types=kind, target_opset=target, options={id(model): options} if options else None).SerializeToString()


def other_onnx(convert, model, columns):
    from onnxmltools.convert.common.data_types import FloatTensorType

    return convert(model, initial_types=[("x", FloatTensorType([None, columns]))], target_opset=15).SerializeToString()


def all_cases():
    import catboost
    import lightgbm
    import xgboost
    from onnxmltools.convert import convert_lightgbm, convert_xgboost
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
    from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestClassifier

    cancer, diabetes, wine = load_breast_cancer(), load_diabetes(), load_wine()
    sets = {
        "adult": (*adult(), True),
        "cancer": (cancer.data.astype(np.float32), cancer.target, True),
        "diabetes": (diabetes.data.astype(np.float32), diabetes.target, False),
    }
    for name, (x, y, is_class) in sets.items():
        columns = x.shape[1]
        boosted = GradientBoostingClassifier if is_class else GradientBoostingRegressor
        model = boosted(n_estimators=20, max_depth=4, random_state=1).fit(x, y)
        explain(f"{name}-sklearn", model, x, sklearn_onnx(model, columns))
        model = xgboost.XGBRegressor(n_estimators=20, max_depth=4).fit(x, y)
        explain(f"{name}-xgboost", model, x, other_onnx(convert_xgboost, model, columns))
        made = lightgbm.LGBMClassifier if is_class else lightgbm.LGBMRegressor
        model = made(n_estimators=20, max_depth=5, verbose=-1).fit(x, y)
        explain(f"{name}-lightgbm", model, x, other_onnx(convert_lightgbm, model, columns))
        made = catboost.CatBoostClassifier if is_class else catboost.CatBoostRegressor
        model = made(iterations=20, depth=4, verbose=0, allow_writing_files=False, bootstrap_type="No", boosting_type="Plain").fit(x, y)
        explain(f"{name}-catboost", model, x, None)
    x, y, _ = sets["adult"]
    model = lightgbm.LGBMClassifier(n_estimators=20, max_depth=5, verbose=-1, min_data_per_group=5, cat_smooth=1)
    model.fit(x, y, categorical_feature=[1, 4, 8])
    # The shap package has no interventional values for splits by category.
    explain("adult-lightgbm-categories", model, x, other_onnx(convert_lightgbm, model, x.shape[1]), interventional=False)
    model = RandomForestClassifier(n_estimators=20, max_depth=5, bootstrap=False, max_features=3, random_state=1)
    x = wine.data.astype(np.float32)
    explain("wine-sklearn-classes", model.fit(x, wine.target), x, sklearn_onnx(model, 13), outputs=3)


all_cases()
print(json.dumps(CASES))
