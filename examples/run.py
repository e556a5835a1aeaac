"""Judge other code, in one command: export the split, train with its code in its environment, judge by its ranks.

    python examples/run.py gru4rec_official --python PEER/bin/python --checkout GRU4Rec_PyTorch_Official
    python examples/run.py recbole --python PEER/bin/python

PEER is an environment with the packages of examples/<name>/environment.txt. --epochs and --seeds make a trial shorter;
its ranks then go to another folder, and no suite reads them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parent / "benchmark.py"


def main() -> None:
    """Export, train each seed, and run the example's suite."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", choices=("gru4rec_official", "recbole"))
    parser.add_argument("--python", required=True, help="the interpreter of the other code's environment")
    parser.add_argument("--checkout", default="", help="the checkout of hidasib/GRU4Rec_PyTorch_Official")
    parser.add_argument("--dataset", default="ml-100k", choices=tuple(json.loads((HERE / "settings.json").read_text())))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--epochs", type=int, help="fewer epochs, for a trial")
    parser.add_argument("--work", type=Path, default=Path("examples-work"), help="folder of the exported split")
    options = parser.parse_args()
    if options.example == "gru4rec_official" and not options.checkout:
        parser.error("--checkout is missing: give the folder of hidasib/GRU4Rec_PyTorch_Official")
    settings = json.loads((HERE / "settings.json").read_text())[options.dataset]
    kind = {"gru4rec_official": "session", "recbole": "recbole"}[options.example]
    split = options.work / f"{options.dataset}-{kind}"
    if not split.exists():
        run(sys.executable, PROGRAM, "data", "export", options.dataset, "--split", "--protocol", settings["protocol"],
            "--format", kind, "-o", split)  # fmt: skip
    trial = options.epochs is not None
    ranks = options.work / "trial-ranks" if trial else HERE / options.example / "ranks" / options.dataset
    ranks.mkdir(parents=True, exist_ok=True)
    for seed in options.seeds.split(","):
        run(options.python, HERE / options.example / "train.py", "--split", split, "--dataset", options.dataset,
            "--out", ranks, "--seed", seed, *(["--epochs", options.epochs] if trial else []),
            *(["--checkout", options.checkout] if options.checkout else []))  # fmt: skip
    if trial:
        print(f"trial ranks in {ranks}; without --epochs the suite reads {HERE / options.example / 'ranks'}")
    else:
        run(sys.executable, PROGRAM, "run", HERE / options.example / "suite.py", "--only", f"{options.dataset}/*")


def run(*command: object) -> None:
    """Run a command; end with its exit code if it fails."""
    words = [str(word) for word in command]
    print("$", " ".join(words), flush=True)
    done = subprocess.run(words)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
