"""Trains, exports, measures and describes the two versions of the income-routing ensemble.

    python train.py            writes models/income-routing/<version>/ and models/data/applications.jsonl
    python train.py --check    verifies the committed files and that training again gives the same models
"""

import hashlib
import json
import sys
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
from jsonschema import Draft202012Validator
from lightgbm import LGBMClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits
from xgboost import XGBClassifier

import evaluate
from encoding import EXCLUDED, GROUPS, INPUTS, LABEL, encode, read, with_columns, with_groups
from export import export, predict, shape_of_trees

MODELS = Path(__file__).resolve().parent.parent
NAME = "income-routing"
SEED = 1994
WEIGHT_FLOOR = 0.05
WEIGHT_TOLERANCE = 0.0005
PARITY = 1e-5
MIN_ACCURACY = 0.847
MAX_BELOW_BEST = 0.002
BACKGROUND_ROWS = 100
APPLICATIONS = 400
GOLDEN_ROWS = 25
SHAPLEY_ROWS = 5
TRAINED_AT = "2026-11-23"
SOURCE = "UCI Adult (Becker & Kohavi 1996), https://doi.org/10.24432/C5XW20"
RECIPE_FILES = ["train.py", "encoding.py", "export.py", "evaluate.py", "prepare.py", "requirements.txt"]
PACKAGES = ["jsonschema", "lightgbm", "numpy", "onnx", "onnxmltools", "onnxruntime", "pandas", "scikit-learn", "scipy",
            "skl2onnx", "threadpoolctl", "xgboost"]
LIBRARY = {"lightgbm": "lightgbm", "xgboost": "xgboost", "extra-trees": "scikit-learn",
           "logistic-regression": "scikit-learn"}
INCREASING = ["education_num", "hours_per_week"]

VERSIONS = {
    "1.0.0": {
        "description": "Predicts whether yearly income is above 50,000 dollars (census of 1994), to route income "
                       "verification. Soft vote of four members, calibrated.",
        "seed": 100,
        "increasing": [],
        "members": {
            "lightgbm": {"n_estimators": 140, "learning_rate": 0.1, "num_leaves": 12, "max_depth": 7,
                         "min_child_samples": 30, "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8,
                         "reg_lambda": 1.0},
            "xgboost": {"n_estimators": 140, "learning_rate": 0.3, "max_depth": 3, "min_child_weight": 5,
                        "subsample": 0.8, "colsample_bytree": 0.8, "reg_lambda": 2.0, "tree_method": "exact"},
            "extra-trees": {"n_estimators": 30, "max_depth": 8, "max_features": 1.0, "min_samples_leaf": 5,
                            "max_leaf_nodes": 64},
            "logistic-regression": {"C": 1.0, "max_iter": 1000},
        },
    },
    "1.1.0": {
        "description": "As 1.0.0, with other hyperparameters and seed. In the two boosted members the score never falls "
                       "when the level of education or the hours of work rise.",
        "seed": 110,
        "increasing": INCREASING,
        "members": {
            "lightgbm": {"n_estimators": 140, "learning_rate": 0.15, "num_leaves": 12, "max_depth": 7,
                         "min_child_samples": 30, "subsample": 0.8, "subsample_freq": 1, "colsample_bytree": 0.8,
                         "reg_lambda": 1.0, "monotone_constraints_method": "advanced"},
            "xgboost": {"n_estimators": 140, "learning_rate": 0.15, "max_depth": 7, "max_leaves": 12,
                        "grow_policy": "lossguide", "min_child_weight": 5, "subsample": 0.8, "colsample_bytree": 0.8,
                        "reg_lambda": 2.0, "tree_method": "hist", "max_bin": 1024},
            "extra-trees": {"n_estimators": 40, "max_depth": 8, "max_features": 1.0, "min_samples_leaf": 5,
                            "max_leaf_nodes": 64},
            "logistic-regression": {"C": 0.1, "max_iter": 1000},
        },
    },
}


def new_model(family, options, seed, directions):
    """An untrained member. One thread, so that the sums are always made in the same order."""
    monotone = any(directions)
    if family == "lightgbm":
        extra = {"monotone_constraints": directions} if monotone else {}
        return LGBMClassifier(**options, **extra, random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True,
                              verbose=-1)
    if family == "xgboost":
        extra = {"monotone_constraints": tuple(directions)} if monotone else {}
        return XGBClassifier(**options, **extra, random_state=seed, n_jobs=1)
    if family == "extra-trees":
        return ExtraTreesClassifier(**options, random_state=seed, n_jobs=1)
    return make_pipeline(StandardScaler(), LogisticRegression(**options))


def train_members(config, matrix, y, inputs):
    """The members, fitted; a direction of 1 keeps the score of a boosted member from falling with that column."""
    directions = [0] * matrix.shape[1]
    for spec in inputs:
        if spec["name"] in config["increasing"]:
            directions[spec["columns"][0]] = 1
    return {
        family: new_model(family, options, config["seed"], directions).fit(matrix, y)
        for family, options in config["members"].items()
    }


def native(models, matrix):
    return {name: model.predict_proba(matrix)[:, 1].astype(np.float64) for name, model in models.items()}


def runtime(files, matrix):
    return {name: predict(data, matrix) for name, data in files.items()}


def fit_vote(members, y):
    return evaluate.fit_vote(members, y, WEIGHT_FLOOR, WEIGHT_TOLERANCE)


def parity(models, files, matrix):
    found, wanted = runtime(files, matrix), native(models, matrix)
    differences = {name: float(np.abs(found[name] - wanted[name]).max()) for name in files}
    for name, difference in differences.items():
        require(difference <= PARITY, f"{name}: onnxruntime differs from the library by {difference}")
    return differences


def require(condition, message):
    if not condition:
        raise SystemExit(f"FAILED: {message}")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def as_json(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def raw(row):
    """The inputs of one row as an application states them."""
    return {s["name"]: int(row[s["name"]]) if s["kind"] == "numeric" else str(row[s["name"]]) for s in INPUTS}


def build(number, config, data, inputs):
    """Everything one version consists of: {file name: bytes}, the manifest last."""
    matrices = {part: encode(table, inputs) for part, table in data.items()}
    labels = {part: table[LABEL].to_numpy() for part, table in data.items()}
    models = train_members(config, matrices["train"], labels["train"], inputs)
    files = {f: export(f, model, f"{NAME}-{f}", matrices["train"].shape[1]) for f, model in models.items()}
    differences = parity(models, files, matrices["heldout"])

    weights, calibration = fit_vote(runtime(files, matrices["calibration"]), labels["calibration"])
    members = runtime(files, matrices["heldout"])
    metrics = measure(members, weights, calibration, labels["heldout"], config["seed"])
    metrics["withExcludedInputs"] = measure_with_groups(config, data, labels)
    check_quality(metrics)

    background = data["train"].sample(BACKGROUND_ROWS, random_state=SEED)
    rarity = evaluate.fit_out_of_distribution(data["train"], inputs)
    above = evaluate.surprise(data["heldout"], rarity["inputs"]) > rarity["threshold"]
    rarity["heldoutShareAbove"] = round(float(above.mean()), 6)

    out = {f"{family}.onnx": content for family, content in files.items()}
    out["background.csv"] = background[[s["name"] for s in inputs]].to_csv(index=False, lineterminator="\n").encode()
    out["golden.json"] = as_json(golden(number, data, inputs, files, weights, calibration, rarity, background)).encode()
    manifest = {
        "$schema": "../../manifest.schema.json",
        "schema": "countersign.ensemble/1",
        "name": NAME,
        "version": number,
        "description": config["description"],
        "useCase": "income-verification-routing",
        "licence": {"model": "Apache-2.0", "data": "CC-BY-4.0"},
        "trainedAt": TRAINED_AT,
        "target": {"name": LABEL, "positive": ">50K", "threshold": 0.5},
        "inputs": inputs,
        "encodedWidth": matrices["train"].shape[1],
        "excluded": EXCLUDED,
        "members": [describe(f, config, files[f], weights[f], metrics["members"][f], inputs) for f in files],
        "vote": "soft",
        "calibration": calibration,
        "background": {"file": "background.csv", "sha256": sha256(out["background.csv"]), "rows": len(background),
                       "smallerSample": 25, "dataRows": [int(r) for r in background["row"]]},
        "golden": {"file": "golden.json", "sha256": sha256(out["golden.json"]), "rows": GOLDEN_ROWS},
        "outOfDistribution": rarity,
        "data": [describe_data(part, table) for part, table in data.items()],
        "metrics": metrics,
        "parity": {"rows": len(data["heldout"]), "maxAbsDifference": differences, "tolerance": PARITY,
                   "onnxruntime": installed("onnxruntime")},
        "recipe": {
            "file": "../../recipe/train.py", "sha256": file_digest("recipe/train.py"), "seed": config["seed"],
            "files": [{"file": f"../../recipe/{f}", "sha256": file_digest(f"recipe/{f}")} for f in RECIPE_FILES],
            "packages": {name: installed(name) for name in PACKAGES},
        },
    }
    validate(manifest)
    out["manifest.json"] = as_json(manifest).encode()
    return out


def measure(members, weights, calibration, y, seed):
    voted = evaluate.vote(members, weights)
    p = evaluate.calibrate(voted, calibration)
    return {
        "intervals": f"95 %: Wilson for accuracy, percentile bootstrap ({evaluate.BOOTSTRAP} draws, seed {seed}) otherwise; "
                     "the draws of the ECE are centred on its value",
        "eceBins": evaluate.ECE_BINS,
        "heldout": {**evaluate.score(p, y, seed), "positives": int(y.sum()), **evaluate.confusion(p, y)},
        "uncalibrated": evaluate.score(voted, y, seed),
        "members": {name: evaluate.score(q, y, seed) for name, q in members.items()},
    }


def measure_with_groups(config, data, labels):
    """What the same recipe would reach if the protected inputs were allowed. For comparison; nothing of it is kept."""
    inputs = with_columns(with_groups(data.values()))
    models = train_members(config, encode(data["train"], inputs), labels["train"], inputs)
    weights, calibration = fit_vote(native(models, encode(data["calibration"], inputs)), labels["calibration"])
    p = evaluate.calibrate(evaluate.vote(native(models, encode(data["heldout"], inputs)), weights), calibration)
    return {"inputs": GROUPS, **evaluate.score(p, labels["heldout"], config["seed"])}


def check_quality(metrics):
    reached = metrics["heldout"]["accuracy"]["value"]
    best = max(m["accuracy"]["value"] for m in metrics["members"].values())
    require(reached >= MIN_ACCURACY, f"held-out accuracy {reached} is below {MIN_ACCURACY}")
    require(reached >= best - MAX_BELOW_BEST, f"held-out accuracy {reached} is too far below the best member's {best}")


def describe(family, config, content, weight, metrics, inputs):
    """The manifest entry of one member."""
    library = LIBRARY[family]
    options = {**config["members"][family], "seed": config["seed"]}
    if family in ("lightgbm", "xgboost") and config["increasing"]:
        options["increasing"] = config["increasing"]
    entry = {"name": family, "family": family, "library": library, "libraryVersion": installed(library),
             "file": f"{family}.onnx", "sha256": sha256(content), "bytes": len(content), "weight": weight,
             "input": "features", "output": "probabilities", "hyperparameters": options, "metrics": metrics}
    trees = shape_of_trees(content, inputs)
    return {**entry, "trees": trees} if trees else entry


def describe_data(part, table):
    file = f"data/adult-{part}.csv.gz"
    return {"file": f"../../{file}", "sha256": file_digest(file), "rows": len(table), "role": part, "source": SOURCE,
            "licence": "CC-BY-4.0"}


def file_digest(path):
    return sha256((MODELS / path).read_bytes())


def golden(number, data, inputs, files, weights, calibration, rarity, background):
    """Worked examples another implementation can be tested against."""
    rows = data["heldout"].sample(GOLDEN_ROWS, random_state=SEED)
    matrix, reference = encode(rows, inputs), encode(background, inputs)
    members = runtime(files, matrix)
    voted = evaluate.vote(members, weights)
    final = evaluate.calibrate(voted, calibration)
    rare = evaluate.surprise(rows, rarity["inputs"])
    examples = []
    for i, (_, row) in enumerate(rows.iterrows()):
        example = {"row": int(row["row"]), "inputs": raw(row), "features": [int(v) for v in matrix[i]],
                   "members": {name: float(p[i]) for name, p in members.items()}, "vote": float(voted[i]),
                   "probability": float(final[i]), "surprise": float(rare[i])}
        if i < SHAPLEY_ROWS:
            example["shapley"] = explain(matrix[i], reference, inputs, files, weights, calibration)
        examples.append(example)
    return {"name": NAME, "version": number,
            "description": "Held-out rows with what onnxruntime and the recipe compute for them. shapley: exact "
                           "interventional values against all rows of background.csv, by enumeration of 2^7 coalitions, "
                           "of the vote and of the calibrated probability.",
            "onnxruntime": installed("onnxruntime"), "examples": examples}


def explain(row, reference, inputs, files, weights, calibration):
    def voted(matrix):
        return evaluate.vote(runtime(files, matrix), weights)

    def final(matrix):
        return evaluate.calibrate(voted(matrix), calibration)

    explained = {}
    for name, function in (("vote", voted), ("probability", final)):
        base, values = evaluate.shapley(function, row, reference, inputs)
        explained[name] = {"base": base, "values": {s["name"]: float(v) for s, v in zip(inputs, values)}}
    return explained


def applications(heldout):
    """Held-out rows as applications: the inputs, and apart from them the label and the protected columns."""
    lines = []
    for _, row in heldout.sample(APPLICATIONS, random_state=SEED + 1).iterrows():
        lines.append(json.dumps({"row": int(row["row"]), "inputs": raw(row), "outcome": ">50K" if row[LABEL] else "<=50K",
                                 "groups": {name: str(row[name]) for name in GROUPS}}))
    return "\n".join(lines) + "\n"


def validate(manifest):
    schema = json.loads((MODELS / "manifest.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(manifest)


def load():
    return {part: read(part) for part in ("train", "calibration", "heldout")}


def summary(manifest):
    m = manifest["metrics"]
    print(f"\n{manifest['name']} {manifest['version']}  weights "
          f"{ {x['name']: x['weight'] for x in manifest['members']} }  calibration {manifest['calibration']}")
    rows = {"ensemble": m["heldout"], **m["members"], "with excluded": m["withExcludedInputs"]}
    for name, scores in rows.items():
        print(f"  {name:20}", "  ".join(f"{k} {scores[k]['value']:.4f} [{scores[k]['low']:.4f}, {scores[k]['high']:.4f}]"
                                        for k in ("accuracy", "auc", "brier", "logLoss", "ece")))
    for x in manifest["members"]:
        print(f"  {x['file']:26} {x['bytes']:7} bytes  parity {manifest['parity']['maxAbsDifference'][x['name']]:.1e}  "
              f"{x.get('trees', '')}")
    print(f"  out of distribution: threshold {manifest['outOfDistribution']['threshold']}, held-out share above "
          f"{manifest['outOfDistribution']['heldoutShareAbove']}")


def write_all():
    data = load()
    inputs = with_columns(INPUTS)
    for number, config in VERSIONS.items():
        out = build(number, config, data, inputs)
        for name, content in out.items():
            write(MODELS / NAME / number / name, content)
        summary(json.loads(out["manifest.json"]))
    write(MODELS / "data" / "applications.jsonl", applications(data["heldout"]))


def check():
    """Verifies the committed files, then trains again."""
    data = load()
    inputs = with_columns(INPUTS)
    require(applications(data["heldout"]) == (MODELS / "data" / "applications.jsonl").read_text(),
            "data/applications.jsonl is not what the recipe writes")
    for number, config in VERSIONS.items():
        folder = MODELS / NAME / number
        manifest = json.loads((folder / "manifest.json").read_text())
        validate(manifest)
        check_digests(folder, manifest)
        check_committed(folder, manifest, config, data, inputs)
        check_retrained(folder, number, config, data, inputs)


def check_digests(folder, manifest):
    listed = [*manifest["members"], manifest["background"], manifest["golden"], *manifest["data"],
              *manifest["recipe"]["files"]]
    for entry in listed:
        require(sha256((folder / entry["file"]).read_bytes()) == entry["sha256"], f"digest of {entry['file']}")
    print(f"{folder.name}: {len(listed)} digests match")


def check_committed(folder, manifest, config, data, inputs):
    """Parity with newly trained models, and the stated held-out figures, from the committed ONNX files."""
    files = {m["name"]: (folder / m["file"]).read_bytes() for m in manifest["members"]}
    weights = {m["name"]: m["weight"] for m in manifest["members"]}
    models = train_members(config, encode(data["train"], inputs), data["train"][LABEL].to_numpy(), inputs)
    heldout = encode(data["heldout"], inputs)
    parity(models, files, heldout)
    found = measure(runtime(files, heldout), weights, manifest["calibration"], data["heldout"][LABEL].to_numpy(),
                    config["seed"])
    for name, stated in [("heldout", manifest["metrics"]["heldout"]), *manifest["metrics"]["members"].items()]:
        measured = found["heldout"] if name == "heldout" else found["members"][name]
        for metric in ("accuracy", *evaluate.BOOTSTRAPPED):
            for key in ("value", "low", "high"):
                require(abs(measured[metric][key] - stated[metric][key]) <= 2e-4, f"{name}: {metric}.{key}")
    print(f"{folder.name}: parity and metrics of the committed models confirmed")


def check_retrained(folder, number, config, data, inputs):
    out = build(number, config, data, inputs)
    different = [name for name, content in out.items() if (folder / name).read_bytes() != content]
    print(f"{number}: training again gives " + (f"other bytes in {different}" if different else "the same bytes"))


def main(arguments):
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    with threadpool_limits(limits=1):  # the order of the sums, and so the last bits, would depend on the threads
        check() if arguments else write_all()


if __name__ == "__main__":
    main(sys.argv[1:])
