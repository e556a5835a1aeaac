"""Compiled loops of the counting baselines: counts, top-k lists, sums over the nearest sequences.

They share one file because numba does not rebuild a cached caller when a callee in another file changes.
"""
# ruff: noqa: ANN001, ANN201, ANN202  (numba infers these)

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

NEARLY = 1 - 1e-12  # products of rounded factors are this close to the truth


@njit(cache=True)
def count_both_ways(items, owners, num_profiles, num_items):
    """Build the six arrays of Profiles from events ordered by profile, by two counting sorts."""
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
    item_profiles = np.empty(len(items), dtype=np.int32)
    item_counts = np.empty(len(items), dtype=np.int32)
    profile_offsets = np.zeros(num_profiles + 1, dtype=np.int64)
    pairs = 0
    for i in range(num_items):
        for p in range(starts[i], starts[i + 1]):
            if p > starts[i] and by_item[p] == by_item[p - 1]:  # profiles ascend, so repeats are neighbours
                item_counts[pairs - 1] += 1
            else:
                item_profiles[pairs] = by_item[p]
                item_counts[pairs] = 1
                profile_offsets[by_item[p] + 1] += 1
                pairs += 1
        item_offsets[i + 1] = pairs
    profile_offsets = np.cumsum(profile_offsets)
    profile_items = np.empty(pairs, dtype=np.int32)
    profile_counts = np.empty(pairs, dtype=np.int32)
    cursor = profile_offsets[:-1].copy()
    for i in range(num_items):
        for p in range(item_offsets[i], item_offsets[i + 1]):
            place = cursor[item_profiles[p]]
            profile_items[place] = i
            profile_counts[place] = item_counts[p]
            cursor[item_profiles[p]] += 1
    by_profile = (profile_offsets, profile_items, profile_counts)
    return (*by_profile, item_offsets, item_profiles[:pairs].copy(), item_counts[:pairs].copy())


@njit(cache=True)
def _ranks_behind(value, item, other_value, other_item):
    """Whether (value, item) ranks behind the other: a lower value, or an equal one and a higher item number."""
    return value < other_value or (value == other_value and item > other_item)


@njit(cache=True)
def _offer(values, members, size, value, item):
    """Offer a candidate to a heap whose root is its worst member; return the new size."""
    if size < len(values):
        place = size
        while place > 0:
            parent = (place - 1) >> 1
            if not _ranks_behind(value, item, values[parent], members[parent]):
                break
            values[place], members[place] = values[parent], members[parent]
            place = parent
        values[place], members[place] = value, item
        return size + 1
    if _ranks_behind(values[0], members[0], value, item):
        _sink(values, members, size, value, item)
    return size


@njit(cache=True)
def _sink(values, members, size, value, item):
    """Replace the root by a candidate and restore the heap."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        if child + 1 < size and _ranks_behind(values[child + 1], members[child + 1], values[child], members[child]):
            child += 1
        if not _ranks_behind(values[child], members[child], value, item):
            break
        values[place], members[place] = values[child], members[child]
        place = child
    values[place], members[place] = value, item


@njit(cache=True)
def _order_key(count, power, divisor):
    """count^power / divisor: one rounding of whole numbers, so that equal fractions are equal numbers."""
    return np.float64(count) ** power / divisor


@njit(cache=True)
def _pop_all(values, members, size, factor, out_items, out_weights):
    """Write the members, best first, with their values times ``factor``."""
    for place in range(size - 1, -1, -1):
        out_items[place] = members[0]
        out_weights[place] = values[0] * factor
        _sink(values, members, place, values[place], members[place])


@njit(cache=True)
def cooccurrence_topk(profile_offsets, profile_items, profile_weights, item_offsets, item_profiles, item_weights, bits,
                      left, right, diagonal, power, divisors, neighbours, start, stop):  # fmt: skip
    """Compute the padded lists of items start … stop − 1; see cooccurrence_lists.

    Empty profile_weights or item_weights stand for weights of 1. bits (N, W) uint64 may be empty; otherwise bit u of
    row i is set where profile u holds i, all weights are 1, and popular items are counted by comparing rows of bits.
    """
    num_items, words = len(item_offsets) - 1, bits.shape[1]
    lengths = np.zeros(stop - start, dtype=np.int64)
    out_items = np.empty((stop - start, neighbours), dtype=np.int32)
    out_weights = np.empty((stop - start, neighbours), dtype=np.float32)
    counts = np.zeros(num_items, dtype=np.int32)
    touched = np.empty(num_items, dtype=np.int32)
    keys, ordered = np.empty((2, neighbours), dtype=np.float64)
    members = np.empty(neighbours, dtype=np.int64)
    for i in range(start, stop):
        work = 0
        for p in range(item_offsets[i], item_offsets[i + 1]):
            work += profile_offsets[item_profiles[p] + 1] - profile_offsets[item_profiles[p]]
        scan = work > num_items  # many pairs: scan all items instead of listing those met
        if scan and len(bits) and work > num_items * words // 4:
            _count_bits(bits, i, counts)
        elif scan:
            for p in range(item_offsets[i], item_offsets[i + 1]):
                profile = item_profiles[p]
                weight = item_weights[p] if len(item_weights) else 1
                if len(profile_weights):
                    for q in range(profile_offsets[profile], profile_offsets[profile + 1]):
                        counts[profile_items[q]] += weight * profile_weights[q]
                else:
                    for q in range(profile_offsets[profile], profile_offsets[profile + 1]):
                        counts[profile_items[q]] += weight
        met = num_items if scan else 0
        if not scan:
            for p in range(item_offsets[i], item_offsets[i + 1]):
                profile = item_profiles[p]
                weight = item_weights[p] if len(item_weights) else 1
                for q in range(profile_offsets[profile], profile_offsets[profile + 1]):
                    if counts[profile_items[q]] == 0:
                        touched[met] = profile_items[q]
                        met += 1
                    counts[profile_items[q]] += weight * (profile_weights[q] if len(profile_weights) else 1)
        size, bar = 0, 0.0
        for t in range(met):
            j = t if scan else touched[t]
            count = diagonal[i] if j == i else counts[j]
            if count > 0 and (size < neighbours or count * right[j] >= bar):
                size = _offer(keys, members, size, _order_key(count, power, divisors[j]), j)
                if size == neighbours:
                    worst = members[0]
                    bar = (diagonal[i] if worst == i else counts[worst]) * right[worst] * NEARLY
        lengths[i - start] = size
        _pop_all(keys, members, size, 1.0, out_items[i - start], ordered)
        for place in range(size):
            j = out_items[i - start, place]
            weight = (diagonal[i] if j == i else counts[j]) * right[j] * left[i]
            tied = place > 0 and ordered[place] == ordered[place - 1]
            out_weights[i - start, place] = out_weights[i - start, place - 1] if tied else weight
        for t in range(met):
            counts[t if scan else touched[t]] = 0
    return lengths, out_items, out_weights


@intrinsic
def _ones(typing_context, word):
    """The number of set bits of a uint64."""

    def build(context, builder, signature, arguments):
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), build


@njit(cache=True)
def pack_bits(item_offsets, item_profiles, words):
    """Pack bits (N, words) uint64: bit u of row i is set where profile u holds item i."""
    bits = np.zeros((len(item_offsets) - 1, words), dtype=np.uint64)
    for i in range(len(item_offsets) - 1):
        for p in range(item_offsets[i], item_offsets[i + 1]):
            bits[i, item_profiles[p] >> 6] |= np.uint64(1) << np.uint64(item_profiles[p] & 63)
    return bits


@njit(cache=True)
def _count_bits(bits, i, counts):
    """Count the profiles that hold both i and each other item, at least 64 profiles per instruction."""
    row = bits[i]
    for j in range(len(bits)):
        other = bits[j]
        total = np.uint64(0)
        for w in range(len(row)):
            total += _ones(row[w] & other[w])
        counts[j] = total


@njit(cache=True)
def successor_topk(items, ends, order, item_offsets, weights, factor, neighbours, last_only, start, stop):
    """Compute the padded lists of items start … stop − 1 with sums times ``factor``; see successor_lists."""
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
                continue  # a later occurrence of i in the sequence has a successor too
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
        _pop_all(values, members, size, factor, out_items[i - start], out_weights[i - start])
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
def nearest_sequence_sums(profile_offsets, profile_items, item_offsets, item_profiles, items, query_positions, excluded,
                          position_weights, scale, power, lag_weights, measure, boosts, sample_size, neighbours,
                          window):  # fmt: skip
    """Sum scores (M, N) float32 over the profiles nearest to each history; see nearest_sequences.NearestSequences.

    position_weights (T,) float64: position p (from 1) of a query of n events weighs position_weights[n − p] · (p / n)
    ** power / scale; lag_weights (T,): the weight of a profile by the lag of its newest shared event; measure 0 divides
    by the query's size, 1 by √(|q| |s|), 2 by |q ∪ s|. Whole position_weights have exact sums, and equal similarities
    are then equal numbers.
    """
    num_items, num_profiles = len(item_offsets) - 1, len(profile_offsets) - 1
    out = np.zeros((len(query_positions), num_items), dtype=np.float32)
    total = np.zeros(num_profiles, dtype=np.float64)
    shared = np.zeros(num_profiles, dtype=np.int32)
    newest = np.zeros(num_profiles, dtype=np.int32)
    touched = np.empty(num_profiles, dtype=np.int32)
    scratch = np.empty(num_profiles, dtype=np.int32)
    seen = np.full(num_items, -1, dtype=np.int64)
    keys = np.empty(neighbours, dtype=np.float64)
    members = np.empty(neighbours, dtype=np.int64)
    for m in range(len(query_positions)):
        row, read = query_positions[m]
        first = max(0, read - window)
        met, different = 0, 0
        for t in range(read - 1, first - 1, -1):
            item = items[row, t]
            if item < 0 or seen[item] == m:
                continue
            seen[item] = m
            different += 1
            weight = position_weights[read - 1 - t]
            for _ in range(power):
                weight *= t - first + 1
            stop = min(item_offsets[item + 1], item_offsets[item] + sample_size + 1)
            for p in range(item_offsets[item], stop):
                profile = item_profiles[p]
                if profile == excluded[m]:
                    continue
                if shared[profile] == 0:
                    touched[met] = profile
                    met += 1
                    newest[profile] = read - t
                total[profile] += weight
                shared[profile] += 1
        last = num_profiles
        if met > sample_size:
            scratch[:met] = touched[:met]
            last = _smallest(scratch, met, sample_size)
        size = 0
        for c in range(met):
            profile = touched[c]
            if profile <= last:
                length = profile_offsets[profile + 1] - profile_offsets[profile]
                if measure == 0:
                    key = total[profile]
                elif measure == 1:
                    key = _order_key(total[profile], 2, different * length)
                else:
                    key = total[profile] / (different + length - shared[profile])
                if key > 0 and (size < neighbours or key >= keys[0]):
                    size = _offer(keys, members, size, key, profile)
        divisor = scale * float(read - first) ** power
        for c in range(size):
            profile = members[c]
            value = keys[c]
            if measure == 0:
                value /= different
            elif measure == 1:
                value = total[profile] / np.sqrt(different * (profile_offsets[profile + 1] - profile_offsets[profile]))
            weight = value / divisor * lag_weights[newest[profile] - 1]
            for p in range(profile_offsets[profile], profile_offsets[profile + 1]):
                out[m, profile_items[p]] += np.float32(weight * boosts[profile_items[p]])
        for c in range(met):
            total[touched[c]] = 0
            shared[touched[c]] = 0
    return out
