"""RecBole's own training loop and evaluation, run by the interpreter that has RecBole; prints a JSON line at a time.

    OMP_NUM_THREADS=1 RECBOLE_PYTHON speed/recbole_peer.py FOLDER MODEL [--steps 6] [--epochs N] [--batch 2048]
        [--learning-rate 1e-3] [--patience 10] [--pairwise]

FOLDER holds encore/encore.inter (speed.peers writes it). Without --epochs: targets per CPU second of each step after
two to warm up, and the most memory held. With --epochs: the loss, CPU seconds, MRR@20 and Recall@20 on the last event
of each user, and MRR@20 on the last but one, after every epoch (RecBole's leave-one-out, all items ranked), until the
last but one has not got better for as many epochs as RecBole waits, --patience. Settings are RecBole's own but for the
sizes (embedding 64, hidden 128, no dropout), the full softmax and a learning
rate if one is given. Imports nothing of this project.
"""

import argparse
import json
import logging
import resource
import tempfile
import time

import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed


def say(**record):
    """Print one record."""
    print(json.dumps(record), flush=True)


def settings(folder, batch, pairwise, learning_rate):
    """What RecBole is told; ``pairwise``: its own loss over one sampled negative, instead of the full softmax."""
    softmax = {} if pairwise else {"train_neg_sample_args": None, "loss_type": "CE"}
    return {
        "data_path": folder,
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "TIME_FIELD": "timestamp",
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
        "metrics": ["Recall", "MRR"],
        "topk": [20],
        "valid_metric": "MRR@20",
        "metric_decimal_place": 6,
        "train_batch_size": batch,
        "eval_batch_size": 4096,
        **softmax,
        "embedding_size": 64,
        "hidden_size": 128,
        "num_layers": 1,
        "dropout_prob": 0.0,
        "learning_rate": learning_rate,
        "MAX_ITEM_LIST_LENGTH": 50,
        "use_gpu": False,
        "gpu_id": "",
        "show_progress": False,
        "seed": 1,
        "reproducibility": False,
        "save_dataset": False,
        "state": "ERROR",
        "checkpoint_dir": tempfile.mkdtemp(),
        "worker": 0,
    }


def time_steps(model, trainer, train, steps, warm=2):
    """Print the rate of each step: the loader, forward, backward, optimiser."""
    model.train()
    batches, rates = iter(train), []
    for number in range(warm + steps):
        started = time.process_time()
        batch = next(batches)
        trainer.optimizer.zero_grad()
        model.calculate_loss(batch).backward()
        trainer.optimizer.step()
        if number >= warm:
            rates.append(len(batch) / (time.process_time() - started))
    say(rates=rates, memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def curve(trainer, train, validation, test, epochs, patience):
    """Print a record an epoch, until validation has not got better for ``patience`` epochs."""
    spent, best, waited = 0.0, -1.0, 0
    for epoch in range(epochs):
        started = time.process_time()
        loss = trainer._train_epoch(train, epoch, show_progress=False)
        spent += time.process_time() - started
        kept = trainer.evaluate(validation, load_best_model=False, show_progress=False)["mrr@20"]
        found = {"validation": kept, "loss": float(loss) / len(train), "seconds": spent}
        tested = trainer.evaluate(test, load_best_model=False, show_progress=False)
        say(epoch=epoch, mrr=tested["mrr@20"], recall=tested["recall@20"], **found)
        best, waited = (kept, 0) if kept > best else (best, waited + 1)
        if waited == patience:
            return


def main():
    """Read, prepare, and do what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--pairwise", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    told = settings(wanted.folder, wanted.batch, wanted.pairwise, wanted.learning_rate)
    config = Config(model=wanted.model, dataset="encore", config_dict=told)
    config["device"] = torch.device("cpu")
    init_seed(1, False)
    train, validation, test = data_preparation(config, create_dataset(config))
    model = get_model(config["model"])(config, train._dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    if wanted.epochs:
        curve(trainer, train, validation, test, wanted.epochs, wanted.patience)
    else:
        time_steps(model, trainer, train, wanted.steps)


if __name__ == "__main__":
    main()
