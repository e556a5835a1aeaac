"""The compiled loops behind item lists and neighbouring units: counting, keeping the best, one accumulator at a time.

They stand in one file because a compiled caller that is kept on disk is not rebuilt when a callee elsewhere changes.
"""
# ruff: noqa: ANN001, ANN201, ANN202  (numba infers these)

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic


@njit(cache=True)
def count_both_ways(items, owners, num_units, num_items):
    """The six arrays of Units from events in the order of their units, by two counting sorts."""
    starts = np.zeros(num_items + 1, dtype=np.int64)
    for e in range(len(items)):
        starts[items[e] + 1] += 1
    starts = np.cumsum(starts)
    by_item = np.empty(len(items), dtype=np.int32)
    cursor = starts[:-1].copy()
    for e in range(len(items)):
        by_item[cursor[items[e]]] = owners[e]
        cursor[items[e]] += 1
    item_offsets = np.zeros(num_items + 1, dtype=np.int64)
    item_units = np.empty(len(items), dtype=np.int32)
    item_counts = np.empty(len(items), dtype=np.int32)
    unit_offsets = np.zeros(num_units + 1, dtype=np.int64)
    pairs = 0
    for i in range(num_items):
        for p in range(starts[i], starts[i + 1]):
            if p > starts[i] and by_item[p] == by_item[p - 1]:  # units ascend, so repeats are neighbours
                item_counts[pairs - 1] += 1
            else:
                item_units[pairs] = by_item[p]
                item_counts[pairs] = 1
                unit_offsets[by_item[p] + 1] += 1
                pairs += 1
        item_offsets[i + 1] = pairs
    unit_offsets = np.cumsum(unit_offsets)
    unit_items = np.empty(pairs, dtype=np.int32)
    unit_counts = np.empty(pairs, dtype=np.int32)
    cursor = unit_offsets[:-1].copy()
    for i in range(num_items):
        for p in range(item_offsets[i], item_offsets[i + 1]):
            place = cursor[item_units[p]]
            unit_items[place] = i
            unit_counts[place] = item_counts[p]
            cursor[item_units[p]] += 1
    return unit_offsets, unit_items, unit_counts, item_offsets, item_units[:pairs].copy(), item_counts[:pairs].copy()


@njit(cache=True)
def _worse(value, item, other_value, other_item):
    """Whether (value, item) ranks behind the other: less weight, or as much and a higher number."""
    return value < other_value or (value == other_value and item > other_item)


@njit(cache=True)
def _offer(values, members, size, value, item):
    """Offer one candidate to a heap whose root is its worst member; returns the new size."""
    if size < len(values):
        place = size
        while place > 0:
            parent = (place - 1) >> 1
            if not _worse(value, item, values[parent], members[parent]):
                break
            values[place], members[place] = values[parent], members[parent]
            place = parent
        values[place], members[place] = value, item
        return size + 1
    if _worse(values[0], members[0], value, item):
        _sink(values, members, size, value, item)
    return size


@njit(cache=True)
def _sink(values, members, size, value, item):
    """Put a candidate in the place of the root and restore the heap."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _worse(values[child + 1], members[child + 1], values[child], members[child]):
            child += 1
        if not _worse(values[child], members[child], value, item):
            break
        values[place], members[place] = values[child], members[child]
        place = child
    values[place], members[place] = value, item


@njit(cache=True)
def _empty_heap(values, members, size, factor, out_items, out_weights):
    """Write the members best first, their weights times ``factor``."""
    for place in range(size - 1, -1, -1):
        out_items[place] = members[0]
        out_weights[place] = values[0] * factor
        _sink(values, members, place, values[place], members[place])


@njit(cache=True)
def together(unit_offsets, unit_items, unit_weights, item_offsets, item_units, item_weights, bits,
             left, right, own, neighbours, start, stop):  # fmt: skip
    """Padded best lists of items start … stop − 1; see cooccurrence.top_together.

    unit_weights and item_weights may be empty: every weight is 1. bits (N, W) uint64 may be empty too; else bit u of
    row i says whether unit u holds i, all weights are 1, and popular items are counted by comparing rows of bits.
    """
    num_items, words = len(item_offsets) - 1, bits.shape[1]
    lengths = np.zeros(stop - start, dtype=np.int64)
    out_items = np.empty((stop - start, neighbours), dtype=np.int32)
    out_weights = np.empty((stop - start, neighbours), dtype=np.float32)
    counts = np.zeros(num_items, dtype=np.int32)
    touched = np.empty(num_items, dtype=np.int32)
    values = np.empty(neighbours, dtype=np.float64)
    members = np.empty(neighbours, dtype=np.int64)
    for i in range(start, stop):
        work = 0
        for p in range(item_offsets[i], item_offsets[i + 1]):
            work += unit_offsets[item_units[p] + 1] - unit_offsets[item_units[p]]
        scan = work > num_items  # many pairs: look through all items rather than remember which were met
        if scan and len(bits) and work > num_items * words // 4:
            _count_bits(bits, i, counts)
        elif scan:
            for p in range(item_offsets[i], item_offsets[i + 1]):
                unit = item_units[p]
                weight = item_weights[p] if len(item_weights) else 1
                if len(unit_weights):
                    for q in range(unit_offsets[unit], unit_offsets[unit + 1]):
                        counts[unit_items[q]] += weight * unit_weights[q]
                else:
                    for q in range(unit_offsets[unit], unit_offsets[unit + 1]):
                        counts[unit_items[q]] += weight
        met = num_items if scan else 0
        if not scan:
            for p in range(item_offsets[i], item_offsets[i + 1]):
                unit = item_units[p]
                weight = item_weights[p] if len(item_weights) else 1
                for q in range(unit_offsets[unit], unit_offsets[unit + 1]):
                    if counts[unit_items[q]] == 0:
                        touched[met] = unit_items[q]
                        met += 1
                    counts[unit_items[q]] += weight * (unit_weights[q] if len(unit_weights) else 1)
        size = 0
        for t in range(met):
            j = t if scan else touched[t]
            count = own[i] if j == i else counts[j]
            if count > 0:
                value = count * right[j]
                if size < neighbours or value >= values[0]:
                    size = _offer(values, members, size, value, j)
            counts[j] = 0
        lengths[i - start] = size
        _empty_heap(values, members, size, left[i], out_items[i - start], out_weights[i - start])
    return lengths, out_items, out_weights


@intrinsic
def _ones(typing_context, word):
    """The number of one bits of a uint64."""

    def build(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


@njit(cache=True)
def pack_bits(item_offsets, item_units, words):
    """Bits (N, words) uint64: bit u of row i says whether unit u holds item i."""
    bits = np.zeros((len(item_offsets) - 1, words), dtype=np.uint64)
    for i in range(len(item_offsets) - 1):
        for p in range(item_offsets[i], item_offsets[i + 1]):
            bits[i, item_units[p] >> 6] |= np.uint64(1) << np.uint64(item_units[p] & 63)
    return bits


@njit(cache=True)
def _count_bits(bits, i, counts):
    """Write how many units hold both i and each other item; exact, 64 units an instruction or more."""
    row = bits[i]
    for j in range(len(bits)):
        other = bits[j]
        total = np.uint64(0)
        for w in range(len(row)):
            total += _ones(row[w] & other[w])
        counts[j] = total


@njit(cache=True)
def following(items, ends, order, item_offsets, weights, neighbours, last_only, start, stop):
    """Padded best lists of items start … stop − 1; see top_following."""
    num_items = len(item_offsets) - 1
    lengths = np.zeros(stop - start, dtype=np.int64)
    out_items = np.empty((stop - start, neighbours), dtype=np.int32)
    out_weights = np.empty((stop - start, neighbours), dtype=np.float32)
    sums = np.zeros(num_items, dtype=np.float64)
    met = np.zeros(num_items, dtype=np.bool_)
    touched = np.empty(num_items, dtype=np.int32)
    values = np.empty(neighbours, dtype=np.float64)
    members = np.empty(neighbours, dtype=np.int64)
    for i in range(start, stop):
        num_met = 0
        for p in range(item_offsets[i], item_offsets[i + 1]):
            event = order[p]
            if last_only and p + 1 < item_offsets[i + 1] and order[p + 1] + 1 < ends[event]:
                continue  # the sequence takes i again, and goes on after it
            for place in range(event + 1, min(event + 1 + len(weights), ends[event])):
                j = items[place]
                if j < 0:
                    continue
                if not met[j]:
                    met[j] = True
                    touched[num_met] = j
                    num_met += 1
                sums[j] += weights[place - event - 1]
        size = 0
        for t in range(num_met):
            j = touched[t]
            if sums[j] > 0:
                size = _offer(values, members, size, sums[j], j)
            sums[j] = 0
            met[j] = False
        lengths[i - start] = size
        _empty_heap(values, members, size, 1.0, out_items[i - start], out_weights[i - start])
    return lengths, out_items, out_weights


@njit(cache=True)
def _smallest(numbers, count, wanted):
    """The ``wanted``-th smallest of the first ``count`` numbers, which are reordered (Hoare's quickselect)."""
    low, high = 0, count - 1
    while low < high:
        pivot = numbers[(low + high) >> 1]
        left, right = low, high
        while left <= right:
            while numbers[left] < pivot:
                left += 1
            while numbers[right] > pivot:
                right -= 1
            if left <= right:
                numbers[left], numbers[right] = numbers[right], numbers[left]
                left += 1
                right -= 1
        if wanted - 1 <= right:
            high = right
        elif wanted - 1 >= left:
            low = left
        else:
            break
    return numbers[wanted - 1]


@njit(cache=True)
def near_units(unit_offsets, unit_items, item_offsets, item_units, items, asked, banned, places, power, lags, measure,
               boosts, sample_size, neighbours, window):  # fmt: skip
    """Scores (M, N) float32 summed over the units nearest to each history; see near_units.NearUnits.

    places (T,) float64: the weight of place p (from 1) in a query of n events is places[n − p] · (p / n) ** power; lags
    (T,): the weight of a unit by the lag of its newest shared event; measure 0 divides by the query's size, 1 by
    √(|q| |s|), 2 by |q ∪ s|.
    """
    num_items, num_units = len(item_offsets) - 1, len(unit_offsets) - 1
    out = np.zeros((len(asked), num_items), dtype=np.float32)
    total = np.zeros(num_units, dtype=np.float64)
    shared = np.zeros(num_units, dtype=np.int32)
    newest = np.zeros(num_units, dtype=np.int32)
    touched = np.empty(num_units, dtype=np.int32)
    scratch = np.empty(num_units, dtype=np.int32)
    seen = np.full(num_items, -1, dtype=np.int64)
    values = np.empty(neighbours, dtype=np.float64)
    members = np.empty(neighbours, dtype=np.int64)
    for m in range(len(asked)):
        row, read = asked[m]
        first = max(0, read - window)
        met, different = 0, 0
        for t in range(read - 1, first - 1, -1):
            item = items[row, t]
            if item < 0 or seen[item] == m:
                continue
            seen[item] = m
            different += 1
            weight = places[read - 1 - t]
            for _ in range(power):
                weight *= (t - first + 1) / (read - first)
            stop = min(item_offsets[item + 1], item_offsets[item] + sample_size + 1)
            for p in range(item_offsets[item], stop):
                unit = item_units[p]
                if unit == banned[m]:
                    continue
                if shared[unit] == 0:
                    touched[met] = unit
                    met += 1
                    newest[unit] = read - t
                total[unit] += weight
                shared[unit] += 1
        last = num_units
        if met > sample_size:
            scratch[:met] = touched[:met]
            last = _smallest(scratch, met, sample_size)
        size = 0
        for c in range(met):
            unit = touched[c]
            if unit <= last:
                length = unit_offsets[unit + 1] - unit_offsets[unit]
                if measure == 0:
                    value = total[unit] / different
                elif measure == 1:
                    value = total[unit] / np.sqrt(different * length)
                else:
                    value = total[unit] / (different + length - shared[unit])
                if value > 0 and (size < neighbours or value >= values[0]):
                    size = _offer(values, members, size, value, unit)
            total[unit] = 0
            shared[unit] = 0
        for c in range(size):
            unit = members[c]
            weight = values[c] * lags[newest[unit] - 1]
            for p in range(unit_offsets[unit], unit_offsets[unit + 1]):
                out[m, unit_items[p]] += np.float32(weight * boosts[unit_items[p]])
    return out
