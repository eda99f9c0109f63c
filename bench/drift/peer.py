"""Evidently's own preset over two Parquet files: one JSON line with seconds, peak memory and what it found."""

import json
import os
import resource
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["DO_NOT_TRACK"] = "1"

import evidently
import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference_path, current_path = sys.argv[1:3]
before = resource.getrusage(resource.RUSAGE_SELF)
started = time.perf_counter()
reference = pd.read_parquet(reference_path)
current = pd.read_parquet(current_path)
loaded = time.perf_counter()
result = Report([DataDriftPreset()]).run(current, reference)
document = result.dict()
done = time.perf_counter()
used = resource.getrusage(resource.RUSAGE_SELF)
drifted = next(
    (one["value"]["count"] for one in document["metrics"] if isinstance(one["value"], dict) and "share" in one["value"]),
    None,
)
print(
    json.dumps(
        {
            "version": evidently.__version__,
            "loadSeconds": loaded - started,
            "driftSeconds": done - loaded,
            "processorSeconds": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
            "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "drifted": drifted,
        }
    )
)
