"""Latency of the real client: the median of each call against one server, as JSON."""

import json
import statistics
import sys
import time

from mlflow import MlflowClient
from mlflow.entities import Metric

run_id, label = sys.argv[1:3]
client = MlflowClient()


def median(call, times=20):
    took = []
    for n in range(times):
        started = time.perf_counter()
        call(n)
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


def metrics(n):
    return [Metric(f"client-{label}-{index % 10}", index / 7, 1700000000000 + n, index) for index in range(1000)]


print(json.dumps({
    "set tag": median(lambda n: client.set_registered_model_tag("model-1", f"client-{n}", "value")),
    "alias": median(lambda n: client.set_registered_model_alias("model-1", "client", str(n + 1))),
    "search": median(lambda n: client.search_model_versions("name='model-7'", max_results=100)),
    "log 1,000 metrics": median(lambda n: client.log_batch(run_id, metrics=metrics(n)), 10),
}))
