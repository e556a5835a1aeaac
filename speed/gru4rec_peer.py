"""The official GRU4Rec's own fit, run from its checkout; prints a JSON line at a time.

    OMP_NUM_THREADS=1 PYTHON speed/gru4rec_peer.py FOLDER CHECKOUT [--batches 160] [--epochs N] [--batch 256]

FOLDER holds encore/encore.inter (speed.peers writes it); CHECKOUT is one of hidasib/GRU4Rec_PyTorch_Official; sessions
are users. Without --epochs: targets per CPU second over each 20 batches after 40 to warm up, and the most memory held.
With --epochs: CPU seconds and MRR@20 and Recall@20 on the last event of each user after every epoch, the last two of
each user being kept from training, the whole history read, all items ranked. Cross-entropy on 2,048 samples, AdaGrad
0.05, no dropout, embedding 64, hidden 128. Imports nothing of this project, so that it runs without it.
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


class Enough(Exception):
    """Raised out of the official fit when enough batches have been timed."""


def say(**record):
    """Print one record, past what the official code prints."""
    print(json.dumps(record), file=sys.__stdout__, flush=True)


@torch.no_grad()
def ranked(gru, codes, histories):
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
    """Read, prepare, and do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("checkout")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--batches", type=int, default=160)
    parser.add_argument("--epochs", type=int, default=0)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002 - what the official code draws from
    sys.path.insert(0, wanted.checkout)
    import gru4rec_pytorch as official

    events = pd.read_csv(f"{wanted.folder}/encore/encore.inter", sep="\t")
    events.columns = ["SessionId", "ItemId", "Time"]
    histories = [items.tolist() for _, items in events.groupby("SessionId").ItemId]
    left = events.groupby("SessionId").cumcount(ascending=False)
    train = events[left >= 2].copy()
    gru = official.GRU4Rec(device=torch.device("cpu"))
    iterate, stamps = official.SessionDataIterator.__call__, []
    codes, spent = {}, [0.0]

    def watched(self, *args, **named):
        """The official batches, timed; after the last of an epoch the model is evaluated."""
        codes.update(self.itemidmap.to_dict())
        started = time.process_time()
        for number, batch in enumerate(iterate(self, *args, **named)):
            if not wanted.epochs:
                stamps.append((time.process_time(), len(batch[0])))
                if number > 40 + wanted.batches:
                    raise Enough
            yield batch
        spent[0] += time.process_time() - started
        known = [history for history in histories if len(history) >= 3 and history[-1] in codes]
        mrr, recall = ranked(gru, codes, [[item for item in history if item in codes] for history in known])
        say(seconds=spent[0], mrr=mrr, recall=recall, targets=len(known))

    official.SessionDataIterator.__call__ = watched
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Enough):
        gru.set_params(layers=[128], embedding=64, constrained_embedding=False, batch_size=wanted.batch, n_sample=2048,
                       loss="cross-entropy", n_epochs=max(1, wanted.epochs), learning_rate=0.05, momentum=0.0,
                       dropout_p_embed=0.0, dropout_p_hidden=0.0)  # fmt: skip
        # its compatibility mode builds non-square weights transposed, so that embedding ≠ hidden would fail
        gru.fit(train, sample_cache_max_size=2_000_000, compatibility_mode=False)
    if not wanted.epochs:
        rates = [
            sum(rows for _, rows in stamps[at : at + 20]) / (stamps[at + 20][0] - stamps[at][0])
            for at in range(40, len(stamps) - 20, 20)
        ]
        say(rates=rates, memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
