"""Compiled steps of pairwise learning: one event at a time, ascending ln σ(x̂_i − x̂_j) − λ‖Θ‖² / 2 each step.

All gradients of a step are taken at the parameters before it (an item that occurs twice in one context gets its two
updates one after the other). One thread and a fixed order give equal bits; the compiler may reassociate sums, always in
the same way on one machine. A negative of −1 skips the step; a negative equal to the target, possible with unchecked
draws, has no gradient: the step only decays.
"""
# ruff: noqa: ANN001, ANN201, ANN202  (numba infers these)

from __future__ import annotations

import numpy as np
from numba import njit

FAST = {"reassoc", "contract", "nsz"}


@njit(cache=True, fastmath=FAST)
def _gradient_and_loss(margin):
    """The gradient 1 − σ(margin) and the loss −ln σ(margin), without overflow."""
    if margin > 0:
        small = np.exp(-margin)
        return small / (1 + small), np.log1p(small)
    small = np.exp(margin)
    return 1 / (1 + small), np.log1p(small) - margin


@njit(cache=True, fastmath=FAST)
def bpr_steps(rows, targets, negatives, users, items, biases, rate, reg_user, reg_positive, reg_negative,
              reg_bias, with_biases):  # fmt: skip
    """Take steps of x̂_ui = b_i + ⟨w_u, h_i⟩ on triples (m,); return the loss sum and the number of steps taken."""
    dim = users.shape[1]
    loss, taken = 0.0, 0
    rate = np.float32(rate)
    reg_user, reg_positive = np.float32(reg_user), np.float32(reg_positive)
    reg_negative, reg_bias = np.float32(reg_negative), np.float32(reg_bias)
    for m in range(len(rows)):
        i, j = targets[m], negatives[m]
        if j < 0:
            continue
        user, liked, other = users[rows[m]], items[i], items[j]
        margin = biases[i] - biases[j] if with_biases else np.float32(0)
        for f in range(dim):
            margin += user[f] * (liked[f] - other[f])
        gradient, cost = _gradient_and_loss(np.float64(margin))
        loss += cost
        taken += 1
        step = np.float32(gradient) if i != j else np.float32(0)
        for f in range(dim):
            w, h, g = user[f], liked[f], other[f]
            user[f] = w + rate * (step * (h - g) - reg_user * w)
            liked[f] = h + rate * (step * w - reg_positive * h)
            other[f] = g + rate * (-step * w - reg_negative * g)
        if with_biases:
            biases[i] += rate * (step - reg_bias * biases[i])
            biases[j] += rate * (-step - reg_bias * biases[j])
    return loss, taken


@njit(cache=True, fastmath=FAST)
def fpmc_steps(rows, contexts, targets, negatives, users, items, next_items, last_items, gammas, rate, weight_decay,
               learn_gammas, with_users):  # fmt: skip
    """Take steps of x̂ = ⟨v_u, v_i⟩ + Σ_k γ_k ⟨v_i^next, v_{l_k}^last⟩; return as bpr_steps does.

    contexts (m, W): the last items, newest first, padded with −1; gammas (W,) weigh them.
    """
    dim, length = users.shape[1], next_items.shape[1]
    context = np.empty(length, dtype=np.float32)
    loss, taken = 0.0, 0
    rate, weight_decay = np.float32(rate), np.float32(weight_decay)
    for m in range(len(rows)):
        i, j = targets[m], negatives[m]
        if j < 0:
            continue
        context[:] = 0
        for k in range(contexts.shape[1]):
            if contexts[m, k] >= 0:
                for f in range(length):
                    context[f] += gammas[k] * last_items[contexts[m, k], f]
        user, liked, other = users[rows[m]], items[i], items[j]
        near, far = next_items[i], next_items[j]
        margin = np.float32(0)
        if with_users:
            for f in range(dim):
                margin += user[f] * (liked[f] - other[f])
        for f in range(length):
            margin += context[f] * (near[f] - far[f])
        gradient, cost = _gradient_and_loss(np.float64(margin))
        loss += cost
        taken += 1
        step = np.float32(gradient) if i != j else np.float32(0)
        if with_users:
            for f in range(dim):
                w, h, g = user[f], liked[f], other[f]
                user[f] = w + rate * (step * (h - g) - weight_decay * w)
                liked[f] = h + rate * (step * w - weight_decay * h)
                other[f] = g + rate * (-step * w - weight_decay * g)
        for k in range(contexts.shape[1]):
            if contexts[m, k] >= 0:
                last = last_items[contexts[m, k]]
                slope = np.float32(0)
                for f in range(length):
                    slope += last[f] * (near[f] - far[f])
                    last[f] += rate * (step * gammas[k] * (near[f] - far[f]) - weight_decay * last[f])
                if learn_gammas:
                    gammas[k] += rate * (step * slope - weight_decay * gammas[k])
        for f in range(length):
            h, g = near[f], far[f]
            near[f] = h + rate * (step * context[f] - weight_decay * h)
            far[f] = g + rate * (-step * context[f] - weight_decay * g)
    return loss, taken


@njit(cache=True, fastmath=FAST)
def shared_steps(rows, contexts, targets, negatives, users, items, biases, gammas, rate, weight_decay, learn_gammas,
                 with_users):  # fmt: skip
    """Take steps of x̂ = b_i + ⟨p_u + Σ_k γ_k q_{l_k}, q_i⟩ with one table of items; return as bpr_steps does."""
    dim = items.shape[1]
    query = np.empty(dim, dtype=np.float32)
    apart = np.empty(dim, dtype=np.float32)
    slopes = np.empty(contexts.shape[1], dtype=np.float32)
    loss, taken = 0.0, 0
    rate, weight_decay = np.float32(rate), np.float32(weight_decay)
    for m in range(len(rows)):
        i, j = targets[m], negatives[m]
        if j < 0:
            continue
        for f in range(dim):
            query[f] = users[rows[m], f] if with_users else np.float32(0)
            apart[f] = items[i, f] - items[j, f]
        for k in range(contexts.shape[1]):
            if contexts[m, k] >= 0:
                for f in range(dim):
                    query[f] += gammas[k] * items[contexts[m, k], f]
        margin = biases[i] - biases[j]
        for f in range(dim):
            margin += query[f] * apart[f]
        gradient, cost = _gradient_and_loss(np.float64(margin))
        loss += cost
        taken += 1
        step = np.float32(gradient) if i != j else np.float32(0)
        for k in range(contexts.shape[1] if learn_gammas else 0):
            slopes[k] = np.float32(0)
            for f in range(dim if contexts[m, k] >= 0 else 0):
                slopes[k] += items[contexts[m, k], f] * apart[f]
        # an item may be both target and context: gradients add up, and it decays once for each role
        for f in range(dim):
            items[i, f] += rate * (step * query[f] - weight_decay * items[i, f])
            items[j, f] += rate * (-step * query[f] - weight_decay * items[j, f])
        for k in range(contexts.shape[1]):
            if contexts[m, k] >= 0:
                for f in range(dim):
                    item = contexts[m, k]
                    items[item, f] += rate * (step * gammas[k] * apart[f] - weight_decay * items[item, f])
        for k in range(contexts.shape[1] if learn_gammas else 0):
            if contexts[m, k] >= 0:
                gammas[k] += rate * (step * slopes[k] - weight_decay * gammas[k])
        if with_users:
            for f in range(dim):
                users[rows[m], f] += rate * (step * apart[f] - weight_decay * users[rows[m], f])
        biases[i] += rate * (step - weight_decay * biases[i])
        biases[j] += rate * (-step - weight_decay * biases[j])
    return loss, taken


@njit(cache=True)
def has_seen(bits, offsets, items, row, item):
    """Whether a factor row has seen an item."""
    if len(bits):
        return (bits[row, item >> 6] >> np.uint64(item & 63)) & np.uint64(1) == np.uint64(1)
    low, high = offsets[row], offsets[row + 1]
    while low < high:
        middle = (low + high) >> 1
        if items[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low < offsets[row + 1] and items[low] == item


@njit(cache=True)
def mask_seen(bits, offsets, items, rows, drawn):
    """The mask (m,) of draws that their row has seen."""
    out = np.empty(len(rows), dtype=np.bool_)
    for m in range(len(rows)):
        out[m] = has_seen(bits, offsets, items, rows[m], drawn[m])
    return out


@njit(cache=True)
def draw_adaptive(orders, spread, queries, chances, ranks, rows, targets, bits, offsets, items, check, skip, easy):
    """Draw adaptively (m,); see NegativeSampler.draw_adaptive. check: 0 none, 1 the target, 2 all the row has seen."""
    num_factors, num_items = orders.shape
    out = np.full(len(rows), -1, dtype=np.int32)
    for m in range(len(rows)):
        total = 0.0
        for f in range(num_factors):
            total += abs(queries[m, f]) * spread[f]
        left, factor = chances[m] * total, 0
        while factor < num_factors - 1:
            left -= abs(queries[m, factor]) * spread[factor]
            if left < 0:
                break
            factor += 1
        from_top = (queries[m, factor] > 0) != easy
        for shift in range(num_items):
            rank = (ranks[m] + shift) % num_items
            item = orders[factor, rank if from_top else num_items - 1 - rank]
            target = check == 1 and item == targets[m]
            refused = target or (check == 2 and has_seen(bits, offsets, items, rows[m], item))
            if not refused:
                out[m] = item
            if not refused or skip:
                break
    return out
