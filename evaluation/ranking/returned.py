"""Checks of a model's scores: each refusal says what was expected and what ``score`` returned."""

from __future__ import annotations

from typing import Any

from recsys_data.scores import Scores

_KINDS = "Dense, Factored or Sparse from recsys_data.scores"


def check_scores(scores: Any, num_queries: int, num_items: int, model: Any) -> None:
    """Raise ValueError unless ``scores`` are Scores with one row per query and one column per item."""
    expected = f"{type(model).__name__}.score must return {_KINDS} for {num_queries} queries × {num_items} items"
    if not hasattr(scores, "block"):
        raise ValueError(f"{expected}, got {described(scores)}{_remedy(scores)}")
    try:
        shape = tuple(scores.shape)
    except (AttributeError, TypeError) as error:  # Dense([…]) of a list
        held = ", ".join(f"{name} = {described(value)}" for name, value in vars(scores).items())
        raise ValueError(f"{expected}, got {type(scores).__name__} of no arrays: {held}") from error
    if shape != (num_queries, num_items):
        raise ValueError(f"{expected}, got {type(scores).__name__} scores of shape {shape}")


def check_block(block: Any, scores: Scores, num_rows: int, num_items: int, model: Any) -> None:
    """Raise ValueError unless a block of scores is an array or tensor of real numbers, a row per query."""
    expected = f"{type(model).__name__}.score must return scores that are finite real numbers"
    if not (hasattr(block, "shape") and hasattr(block, "dtype")):
        raise ValueError(f"{expected}, got {type(scores).__name__} with a block that is {described(block)}")
    if tuple(block.shape) != (num_rows, num_items):
        raise ValueError(f"{expected} of shape {(num_rows, num_items)}, got a block of shape {tuple(block.shape)}")
    kind = getattr(block.dtype, "kind", None)  # of NumPy; a tensor has numbers only
    if (kind is not None and kind not in "fiub") or (kind is None and block.dtype.is_complex):
        raise ValueError(f"{expected}, got {type(scores).__name__} with values of type {block.dtype}")


def described(value: Any) -> str:
    """A value's type and size in a message."""
    if value is None:
        return "None"
    name = "NumPy array" if type(value).__module__ == "numpy" else type(value).__name__
    if hasattr(value, "shape"):
        return f"a {name} of shape {tuple(value.shape)}"
    return f"a {name} of {len(value)} values" if hasattr(value, "__len__") else f"a {name}"


def _remedy(scores: Any) -> str:
    """The end of the message for values that only need a wrapper or a return statement."""
    if scores is None:
        return "; does it end with a return statement?"
    if hasattr(scores, "shape"):
        return "; wrap it: Dense(scores)"
    return "; make it an array and wrap it: Dense(np.array(scores))" if isinstance(scores, list | tuple) else ""
