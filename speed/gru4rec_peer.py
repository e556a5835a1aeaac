"""The official GRU4Rec's own fit, run from its checkout; prints JSON lines.

    OMP_NUM_THREADS=1 PYTHON speed/gru4rec_peer.py FOLDER CHECKOUT [--batches 160] [--epochs N] [--batch 256]

FOLDER holds encore/encore.inter (written by speed.peers); CHECKOUT is one of hidasib/GRU4Rec_PyTorch_Official; sessions
are users. Without --epochs: targets per CPU second over each 20 batches after 40 warm-up batches, and peak memory. With
--epochs: after every epoch CPU seconds, MRR@20 and Recall@20 on the last event of each user; the last two events of
each user are not in training, the whole history is read, all items are ranked. Cross-entropy on 2,048 samples,
AdaGrad 0.05, no dropout, embedding 64, hidden 128. Imports nothing of this project, so that it runs without it.
"""

import argparse
import contextlib
import io
import json
import resource
import sys
import time

import numpy as np
import pandas as pd
import torch


class EnoughBatches(Exception):
    """Raised out of the official fit when enough batches have been timed."""


def emit(**record):
    """Print one record to the real stdout; the official code's output is captured."""
    print(json.dumps(record), file=sys.__stdout__, flush=True)


@torch.no_grad()
def evaluate(gru, codes, histories):
    """MRR@20 and Recall@20 of the last item of each history after all before it; ties count against the model."""
    gru.model.eval()
    reciprocal = []
    for start in range(0, len(histories), 256):
        part = sorted(histories[start : start + 256], key=len, reverse=True)
        hidden = [torch.zeros(len(part), gru.layers[0])]
        for step in range(len(part[0]) - 1):
            alive = sum(len(history) - 1 > step for history in part)  # the longest come first
            read = torch.tensor([codes[history[step]] for history in part[:alive]])
            state = [hidden[0][:alive]]
            gru.model.hidden_step(gru.model.embed_separate(read)[0], state)
            hidden[0][:alive] = state[0]
        scores = gru.model.score_items(hidden[0], gru.model.Wy.weight, gru.model.By.weight)
        target = torch.tensor([codes[history[-1]] for history in part])
        rank = (scores >= scores.gather(1, target[:, None])).sum(dim=1).double()
        reciprocal += torch.where(rank <= 20, 1 / rank, 0.0).tolist()
    gru.model.train()
    return float(np.mean(reciprocal)), float(np.mean(np.asarray(reciprocal) > 0))


def main():
    """Read and prepare the data, then time or train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("checkout")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--batches", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - the generator of the official code
    sys.path.insert(0, options.checkout)
    import gru4rec_pytorch as official

    events = pd.read_csv(f"{options.folder}/encore/encore.inter", sep="\t")
    events.columns = ["SessionId", "ItemId", "Time"]
    histories = [items.tolist() for _, items in events.groupby("SessionId").ItemId]
    left = events.groupby("SessionId").cumcount(ascending=False)
    train = events[left >= 2].copy()
    gru = official.GRU4Rec(device=torch.device("cpu"))
    iterate, times = official.SessionDataIterator.__call__, []
    codes, spent = {}, [0.0]

    def timed_batches(self, *args, **named):
        """Yield the official batches, timed; evaluate the model after the last one of an epoch."""
        codes.update(self.itemidmap.to_dict())
        started = time.process_time()
        for number, batch in enumerate(iterate(self, *args, **named)):
            if not options.epochs:
                times.append((time.process_time(), len(batch[0])))
                if number > 40 + options.batches:
                    raise EnoughBatches
            yield batch
        spent[0] += time.process_time() - started
        known = [history for history in histories if len(history) >= 3 and history[-1] in codes]
        mrr, recall = evaluate(gru, codes, [[item for item in history if item in codes] for history in known])
        emit(seconds=spent[0], mrr=mrr, recall=recall, targets=len(known))

    official.SessionDataIterator.__call__ = timed_batches
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(EnoughBatches):
        gru.set_params(layers=[128], embedding=64, constrained_embedding=False, batch_size=options.batch, n_sample=2048,
                       loss="cross-entropy", n_epochs=max(1, options.epochs), learning_rate=0.05, momentum=0.0,
                       dropout_p_embed=0.0, dropout_p_hidden=0.0)  # fmt: skip
        # its compatibility mode builds non-square weights transposed, so that embedding ≠ hidden would fail
        gru.fit(train, sample_cache_max_size=2_000_000, compatibility_mode=False)
    if not options.epochs:
        rates = [
            sum(rows for _, rows in times[at : at + 20]) / (times[at + 20][0] - times[at][0])
            for at in range(40, len(times) - 20, 20)
        ]
        emit(rates=rates, memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
