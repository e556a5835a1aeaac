"""The rules of the contract on what is learnt: planted signals, times and users, and chance where there is nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.contract.rules import PLANTED, TIMES
from harness.contract.subject import HISTORIES, PROTOCOL, USERS, Subject, histories, planted_split
from recsys_data.generated.planted_gaps import PlantedGaps
from recsys_data.generated.planted_habits import PlantedHabits
from recsys_data.sequences import SequenceBatch

NEAR_BEST = 0.9  # of the best possible MRR@20, at small size
ABOVE_CHANCE = 1.2  # times chance
NOTICEABLE = 1e-6  # a difference of scores
_SIZE = "settings may be too small or the training too short for it: try others with --set FIELD=VALUE"


def learns_its_signals(subject: Subject) -> Iterator[str]:
    """It is near the best possible MRR@20 on generated events of each planted signal that it declares."""
    for signal in sorted(subject.signals & PLANTED):
        split = planted_split(signal)
        model = subject.fitted() if signal == "order" else subject.fit(split)
        found, best = subject.measured(model, split.test, split), split.facts["best"]["MRR@20"]
        if not found > NEAR_BEST * best:
            yield (f"it declares the signal {signal!r}, but on events of that signal its MRR@20 is {found:.3f}; "
                   f"expected more than {NEAR_BEST * best:.3f}, {NEAR_BEST:.0%} of the best possible {best:.3f} "
                   f"(chance: {split.facts['chance']['MRR@20']:.3f}); {_SIZE}")  # fmt: skip


def reads_times_and_users_as_declared(subject: Subject) -> Iterator[str]:
    """Scores depend on the times of events if and only if declared, and on the user where declared."""
    model, signals = subject.fitted(), subject.signals
    minutes, days = (subject.scores(model, _spaced(gap)) for gap in (60.0, 86_400.0))
    several = np.array([len(history) > 1 for history in HISTORIES])
    changed = (np.abs(minutes - days).max(axis=1) > NOTICEABLE)[several]
    if signals & TIMES and not changed.all():
        yield (f"it declares the signal {min(signals & TIMES)!r}, but events a minute apart and a day apart get the "
               f"same scores: it does not read batch.timestamps")  # fmt: skip
    if not signals & TIMES and changed.all():
        yield ("its scores depend on the times of events, which it does not declare: add \"time\" or \"gaps\" to "
               "signals")  # fmt: skip
    if "users" in signals:
        others = subject.scores(model, SequenceBatch.of(HISTORIES, users=USERS[::-1]))
        if not (np.abs(others - subject.scores(model, histories())).max(axis=1) > NOTICEABLE).all():
            yield ("it declares the signal 'users', but another user with the same history gets the same scores: it "
                   "does not read batch.users")  # fmt: skip


def learns_from_users_or_gaps(subject: Subject) -> Iterator[str]:
    """It is more than halfway from the best without users (or gaps) to the best with them, where declared."""
    what = next((name for name in ("gaps", "users") if name in subject.signals), None)
    if what is None:
        return
    if what == "gaps":
        data = PlantedGaps(decides=getattr(subject.model, "gap", "previous"), num_users=200)
    else:
        data = PlantedHabits(habits=4, num_users=160, num_items=12, stray=0.1)
    split = PROTOCOL.prepare(data.load())
    found = subject.measured(subject.fit(split), split.test, split)
    best, without = split.facts["best"]["MRR@20"], split.facts["chance"]["MRR@20"]
    if not found > (best + without) / 2:
        yield (f"it declares the signal {what!r}, but on events where {what} decide its MRR@20 is {found:.3f}; "
               f"expected more than {(best + without) / 2:.3f} (the best without {what}: {without:.3f}, with: "
               f"{best:.3f}); {_SIZE}")  # fmt: skip


def is_near_chance_on_permuted_events(subject: Subject) -> Iterator[str]:
    """On the same events in random order it does no better than chance: else it has seen what it must not see."""
    split = planted_split("order", permuted=True)
    found = subject.measured(subject.fit(split), split.test, split)
    chance = split.facts["chance"]["MRR@20"]
    if not found < ABOVE_CHANCE * chance:
        yield (f"on events in random order, where nothing can be learnt, its MRR@20 is {found:.3f}; expected less than "
               f"{ABOVE_CHANCE * chance:.3f} (chance: {chance:.3f}): it has seen the events that it is to predict"
               )  # fmt: skip


def _spaced(gap: float) -> SequenceBatch:
    """The histories with ``gap`` seconds between two events."""
    times = [[1.0e9 + gap * place for place in range(len(history))] for history in HISTORIES]
    return SequenceBatch.of(HISTORIES, timestamps=times, users=USERS)
