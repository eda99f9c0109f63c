"""The inputs of the ensemble and the matrix they are encoded into."""

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).resolve().parent.parent / "data"
LABEL = "income_above_50k"
GROUPS = ["sex", "race", "native_country", "marital_status", "relationship"]
UNKNOWN = "Unknown"

# "min" and "max" are what the intake accepts. What training has seen is narrower: see outOfDistribution.ranges.
INPUTS = [
    {"name": "age", "label": "Age", "kind": "numeric", "unit": "years", "integer": True, "min": 17, "max": 120,
     "description": "Age in completed years. The data set stops at 90, which means 90 or more."},
    {"name": "education_num", "label": "Level of education", "kind": "numeric", "unit": "level", "integer": True,
     "min": 1, "max": 16,
     "description": "1 pre-school, 2 to 8 grades 1 to 12 without diploma, 9 high-school diploma, 10 some college, "
                    "11 and 12 associate, 13 bachelor, 14 master, 15 professional school, 16 doctorate."},
    {"name": "capital_gain", "label": "Capital gains", "kind": "numeric", "unit": "USD per year", "integer": True,
     "min": 0, "max": 99999,
     "description": "Capital gains of the year. 99,999 stands for all values above 41,310."},
    {"name": "capital_loss", "label": "Capital losses", "kind": "numeric", "unit": "USD per year", "integer": True,
     "min": 0, "max": 99999, "description": "Capital losses of the year, as a positive number."},
    {"name": "hours_per_week", "label": "Hours of work per week", "kind": "numeric", "unit": "hours", "integer": True,
     "min": 0, "max": 168,
     "description": "Usual hours of work per week. The data set stops at 99, which means 99 or more."},
    {"name": "workclass", "label": "Kind of employer", "kind": "categorical",
     "categories": ["Federal-gov", "Local-gov", "Never-worked", "Private", "Self-emp-inc", "Self-emp-not-inc",
                    "State-gov", "Without-pay", UNKNOWN],
     "description": "Sector and form of employment. Unknown stands for a missing value."},
    {"name": "occupation", "label": "Occupation", "kind": "categorical",
     "categories": ["Adm-clerical", "Armed-Forces", "Craft-repair", "Exec-managerial", "Farming-fishing",
                    "Handlers-cleaners", "Machine-op-inspct", "Other-service", "Priv-house-serv", "Prof-specialty",
                    "Protective-serv", "Sales", "Tech-support", "Transport-moving", UNKNOWN],
     "description": "Occupation group of the census. Unknown stands for a missing value."},
]

EXCLUDED = [
    {"name": "sex", "reason": "Protected characteristic; kept for evaluation only."},
    {"name": "race", "reason": "Protected characteristic; kept for evaluation only."},
    {"name": "native_country", "reason": "National origin, a protected characteristic; kept for evaluation only."},
    {"name": "marital_status", "reason": "Protected in credit and employment law of many places; kept for evaluation only."},
    {"name": "relationship", "reason": "Its values (Husband, Wife) state sex and marital status; kept for evaluation only."},
    {"name": "education", "reason": "The same information as education_num."},
    {"name": "fnlwgt", "reason": "A sampling weight of the survey, not a property of the person; not in the data files."},
]


def read(part):
    return pd.read_csv(DATA / f"adult-{part}.csv.gz", keep_default_na=False)


def one_hot(values, categories):
    codes = pd.Index(categories).get_indexer(pd.Index(values))
    if (codes < 0).any():
        raise ValueError(f"unknown category: {set(np.asarray(values, dtype=object)[codes < 0])}")
    return np.eye(len(categories), dtype=np.float32)[codes]


def encode(table, inputs=None):
    """One column for a number, one column per category otherwise, in the order of the inputs."""
    blocks = []
    for spec in inputs or INPUTS:
        values = table[spec["name"]]
        if spec["kind"] == "numeric":
            blocks.append(values.to_numpy(dtype=np.float32)[:, None])
        else:
            blocks.append(one_hot(values, spec["categories"]))
    return np.hstack(blocks)


def with_columns(inputs):
    """The inputs with their place [start, length] in the matrix."""
    placed, start = [], 0
    for spec in inputs:
        length = len(spec.get("categories", [0]))
        placed.append({**spec, "columns": [start, length]})
        start += length
    return placed


def with_groups(tables):
    """The inputs plus the protected ones, for the comparison only."""
    every = pd.concat(tables)
    return INPUTS + [{"name": name, "kind": "categorical", "categories": sorted(set(every[name]))} for name in GROUPS]
