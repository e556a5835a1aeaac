"""Build a Split from events marked as training, validation or test: the common part of all protocols."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from recsys_data.interactions import Interactions
from recsys_data.protocols.candidates import ALL_ITEMS, Candidates, SampledItems
from recsys_data.protocols.targets import EVERY_POSITION, TargetRule
from recsys_data.sequences import UNKNOWN, Sequences
from recsys_data.split import TEST, TRAIN, UNUSED, VALIDATION, HeldOut, Split, TrainingSet

_VERBS = {"drop": "dropped", "miss": "counted as misses", "candidate": "kept as candidates"}
UNSEEN = tuple(_VERBS)


def assemble(
    interactions: Interactions,
    parts: np.ndarray,
    *,
    unseen: str,
    target_rule: TargetRule | None = None,
    validate: bool = True,
    expose_query_times: bool = False,
    candidates: Candidates | None = None,
    windows: np.ndarray | None = None,
    steps: Sequence[dict[str, Any]] = (),
) -> Split:
    """The split in which event e belongs to part ``parts[e]`` (UNUSED, TRAIN, VALIDATION or TEST; (E,) int8).

    The candidates are the items of the training part. A held-out sequence is the user's whole history up to the last
    event of that part, so a recurrent model reads it once. An item unseen in training is removed from the histories; as
    a target it is dropped ("drop") or counts as a miss ("miss"). With "candidate" it stays in histories, targets and
    candidates. ``windows`` ((E,), ascending) numbers held-out sequences shorter than whole histories: a query does not
    read beyond the start of its window. Raises ValueError where the training part, the test part, or (if ``validate``)
    the validation part is empty.

    Split.facts adds to the facts of the data ``unit`` and ``in_train_and_test``, the number of users (or sessions) with
    events in both parts.
    """
    check_unseen(unseen)
    if not (parts == TRAIN).any():
        raise ValueError(f"{interactions.name}: no event is left to train on; use more data or a smaller held-out part")
    trained = np.bincount(interactions.items[parts == TRAIN], minlength=interactions.num_items) > 0
    known_items = np.flatnonzero(trained | (unseen == "candidate"))
    item_codes = np.full(interactions.num_items, UNKNOWN, dtype=np.int32)
    item_codes[known_items] = np.arange(len(known_items), dtype=np.int32)
    train, user_codes = _train(interactions, parts == TRAIN, item_codes, len(known_items))
    rule = EVERY_POSITION if target_rule is None else target_rule
    ranked = ALL_ITEMS if candidates is None else candidates
    owners = interactions.users if windows is None else windows
    report, held_out = list(steps), {}
    for part, name in ((VALIDATION, "validation"), (TEST, "test")):
        built = _hold_out(interactions, owners, parts, part, item_codes, user_codes, unseen, rule)
        held_out[name] = built = _with(built, expose_query_times, ranked)
        if not len(built) and (part == TEST or validate):
            raise ValueError(
                f"{interactions.name}: the {name} part has no query: none of its {np.count_nonzero(parts == part):,} "
                "events can be a target; use more data or a larger held-out part"
            )
        lost = int(np.count_nonzero(~trained[interactions.items[parts == part]]))
        report.append(
            {
                "step": f"{name}: events whose item training has not seen: {_VERBS[unseen]}",
                "part": name,
                "unseen": lost,
                "of": int(np.count_nonzero(parts == part)),
                "removed": lost if unseen == "drop" else 0,
                "events": len(built.targets),
                "users": len(built.sequences),
                "items": len(np.unique(built.targets[built.targets >= 0])),
            }
        )
    facts = {key: value for key, value in interactions.facts.items() if key != "caveats"}
    both = np.intersect1d(interactions.users[parts == TRAIN], interactions.users[parts == TEST])
    facts |= {"unit": interactions.unit, "in_train_and_test": len(both)}
    return Split(
        train=train,
        **held_out,
        item_ids=interactions.item_ids[known_items],
        steps=tuple(report),
        caveats=(*interactions.facts.get("caveats", ()), *([ranked.caveat] if ranked.caveat else [])),
        facts=facts,
        user_ids=interactions.user_ids,
        train_clusters=np.unique(interactions.users[parts == TRAIN]),
    )


def unseen_suffix(unseen: str, usual: str) -> str:
    """The addition to a protocol's name where its rule for unseen items is not the ``usual`` one."""
    return "" if unseen == usual else f", unseen items {_VERBS[unseen]}"


def check_unseen(unseen: str) -> None:
    """Raise ValueError unless ``unseen`` is one of UNSEEN."""
    if unseen not in UNSEEN:
        raise ValueError(f"unseen must be one of {', '.join(UNSEEN)}, got {unseen!r}")


def _train(
    interactions: Interactions, mask: np.ndarray, item_codes: np.ndarray, num_items: int
) -> tuple[TrainingSet, np.ndarray]:
    """The training set of the masked events, and each user's number in it ((num_users,) int32, UNKNOWN if absent)."""
    of_users = np.bincount(interactions.users[mask], minlength=interactions.num_users)
    owners = np.flatnonzero(of_users)
    lengths = of_users[owners]
    anonymous = interactions.unit != "user"
    user_codes = np.full(interactions.num_users, UNKNOWN, dtype=np.int32)
    if not anonymous:
        user_codes[owners] = np.arange(len(owners), dtype=np.int32)
    sequences = Sequences(
        items=item_codes[interactions.items[mask]],
        timestamps=interactions.timestamps[mask],
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        users=user_codes[owners],
    )
    return TrainingSet(sequences, 0 if anonymous else len(owners), num_items, interactions.clock), user_codes


def _hold_out(
    interactions: Interactions,
    owners: np.ndarray,
    parts: np.ndarray,
    part: int,
    item_codes: np.ndarray,
    user_codes: np.ndarray,
    unseen: str,
    target_rule: TargetRule,
) -> HeldOut:
    """Build a held-out part with its query times; ``owners`` (E,), ascending, numbers its sequences."""
    stops = np.zeros(int(owners[-1]) + 1, dtype=np.int64)  # one past the sequence's last event of this part
    held = np.flatnonzero(parts == part)
    stops[owners[held]] = held + 1  # ascending: the last one stays
    codes = item_codes[interactions.items]
    kept = (np.arange(len(interactions)) < stops[owners]) & (parts != UNUSED)
    if unseen == "drop":
        kept &= codes != UNKNOWN
    events = np.flatnonzero(kept)
    codes, owners, users = codes[events], owners[events], interactions.users[events]
    queries = target_rule.select(owners, _positions(owners), parts[events] == part)

    queried = np.unique(owners[queries.cuts]) if len(queries.cuts) else np.empty(0, dtype=owners.dtype)
    firsts = np.searchsorted(owners, queried, side="left")
    readable = (codes != UNKNOWN) & np.isin(owners, queried)
    read_before = np.concatenate([[0], np.cumsum(readable)])  # readable events before each event
    offsets = read_before[firsts]
    rows = np.searchsorted(queried, owners[queries.cuts])
    sequences = Sequences(
        items=codes[readable],
        timestamps=interactions.timestamps[events][readable],
        offsets=np.concatenate([offsets, [read_before[-1]]]).astype(np.int64),
        users=user_codes[users[firsts]],
    )
    return HeldOut(
        sequences=sequences,
        sequence_of=rows.astype(np.int64),
        history_lengths=(read_before[queries.cuts] - offsets[rows]).astype(np.int64),
        query_times=interactions.timestamps[events][queries.cuts],
        targets=codes[queries.targets],
        target_offsets=queries.target_offsets.astype(np.int64),
        clusters=users[firsts].astype(np.int32),
    )


def _with(held_out: HeldOut, expose_query_times: bool, candidates: Candidates) -> HeldOut:
    """``held_out`` with its candidates, and without query times unless they are exposed."""
    changes: dict[str, Any] = {"exclude_seen": candidates.exclude_seen}
    if not expose_query_times:
        changes["query_times"] = np.full(len(held_out), np.nan)
    if isinstance(candidates, SampledItems):
        changes |= {"num_sampled": candidates.count, "repeats": candidates.repeats, "sample_seed": candidates.seed}
    return replace(held_out, **changes)


def _positions(owners: np.ndarray) -> np.ndarray:
    """The position of each event in its owner's run, from 0; owners ascending."""
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]][: len(owners)])
    return np.arange(len(owners)) - np.repeat(starts, np.diff(np.r_[starts, len(owners)]))
