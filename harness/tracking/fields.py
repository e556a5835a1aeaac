"""A cell's record as MLflow stores it: metric names, tags and parameters."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 6000  # characters: MLflow truncates longer parameters with only a warning


def metric_key(name: str) -> str:
    """A metric's name in MLflow, such as mrr_at_20 for "MRR@20"."""
    from evaluation.metrics.accuracy import metric_named

    try:
        return metric_named(name).mlflow_name
    except ValueError:
        return re.sub(r"[^\w\-. ]", "_", name.lower().replace("@", "_at_"))


def tags_of(record: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a run, for searches."""
    environment = record["environment"]
    tags = {
        "mlflow.source.git.commit": environment.get("commit", ""),
        "dirty": str(environment.get("dirty", False)).lower(),
        "data_sha256": record["fingerprints"]["data"],
        "split_fingerprint": record["fingerprints"]["split"],
        "source_hash": record["fingerprints"]["source"],
        "device": record["device"],
        "device_name": record["device_name"],
        "cpu": environment.get("cpu", ""),
        "stopped": record["stopped"] or "",
        "caveats": "; ".join(record["caveats"]),
        "finished": record["finished"],
        "command": record["command"],
    }
    if "elsewhere" in record:
        tags |= {"computed_elsewhere_by": record["elsewhere"]["by"], "ranks_sha256": record["elsewhere"]["sha256"]}
    for caveat in record["caveats"]:  # not_converged: true, to filter by
        head = caveat.partition(":")[0]
        if head.isupper():
            tags[re.sub(r"\W+", "_", head.strip().lower())] = "true"
    if record["resumed_from"] is not None:
        tags["resumed_from"] = str(record["resumed_from"])
    return {name: value[:MAX_LENGTH] for name, value in tags.items() if value}


def params_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The cell's description as flat parameters, such as protocol.train, model.dim and model.loss.type.

    Signs that MLflow refuses become "_"; a name that then is taken gets a number.
    """
    found: dict[str, str] = {}

    def flatten(name: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for inner, nested in value.items():
                flatten(f"{name}.{inner}", nested)
        else:
            text = value if isinstance(value, str) else json.dumps(value)
            safe = re.sub(r"[^\w\-. ]", "_", name)[:240]
            free = (safe if n == 1 else f"{safe}_{n}" for n in itertools.count(1))
            found[next(name for name in free if name not in found)] = text[:MAX_LENGTH]

    flatten("model", record["model_fields"])
    flatten("data", record["dataset_fields"])
    flatten("protocol", record["protocol_fields"])
    flatten("tuning", record.get("tuning", {}))
    for name in ("seed", "threads", "engine", "parameters", "epochs", "best_epoch"):
        flatten(name, record[name])
    return list(found.items())
