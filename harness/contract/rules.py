"""The rules of the contract that concern fitting and single answers; rules_of_learning.py has those on what is learnt.

A rule is a function of a Subject that yields a sentence for each way in which the model breaks it.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.contract.subject import HISTORIES, SEED, USERS, Subject, few_users, histories, planted_split, widened
from harness.spec import written_form
from recsys_data.sequences import SequenceBatch
from training.run import Run

PLANTED = frozenset({"order", "co-occurrence", "repeats", "popularity"})  # each has generated data of its own
TIMES = frozenset({"time", "gaps"})  # signals in timestamps
SIGNALS = PLANTED | TIMES | {"users", "chance"}  # "chance": nothing is learnt
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # two ways of computing one score


def declares_itself(subject: Subject) -> Iterator[str]:
    """It is a dataclass value with deterministic, family, signals and fields that can be part of a key."""
    model, kind = subject.model, type(subject.model).__name__
    if not dataclasses.is_dataclass(model) or isinstance(model, type):
        yield (f"{kind} is no dataclass: write @dataclass above the class, with its hyper-parameters as fields, since "
               f"they are part of each result's key")  # fmt: skip
        return
    if not isinstance(getattr(model, "deterministic", None), bool):
        yield (f"{kind} does not say whether the seed has an effect: add deterministic: ClassVar[bool] = False (or "
               f"True where it has none)")  # fmt: skip
    if not isinstance(family := getattr(model, "family", None), str) or not family:
        yield f'{kind} names no family: add family: ClassVar[str] = "recurrent" (or "popularity", "neighbours", …)'
    if not subject.signals:
        yield (f'{kind} declares no signals: add signals: ClassVar[frozenset[str]] = frozenset({{"order"}}) with what '
               f"it can learn: {', '.join(sorted(SIGNALS))}")  # fmt: skip
    for signal in sorted(subject.signals - SIGNALS):
        yield f"{kind} declares the unknown signal {signal!r}: expected {', '.join(sorted(SIGNALS))}"
    try:
        written_form(model)
    except TypeError as error:
        yield f"{kind} has a field that no key can hold: {error}"


def leaves_the_fields_alone(subject: Subject) -> Iterator[str]:
    """``fit`` changes no field, returns the fitted model and keeps what it learnt in attributes that end in _."""
    fitted, before = subject.fitted(), subject.model
    for field in dataclasses.fields(before) if dataclasses.is_dataclass(before) else ():
        old, new = getattr(before, field.name, None), getattr(fitted, field.name, None)
        if field.compare and _differ(old, new):
            yield (f"fit changed the field {field.name} from {_short(old)} to {_short(new)}: fields are "
                   f"hyper-parameters; keep what is learnt apart from them, as self.{field.name}_")  # fmt: skip
    if not [name for name in vars(fitted) if name.endswith("_")]:
        yield ("fit has set no attribute whose name ends in _, so nothing learnt can be found: name learnt state so, "
               "such as self.weights_")  # fmt: skip


def repeats_to_the_bit(subject: Subject) -> Iterator[str]:
    """A second fit with the same seed, of the fitted model or of a fresh one, gives the same scores to the bit."""
    split, batch = planted_split("order"), histories()
    expected = subject.scores(subject.fitted(), batch)
    again = subject.scores(subject.fit(split, model=subject.fitted()), batch)
    if np.array_equal(expected, again):
        return
    fresh = subject.scores(subject.fit(split), batch)
    if np.array_equal(expected, fresh):
        yield (f"fitting a fitted model again gives other scores (by up to {_apart(expected, again)}) than fitting a "
               f"fresh one: fit begins from what an earlier fit left; set all learnt state anew in fit")  # fmt: skip
    else:
        yield (f"two fits with the same seed give different scores (by up to {_apart(expected, fresh)}): draw every "
               f"random number from run, with run.generator(purpose) for NumPy or run.derived_seed(purpose) for "
               f"torch.Generator().manual_seed, and from no global generator")  # fmt: skip


def seed_has_no_effect_where_declared(subject: Subject) -> Iterator[str]:
    """A model that declares itself deterministic gives the same scores with another seed."""
    if getattr(subject.model, "deterministic", None) is not True:
        return
    batch = histories()
    here = subject.scores(subject.fitted(), batch)
    other = subject.scores(subject.fit(planted_split("order"), SEED + 1), batch)
    if not np.array_equal(here, other):
        yield (f"it declares deterministic = True, but another seed gives other scores (by up to "
               f"{_apart(here, other)}): declare False, so that it runs once per seed")  # fmt: skip


def scores_each_row_by_itself(subject: Subject) -> Iterator[str]:
    """A history alone and the same history in a batch get the same scores."""
    model = subject.fitted()
    together = subject.scores(model, histories())
    alone = [subject.scores(model, SequenceBatch.of([row], users=[u])) for u, row in zip(USERS, HISTORIES, strict=True)]
    if not np.allclose(together, np.vstack(alone), **CLOSE):
        yield (f"a history alone and the same history in a batch get different scores (by up to "
               f"{_apart(together, np.vstack(alone))}): rows of a batch must not affect each other, and a short row "
               f"is filled with −1 on its right; batch.last_items() and batch.query_positions say where it ends"
               )  # fmt: skip


def ignores_padding(subject: Subject) -> Iterator[str]:
    """More padded slots on the right of every row change no score."""
    model, batch = subject.fitted(), histories()
    narrow, wide = subject.scores(model, batch), subject.scores(model, widened(batch))
    if not np.allclose(narrow, wide, **CLOSE):
        yield (f"five more padded slots (item −1) on the right of each row change the scores by up to "
               f"{_apart(narrow, wide)}: read row r of a query (r, n) up to its n-th event only, not to the end of the "
               f"row")  # fmt: skip


def reads_no_later_event(subject: Subject) -> Iterator[str]:
    """A query after n events of a longer row equals the query on these n events: nothing later leaks in."""
    model, row = subject.fitted(), HISTORIES[2]
    inside = subject.scores(model, SequenceBatch.of([row], users=[1], query_positions=[(0, 2), (0, 5)]))
    for m, read in enumerate((2, 5)):
        cut = subject.scores(model, SequenceBatch.of([row[:read]], users=[1]))
        if not np.allclose(inside[m], cut[0], **CLOSE):
            yield (f"the scores after {read} events change by up to {_apart(inside[m], cut[0])} when the row holds "
                   f"{len(row) - read} later events: the model reads the future (the events to predict); use only "
                   f"the first batch.query_positions[m, 1] events for query m")  # fmt: skip


def answers_an_empty_history(subject: Subject) -> Iterator[str]:
    """An empty history and an unknown user (−1) get finite scores."""
    answer = subject.scores(subject.fitted(), SequenceBatch.of([[], [2, 3]], users=[-1, -1]))
    for row, what in enumerate(("an empty history of an unknown user (−1)", "an unknown user (−1)")):
        if not np.isfinite(answer[row]).all():
            yield f"{what} gets NaN or infinite scores: give every query a finite score for every item"


def answers_items_unseen_in_training(subject: Subject) -> Iterator[str]:
    """A history of items that training has not seen gets finite scores, and every item of the catalogue has one."""
    train = few_users()
    last = train.num_items - 1
    model = subject.able_to_score(copy.deepcopy(subject.model).fit(train, Run(SEED)))
    answer = subject.scores(model, SequenceBatch.of([[last, last], [3, last, 1]], users=[0, 1]), train.num_items)
    if not np.isfinite(answer).all():
        yield ("a history with an item that training has not seen gets NaN or infinite scores: the catalogue has "
               "train.num_items items, whether or not training has events of them")  # fmt: skip


def _differ(old: Any, new: Any) -> bool:
    """Whether two values of a field differ; arrays differ from everything."""
    try:
        return bool(old != new)
    except (ValueError, RuntimeError):  # an array or tensor has no single truth value
        return True


def _short(value: Any) -> str:
    """A value in at most 60 characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}…"


def _apart(first: np.ndarray, second: np.ndarray) -> str:
    """The largest difference of two arrays of scores in a message."""
    difference = np.abs(first - second)
    return "NaN" if np.isnan(difference).any() else f"{difference.max():.3g}"
