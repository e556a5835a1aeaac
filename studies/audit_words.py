"""What the findings of the audit mean for a reader: each finding, and five well-known data sets."""

from __future__ import annotations

MEANINGS = {
    "target inside its own input": "the model is shown the answer; any share above 0 makes every number worthless.",
    "same event on both sides of the cut": (
        "the answer was learnt word for word; a few come from double clicks, many mean a broken split."
    ),
    "training events after a test event": (
        "the model knows a future that a live system would not; it favours popularity and models that follow trends."
    ),
    "sequences cut in two": "a user is in training and in test: right for user models, a leak for anonymous sessions.",
    "users unseen in training": "for these users a model with user vectors has nothing to go by.",
    "items unseen in training": "no model that learns item vectors can hit them; they bound what can be reached.",
    "ties in time": "the order of these events is that of a file, and another copy of the data gives another answer.",
    "targets already in the history": (
        "repeats: they can be hit by remembering, and cannot be hit at all where seen items are taken out."
    ),
    "targets that repeat the last item": "saying the last item again hits exactly these.",
    "empty histories": "nothing is read before these are asked; only popularity can answer.",
    "popularity drift": "if the share falls, what was popular in training is less so in test, and popularity suffers.",
    "order control": (
        "a Markov chain on the true and on shuffled histories; if it loses nothing, a gain of a sequence model is not "
        "a gain from the sequence."
    ),
}

READINGS = {
    "diginetica": (
        "one target in five repeats an item of its session, nearly half of these the item just seen, so a baseline "
        "that repeats the session belongs into every table; shuffling the sessions costs a Markov chain little, so "
        "most of a gain here need not come from the order; and the test week lies less on the popular items."
    ),
    "yoochoose-1-64": (
        "a quarter of the targets repeat an item of the session, more than half of these the item just clicked, so "
        "repeating is a strong answer; some targets are items that the 1/64 part does not hold and that nothing "
        "learnt from it can hit; and the test day lies even more on the popular items, which flatters popularity."
    ),
    "ml-1m-ordered": (
        "no movie is rated twice, so a list that shows rated movies again wastes places; the late part of a user's "
        "ratings lies much less on popular movies than the early part, so popularity looks weak; and the order is "
        "nearly everything, part of it being the order in which a page showed movies to rate within minutes."
    ),
    "amazon-5core-beauty": (
        "two targets in five were reviewed on the same day as the item before, so which of them is the last is the "
        "file's choice and another copy asks for others; dates are lost, so nobody can say from this edition how much "
        "of the future the model has seen; and popular items are much rarer among the targets than in training."
    ),
    "citeulike-hcrnn": (
        "test users are new, so models with user vectors have nothing to go by; the parts are not cut in time, half "
        "of the training events happening after a test event, so the numbers do not tell how a live system would have "
        "done; the order does carry information, by the chain."
    ),
}
