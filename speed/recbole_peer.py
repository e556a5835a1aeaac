"""RecBole's own training loop and evaluation, run by an interpreter that has RecBole; prints JSON lines.

    OMP_NUM_THREADS=1 RECBOLE_PYTHON speed/recbole_peer.py FOLDER MODEL [--steps 6] [--epochs N] [--batch 2048]
        [--learning-rate 1e-3] [--patience 10] [--pairwise]

FOLDER holds encore/encore.inter (written by speed.peers). Without --epochs: targets per CPU second of each step after
two warm-up steps, and peak memory. With --epochs: after every epoch the loss, CPU seconds, MRR@20 and Recall@20 on the
last event of each user, and MRR@20 on the last but one (RecBole's leave-one-out, all items ranked), until the latter
has not improved for --patience epochs, RecBole's rule. Settings are RecBole's defaults except for the sizes (embedding
64, hidden 128, no dropout), the full softmax and the learning rate, if given. Imports nothing of this project.
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


def emit(**record):
    """Print one record."""
    print(json.dumps(record), flush=True)


def settings(folder, batch, pairwise, learning_rate):
    """RecBole's configuration; ``pairwise``: its own loss over one sampled negative instead of the full softmax."""
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
    emit(rates=rates, memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def curve(trainer, train, validation, test, epochs, patience):
    """Print one record per epoch, until validation has not improved for ``patience`` epochs."""
    spent, best, waited = 0.0, -1.0, 0
    for epoch in range(epochs):
        started = time.process_time()
        loss = trainer._train_epoch(train, epoch, show_progress=False)
        spent += time.process_time() - started
        validated = trainer.evaluate(validation, load_best_model=False, show_progress=False)["mrr@20"]
        found = {"validation": validated, "loss": float(loss) / len(train), "seconds": spent}
        tested = trainer.evaluate(test, load_best_model=False, show_progress=False)
        emit(epoch=epoch, mrr=tested["mrr@20"], recall=tested["recall@20"], **found)
        best, waited = (validated, 0) if validated > best else (best, waited + 1)
        if waited == patience:
            return


def main():
    """Read and prepare the data, then time or train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("model")
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--patience", type=int, default=10)
    parser.add_argument("--pairwise", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    configured = settings(options.folder, options.batch, options.pairwise, options.learning_rate)
    config = Config(model=options.model, dataset="encore", config_dict=configured)
    config["device"] = torch.device("cpu")
    init_seed(1, False)
    train, validation, test = data_preparation(config, create_dataset(config))
    model = get_model(config["model"])(config, train._dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    if options.epochs:
        curve(trainer, train, validation, test, options.epochs, options.patience)
    else:
        time_steps(model, trainer, train, options.steps)


if __name__ == "__main__":
    main()
