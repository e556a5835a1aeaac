"""Explanations of the audit's findings, and a reading of the findings for five well-known data sets."""

from __future__ import annotations

MEANINGS = {
    "target inside its own input": (
        "the model sees the answer in its input; any share above 0 invalidates every number."
    ),
    "same event on both sides of the cut": (
        "the answer was in training; a few come from double clicks, many mean a broken split."
    ),
    "temporal leakage": (
        "training events after a test event: the model knows a future that a live system would not; this favours "
        "popularity."
    ),
    "sequences cut in two": (
        "a user is in training and in test: correct for user models, a leak for anonymous sessions."
    ),
    "users unseen in training": "a model with user vectors has no information on these users.",
    "items unseen in training": "no model that learns item vectors can hit them; they bound the reachable accuracy.",
    "ties in time": "the order of these events is that of the file; another copy of the data can give another result.",
    "targets already in the history": (
        "repeats: memorising the history hits them; excluding seen items makes them misses."
    ),
    "targets that repeat the last item": "recommending the last item again hits exactly these.",
    "empty histories": "these queries have no history; only popularity can answer them.",
    "popularity drift": (
        "if the share falls, popular training items are less popular in test, and popularity models suffer."
    ),
    "order control": (
        "a Markov chain on true and on shuffled histories; if it loses nothing, a sequence model gains nothing "
        "from the order."
    ),
    "one order of all items": (
        "pairs of items that occur in both orders in different sequences: many where events are in the order of time, "
        "none where one fixed order of the items sorts all sequences, as in the edition of Diginetica behind the "
        "published numbers of NARM and STAMP; accuracy then measures how well a model learns that order."
    ),
}

READINGS = {
    "diginetica": (
        "one target in five repeats an item of its session, nearly half of these the last item, so every table "
        "needs a baseline that repeats the session; shuffling the sessions costs a Markov chain little, so most of a "
        "gain here need not come from the order; and fewer test events are on popular items."
    ),
    "yoochoose-1-64": (
        "a quarter of the targets repeat an item of the session, more than half of these the last item, so "
        "repeating is a strong baseline; some targets are not in the 1/64 part, so no model trained on it can hit "
        "them; and even more test events are on popular items, which favours popularity."
    ),
    "ml-1m-ordered": (
        "no movie is rated twice, so a list with rated movies wastes positions; the late ratings of a user are much "
        "less on popular movies than the early ones, so popularity looks weak; and the order carries nearly all "
        "information, in part the order in which a page showed movies to rate within minutes."
    ),
    "amazon-5core-beauty": (
        "two targets in five were reviewed on the same day as the item before, so the file decides which is the last, "
        "and another copy has other targets; this edition has no dates, so temporal leakage cannot be measured; and "
        "popular items are much rarer among the targets than in training."
    ),
    "citeulike-hcrnn": (
        "test users are new, so models with user vectors have no information on them; the split is not by time (half "
        "of the training events are later than a test event), so the numbers do not predict a live system; the "
        "Markov chain shows that the order carries information."
    ),
}
