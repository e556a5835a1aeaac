"""Blocks of causal self-attention and a feed-forward layer; equations in sasrec.py."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.control.dropout import Dropout

EPSILON = 1e-8  # inside LayerNorm's root, as in SASRec's code


def uniform_weight(inputs: int, outputs: int, generator: torch.Generator) -> nn.Parameter:
    """A matrix drawn from U(±√(6 / (inputs + outputs)))."""
    bound = (6.0 / (inputs + outputs)) ** 0.5
    return nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound, generator=generator))


class LayerNorm(nn.Module):
    """Layer normalisation over the last dimension, with a gain that starts at 1 and a shift that starts at 0."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(dim))
        self.shift = nn.Parameter(torch.zeros(dim))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The normalised values."""
        return functional.layer_norm(values, self.gain.shape, self.gain, self.shift, EPSILON)


class AttentionBlock(nn.Module):
    """Self-attention over the steps so far, then a feed-forward layer, each beside its input; "official" as in sasrec.

    query, key, value, inner, outer: (D, D); with ``official``, query, key and value have biases (D,).
    """

    def __init__(self, dim: int, heads: int, dropout: Dropout, generator: torch.Generator, *, official: bool) -> None:
        super().__init__()
        self.heads, self.dropout, self.official = heads, dropout, official
        for name in ("query", "key", "value", "inner", "outer"):
            setattr(self, name, uniform_weight(dim, dim, generator))
            if official or name in ("inner", "outer"):
                setattr(self, f"{name}_bias", nn.Parameter(torch.zeros(dim)))
        self.attention_norm, self.forward_norm = LayerNorm(dim), LayerNorm(dim)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The outputs (B, T, D) of inputs (B, T, D)."""
        normed = self.attention_norm(values)
        if self.official:
            values = normed + self.attend(normed, values)
            normed = self.forward_norm(values)
            return normed + self.dropout(self.layer("outer", self.dropout(self.layer("inner", normed).relu())))
        values = values + self.dropout(self.attend(normed, normed))
        normed = self.forward_norm(values)
        return values + self.dropout(self.layer("outer", self.layer("inner", normed).relu()))

    def layer(self, name: str, values: torch.Tensor) -> torch.Tensor:
        """One of the affine maps of the last dimension."""
        return functional.linear(values, getattr(self, name).T, getattr(self, f"{name}_bias", None))

    def attend(self, queries: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """The attended values (B, T, D) of every step, from the steps up to it."""
        q, k, v = (
            self.layer(name, read).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, D / heads)
            for name, read in (("query", queries), ("key", values), ("value", values))
        )
        if self.official and self.training and self.dropout.rate > 0.0:  # with masks from the fit's own generator
            future = torch.ones(q.shape[2], q.shape[2], dtype=torch.bool, device=q.device).triu(1)
            weights = (q @ k.transpose(2, 3) * q.shape[3] ** -0.5).masked_fill(future, -torch.inf).softmax(dim=3)
            attended = self.dropout(weights) @ v
        else:
            attended = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return attended.transpose(1, 2).flatten(2)
