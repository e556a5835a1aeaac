"""The networks of the user-based GRUs; equations and switches in user_gru.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from recsys_data.sequences import SequenceBatch
from recsys_models.engine.cells.gru import AttentionalGRUCell, GRUResetBeforeCell, RectifiedGRUCell
from recsys_models.networks.network import Generators, NextItemNetwork, check_items, items_with_start
from training.batches.stateful_windows import StatefulBatch
from training.batches.windows import WindowBatch
from training.control.dropout import Dropout

BOUND = 0.1  # of U(−BOUND, BOUND), from which all weights are drawn
NEAR_ZERO = 0.01
ITEM_FIRST_BIAS = -3.0


class StandardNetwork(NextItemNetwork):
    """Item vectors, a GRU with the reset gate before the product, and an output matrix."""

    num_gates = 3

    def __init__(self, model: Any, num_items: int, generators: Generators) -> None:
        super().__init__()
        self.dim, self.generator = model.dim, generators.weights
        self.item_embedding = self.uniform(num_items + 1, self.dim)
        self.weight = self.uniform(self.dim, self.num_gates * self.dim)
        self.bias = self.uniform(self.num_gates * self.dim)
        self.recurrent = self.uniform(self.dim, 2 * self.dim)
        self.candidate = self.uniform(self.dim, self.dim)
        self.output = self.uniform(num_items, self.dim)
        self.item_bias = self.uniform(num_items)
        self.dropout = Dropout(model.dropout, generators.dropout)
        self.output_dropout = Dropout(model.output_dropout, generators.dropout)
        self.carry: torch.Tensor | None = None

    def uniform(self, *shape: int, bound: float = BOUND) -> nn.Parameter:
        """A new weight drawn from U(−bound, bound)."""
        return nn.Parameter(torch.empty(*shape).uniform_(-bound, bound, generator=self.generator))

    @property
    def item_factors(self) -> torch.Tensor:
        """The output matrix, (num_items, H)."""
        return self.output

    def hidden(self, items: torch.Tensor, users: np.ndarray, initial: torch.Tensor) -> torch.Tensor:
        """States (T, B, H) after every step of item vectors (T, B, H) of ``users`` (B,)."""
        weights = (self.recurrent, self.candidate)
        return self.engine.unroll(GRUResetBeforeCell(), items, self.weight, self.bias, (initial,), weights)[0]

    def encode_training(self, batch: WindowBatch, positions: torch.Tensor) -> torch.Tensor:
        """Encode the steps of windows; stateful windows go on from the last batch's states, without gradient."""
        items = self.dropout(self.embed(batch.inputs.T))
        initial = items.new_zeros(items.shape[1], self.dim)
        if isinstance(batch, StatefulBatch) and not batch.fresh.all():
            fresh = torch.from_numpy(batch.fresh).to(self.device)[:, None]
            initial = self.carry[torch.from_numpy(batch.slots).to(self.device)].masked_fill(fresh, 0.0)
        states = self.hidden(items, batch.users, initial)
        if isinstance(batch, StatefulBatch):
            if self.carry is None or len(self.carry) != batch.num_slots:
                self.carry = items.new_zeros(batch.num_slots, self.dim)
            self.carry[torch.from_numpy(batch.slots).to(self.device)] = states[-1].detach()
        return self.output_dropout(states.transpose(0, 1).flatten(0, 1)[positions])

    def encode(self, batch: SequenceBatch) -> torch.Tensor:
        """Encode each query from its history."""
        check_items(batch, len(self.item_bias))
        items = self.embed(items_with_start(batch).T)
        rows, reads = torch.from_numpy(batch.query_positions).to(self.device).unbind(1)
        return self.hidden(items, batch.users, items.new_zeros(items.shape[1], self.dim))[reads, rows]


class LinearNetwork(StandardNetwork):
    """A standard network with a vector for each user, which enters all gates."""

    user_gates = 3  # the last gates, which read the user's vector outside the loop

    def __init__(self, model: Any, num_items: int, num_users: int, generators: Generators) -> None:
        super().__init__(model, num_items, generators)
        self.user_embedding = self.uniform(num_users, self.dim)
        self.user_weight = self.uniform(self.dim, self.user_gates * self.dim)
        self.user_dropout = Dropout(model.user_dropout, generators.dropout)
        self.by_rows = self.user_embedding.row_sparse = model.user_updates == "rows"
        self.masks_each_step = model.user_mask == "step" and model.user_dropout > 0.0
        self.unseen = 0

    def user_matrices(self) -> list[torch.Tensor]:
        """The matrices that multiply the user's vector."""
        return [self.user_weight]

    def own_vectors(self, users: np.ndarray) -> torch.Tensor:
        """The vectors of ``users`` (…), (…, H), before dropout; the mean of all for a user unseen in training."""
        unseen = (users < 0) | (users >= len(self.user_embedding))
        rows = torch.from_numpy(np.where(unseen, 0, users)).to(self.device)
        vectors = nn.functional.embedding(rows, self.user_embedding, sparse=self.by_rows)
        if not unseen.any():
            return vectors
        self.unseen += int(unseen.sum())
        return torch.where(
            torch.from_numpy(unseen).to(self.device)[..., None], self.user_embedding.mean(dim=0), vectors
        )

    def user_vectors(self, users: np.ndarray) -> torch.Tensor:
        """The vectors of ``users`` (B,), (B, H), or of (B, T), (T, B, H), before dropout."""
        return self.own_vectors(users.T)

    def drop(self, vectors: torch.Tensor, steps: int) -> torch.Tensor:
        """Apply dropout to ``vectors``; (T, B, H) if each step has its own mask."""
        if self.training and self.masks_each_step:
            return self.user_dropout(vectors.expand(steps, -1, -1).contiguous())
        if vectors.dim() == 2:
            return self.user_dropout(vectors)
        return vectors * self.user_dropout(torch.ones_like(vectors[0]))

    def input_side(self, items: torch.Tensor, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, weight and bias for the engine; a vector shared by all steps becomes part of its row's bias."""
        missing = self.bias.shape[0] - self.user_weight.shape[1]
        if vectors.dim() == 2:
            return items, self.weight, self.bias + nn.functional.pad(vectors @ self.user_weight, (missing, 0))
        first = self.weight.shape[1] - self.user_weight.shape[1]
        weight = torch.cat([self.weight, nn.functional.pad(self.user_weight, (first, 0))])
        return torch.cat([items, vectors], dim=2), weight, self.bias

    def hidden(self, items: torch.Tensor, users: np.ndarray, initial: torch.Tensor) -> torch.Tensor:
        """States with the user in every gate."""
        side = self.input_side(items, self.drop(self.user_vectors(users), len(items)))
        return self.engine.unroll(GRUResetBeforeCell(), *side, (initial,), (self.recurrent, self.candidate))[0]


class RectifiedNetwork(LinearNetwork):
    """A linear network that filters the user's vector by thresholds at every step."""

    num_gates = 5

    def __init__(self, model: Any, num_items: int, num_users: int, generators: Generators) -> None:
        self.user_gates = (
            2 if model.filter_candidate else 3
        )  # the thresholds, and the candidate if it reads the whole vector
        super().__init__(model, num_items, num_users, generators)
        self.filtered = self.uniform(self.dim, (3 if model.filter_candidate else 2) * self.dim)
        self.thresholds = self.uniform(self.dim, 2 * self.dim)
        self.compares_whole = model.thresholds_see == "whole"
        self.cell = RectifiedGRUCell(model.slope, straight_through=model.threshold_gradient == "straight-through")

    def user_matrices(self) -> list[torch.Tensor]:
        """The matrices of the whole and of the filtered vector."""
        return [self.user_weight, self.filtered]

    def hidden(self, items: torch.Tensor, users: np.ndarray, initial: torch.Tensor) -> torch.Tensor:
        """States with the filtered user in every gate."""
        whole = self.user_vectors(users)
        vectors = self.drop(whole, len(items))
        weights = (self.recurrent, self.candidate, self.filtered, self.thresholds)
        extra_inputs = [vectors.expand(len(items), -1, -1)]
        if self.compares_whole:
            extra_inputs.append(whole.detach().expand(len(items), -1, -1))
        return self.engine.unroll(self.cell, *self.input_side(items, vectors), (initial,), weights, extra_inputs)[0]


class AttentionalNetwork(LinearNetwork):
    """A linear network with an attention gate between the item's vector and the user's."""

    num_gates = 4
    user_gates = 1  # ξ

    def __init__(self, model: Any, num_items: int, num_users: int, generators: Generators) -> None:
        super().__init__(model, num_items, num_users, generators)
        bound = NEAR_ZERO if model.attention_init == "near zero" else BOUND
        gate_first = model.bracket == "gate first"
        self.cell = AttentionalGRUCell(gate_first=gate_first)
        self.weight = self.uniform(self.dim, self.dim, bound=bound)
        self.user_weight = self.uniform(self.dim, self.dim, bound=bound)
        self.attention = self.uniform(self.dim, self.dim, bound=bound)
        self.mixed = self.uniform(2 * self.dim, (3 if gate_first else 2) * self.dim)
        self.turn_item = None if gate_first else self.uniform(self.dim, self.dim)
        self.turn_user = None if gate_first else self.uniform(self.dim, self.dim)
        with torch.no_grad():
            self.bias[3 * self.dim :].uniform_(-bound, bound, generator=self.generator)
            if model.attention_init == "item first":
                self.bias[3 * self.dim :] = ITEM_FIRST_BIAS

    def user_matrices(self) -> list[torch.Tensor]:
        """The matrices of the whole and of the weighed vector."""
        projected = [] if self.turn_user is None else [self.turn_user]
        return [self.user_weight, self.mixed[self.dim :], *projected]

    def hidden(self, items: torch.Tensor, users: np.ndarray, initial: torch.Tensor) -> torch.Tensor:
        """States with item and user weighed by attention."""
        vectors = self.drop(self.user_vectors(users), len(items))
        side = self.input_side(items, vectors)
        extra_inputs = [items, vectors.expand(len(items), -1, -1)]
        if self.turn_item is not None:
            extra_inputs += [items @ self.turn_item, (vectors @ self.turn_user).expand(len(items), -1, -1)]
        weights = (self.recurrent, self.candidate, self.mixed, self.attention)
        return self.engine.unroll(self.cell, *side, (initial,), weights, extra_inputs)[0]
