"""Splits read back as words: for the tests of protocols."""

from recsys_data.interactions import Clock, Interactions


def events(histories, clock=Clock.WITHIN, **more):
    """Interactions from histories given as words: one word a user, one letter an event."""
    users = [u for u, word in enumerate(histories) for _ in word]
    return Interactions.from_events("toy", users, list("".join(histories)), None, clock=clock, **more)


def asked(split, part):
    """Every query of a part in letters: (cluster, what is read, targets); ? is an item training has not seen."""
    held_out = getattr(split, part)
    letters = split.item_ids
    rows = []
    for q in range(len(held_out)):
        read = held_out.sequences.row(held_out.sequence_of[q])[: held_out.history_lengths[q]]
        targets = held_out.targets[held_out.target_offsets[q] : held_out.target_offsets[q + 1]]
        words = "".join(letters[t] if t >= 0 else "?" for t in targets)
        rows.append((int(held_out.clusters[held_out.sequence_of[q]]), "".join(letters[read]), words))
    return rows


def trained(sequences, item_ids):
    """The training sequences as words."""
    return ["".join(item_ids[sequences.row(s)]) for s in range(len(sequences))]


def history(data, user):
    """The raw items and the times of a user's events."""
    span = slice(data.offsets[user], data.offsets[user + 1])
    return data.item_ids[data.items[span]].tolist(), data.timestamps[span].tolist()
