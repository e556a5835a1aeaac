"""The table of docs/models.md: cost, exactness and accuracy of every neural model.

    OMP_NUM_THREADS=1 python -m speed.models_table [--results results] [--only NAME] [--part reach|cost|stored]

One row per neural model of suites/zoo.py. The columns and their sources:
  parameters             of the zoo's model on MovieLens 100K
  ML-100K                MRR@20 of the zoo suite's stored cell (python benchmark.py run zoo)
  targets/s              one epoch of fit on 300 users of MovieLens 100K, by the CPU clock (speed.model_cost, its shape)
  FLOP, time             of the network per target, as ratios to the LSTM of the same shape (speed.model_cost)
  oracle error           largest difference between the fitted model's scores and reference/'s, float64 NumPy
  order, gaps, habits    MRR@20 of the zoo's model on planted data of its signals, and the best possible

Results are stored in RESULTS/models_table until the model's fields or source change: an interrupted run resumes. --part
measures one half only: "cost" (targets/s, FLOP, time) needs an idle machine, "reach" (oracle error, planted data) does
not, and "stored" measures nothing: it prints parameters, stored results and the zoo's cells in RESULTS.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluation.results.suite_results import CellResult, read_suite
from harness.spec import canonical, written_form
from harness.system.sources import closure_hashes, combined_hash
from recsys_data.atomic_write import write_bytes_atomically
from recsys_data.datasets.movielens import MovieLens100K
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.sequences import Sequences
from recsys_data.split import TrainingSet
from recsys_models.next_item import NextItemModel
from speed.model_cost import compare_with_lstm, parameters, rate
from speed.model_reach import PLANTED, PROTOCOL, reach
from speed.timing import machine, prepare_torch
from suites.zoo import MODELS

HEAD = ["model", "parameters", "targets/s", "FLOP / LSTM", "time / LSTM", "oracle error",
        "order (best {order:.3f})", "gaps (best {gaps:.3f})", "habits (best {users:.3f})", "ML-100K"]  # fmt: skip
WHERE = {"reach": "speed.model_reach", "cost": "speed.model_cost"}


def cached(
    folder: Path, part: str, model: NextItemModel, measure: Callable[[], dict[str, Any]] | None
) -> dict[str, Any]:
    """The stored result for the same model and source, else that of ``measure``; {} if there is neither."""
    source = combined_hash(closure_hashes(model, (WHERE[part],)))
    key = hashlib.sha256(canonical([part, written_form(model), source]).encode()).hexdigest()[:16]
    path = folder / f"{key}.json"
    if not path.exists():
        if measure is None:
            return {}
        write_bytes_atomically(path, json.dumps(measure()).encode())
    return json.loads(path.read_text())


def some_users(train: TrainingSet, count: int) -> TrainingSet:
    """The events of the first ``count`` users."""
    held = train.sequences
    last = held.offsets[count]
    part = Sequences(held.items[:last], held.timestamps[:last], held.offsets[: count + 1], held.users[:count])
    return TrainingSet(part, train.num_users, train.num_items, train.clock)


def cells_of_zoo(results: Path) -> dict[str, CellResult]:
    """The stored cells of the zoo suite on MovieLens 100K, by model."""
    try:
        held = read_suite(results, "zoo")
    except FileNotFoundError:
        return {}
    return {cell.model: cell for cell in held.cells if cell.dataset == MovieLens100K().name}


def line(name: str, found: dict[str, Any], cell: CellResult | None) -> str:
    """Format one row in Markdown; missing numbers are dashes."""
    forms = {"parameters": ",", "targets_per_second": ",.0f", "flop_ratio": ".2f", "time_ratio": ".2f",
             "oracle_error": ".0e", "order": ".3f", "gaps": ".3f", "users": ".3f"}  # fmt: skip
    words = [format(found[key], form) if key in found else "–" for key, form in forms.items()]
    reached = "not run" if cell is None else f"{cell.metrics['MRR@20']:.4f}"
    return "| " + " | ".join([name, *words, reached]) + " |"


def main() -> None:
    """Measure what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="the store that holds the zoo suite")
    parser.add_argument("--only", help="only models whose name contains this")
    parser.add_argument("--part", choices=["reach", "cost", "stored"], help="measure this half only, or nothing")
    options = parser.parse_args()
    prepare_torch()
    folder = options.results / "models_table"
    folder.mkdir(parents=True, exist_ok=True)
    whole = PerUserFractions(train=0.9, validation=0.05, test=0.05).prepare(MovieLens100K().load()).train
    train = some_users(whole, 300)
    splits = {signal: PROTOCOL.prepare(dataset.load()) for signal, dataset in PLANTED.items()}
    cells = cells_of_zoo(options.results)
    best = {signal: split.facts["best"]["MRR@20"] for signal, split in splits.items()}
    print(machine())
    print("| " + " | ".join(word.format(**best) for word in HEAD) + " |\n|" + "---|" * len(HEAD), flush=True)
    for name, model in MODELS.items():
        if isinstance(model, NextItemModel) and (options.only or "") in name:
            measures = {
                "reach": lambda model=model: reach(model, splits),
                "cost": lambda model=model: {
                    "targets_per_second": rate(model, train, time.process_time),
                    **compare_with_lstm(model, train),
                },
            }
            found: dict[str, Any] = {"parameters": parameters(model, whole)}
            for part, measure in measures.items():
                found |= cached(folder, part, model, measure if options.part in (None, part) else None)
            print(line(name, found, cells.get(name)), flush=True)
    for name in ("Popularity", "Markov chain"):
        if name in cells:
            print(f"| {name} |" + " |" * (len(HEAD) - 2) + f" {cells[name].metrics['MRR@20']:.4f} |")
    if not cells:
        print(f"\nnot run: {options.results} holds no cells of the zoo suite; python benchmark.py run zoo makes them")


if __name__ == "__main__":
    main()
