"""The real MLflow client, driven line by line: each line on standard input is a JSON call, each answer a JSON line."""

import json
import os
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

rows = np.random.RandomState(7).rand(60, 4).astype(np.float32)
labels = (rows[:, 0] + rows[:, 1] > 1).astype(int)


def plain(value):
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, mlflow.store.entities.PagedList)):
        return [plain(inner) for inner in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    names = [name for name in dir(type(value)) if isinstance(getattr(type(value), name), property)]
    return {name: plain(getattr(value, name)) for name in names if not name.startswith("_")}


def sklearn_model():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression().fit(rows, labels)


def log_sklearn(name, serialization="skops", **more):
    import mlflow.sklearn

    model = sklearn_model()
    info = mlflow.sklearn.log_model(
        model, name="model", input_example=rows[:2], registered_model_name=name,
        serialization_format=serialization, **more,
    )
    return logged(info, model.predict(rows))


def log_xgboost(name):
    import mlflow.xgboost
    from xgboost import XGBClassifier

    model = XGBClassifier(n_estimators=5, max_depth=3).fit(rows, labels)
    return logged(mlflow.xgboost.log_model(model, name="model", registered_model_name=name), model.predict(rows))


def log_onnx(name):
    import mlflow.onnx
    from skl2onnx import to_onnx

    model = sklearn_model()
    onnx = to_onnx(model, rows[:1], options={"zipmap": False})
    return logged(mlflow.onnx.log_model(onnx, name="model", registered_model_name=name), model.predict(rows))


class Evil:
    def __reduce__(self):
        return (os.system, ("true",))


def log_evil(name):
    """A folder that MLflow itself saved, in which somebody exchanged the pickle."""
    import pickle

    import mlflow.sklearn

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model")
        mlflow.sklearn.save_model(sklearn_model(), path, serialization_format="pickle")
        with open(os.path.join(path, "model.pkl"), "wb") as file:
            pickle.dump(Evil(), file)
        with mlflow.start_run() as run:
            mlflow.log_artifacts(path, "model")
            return mlflow.register_model(f"runs:/{run.info.run_id}/model", name, await_registration_for=60).version


def logged(info, expected):
    return {"model_id": info.model_id, "run_id": info.run_id, "version": str(info.registered_model_version),
            "expected": expected.tolist()}


def in_run(call, *args, **kwargs):
    with mlflow.start_run() as run:
        mlflow.log_params({"depth": 3, "rate": 0.1})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"auc": 0.75, "odd": float("nan"), "most": float("inf")})
        return {"run": run.info.run_id, **globals()[call](*args, **kwargs)}


def predict(uri):
    predicted = mlflow.pyfunc.load_model(uri).predict(rows)
    if isinstance(predicted, dict):
        predicted = next(iter(predicted.values()))
    return np.asarray(predicted).astype(int).ravel().tolist()


def log_files(run_id):
    client = MlflowClient()
    with tempfile.TemporaryDirectory() as folder:
        for path, content in {"a.txt": "a", "plots/b c.txt": "b", "plots/deep/ü.txt": "ü", "empty.bin": ""}.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf8") as file:
                file.write(content)
        client.log_artifacts(run_id, folder, "files")
    local = client.download_artifacts(run_id, "files", tempfile.mkdtemp())
    read = {}
    for base, _, names in os.walk(local):
        for name in names:
            with open(os.path.join(base, name), encoding="utf8") as file:
                read[os.path.relpath(os.path.join(base, name), local)] = file.read()
    return {
        "top": sorted((file.path, file.is_dir) for file in client.list_artifacts(run_id)),
        "inside": sorted((file.path, file.is_dir) for file in client.list_artifacts(run_id, "files/plots")),
        "read": read,
    }


def overwrite(model_id):
    client = MlflowClient()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "MLmodel")
        with open(path, "w", encoding="utf8") as file:
            file.write("flavors: {}")
        client.log_model_artifact(model_id, path)


def set_experiment(name):
    return mlflow.set_experiment(name).experiment_id


def prompt(name):
    mlflow.genai.register_prompt(name=name, template="Hello {{who}}", commit_message="first")
    return {
        "text": mlflow.genai.load_prompt(f"prompts:/{name}/1").template,
        "found": [found.name for found in mlflow.genai.search_prompts()],
        "models": [found.name for found in MlflowClient().search_registered_models()],
    }


def big(name, megabytes):
    """A model whose file is large; how long registering takes, until intake is through."""
    import time

    import mlflow.sklearn

    model = sklearn_model()
    model.ballast_ = np.random.RandomState(1).bytes(megabytes * 1_048_576)
    with mlflow.start_run():
        info = mlflow.sklearn.log_model(model, name="big", serialization_format="cloudpickle")
    started = time.monotonic()
    version = mlflow.register_model(info.model_uri, name, await_registration_for=120)
    seconds = time.monotonic() - started
    return {"status": MlflowClient().get_model_version(name, version.version).status, "seconds": seconds}


def answer(call):
    try:
        if call["do"] == "client":
            method = getattr(MlflowClient(), call["method"])
            return {"result": plain(method(*call.get("args", []), **call.get("kwargs", {})))}
        return {"result": plain(globals()[call["do"]](*call.get("args", []), **call.get("kwargs", {})))}
    except MlflowException as error:
        details = getattr(error, "json", {}).get("details", {})
        return {"error": {"code": error.error_code, "message": str(error), "details": plain(details)}}
    except Exception as error:
        return {"error": {"code": type(error).__name__, "message": str(error), "details": {}}}


print(json.dumps({"result": mlflow.__version__}), file=answers, flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), file=answers, flush=True)
