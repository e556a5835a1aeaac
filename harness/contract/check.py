"""Check of one model against every rule of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Self

from evaluation.ranking.rank import NonFiniteScores
from harness.contract import rules, rules_of_learning
from harness.contract.subject import Subject, WrongAnswer
from harness.system.blame import blamed_line

HOLDS, BROKEN, NOT_CHECKED = "holds", "BROKEN", "not checked"


@dataclass(frozen=True)
class Rule:
    """One rule: what holds of a model that keeps it, and the function that finds how another breaks it."""

    name: str
    broken: Callable[[Subject], Iterator[str]]


RULES = (
    Rule("declares itself", rules.declares_itself),
    Rule("fit leaves the fields alone and returns self", rules.leaves_the_fields_alone),
    Rule("fitting again gives the same bits", rules.repeats_to_the_bit),
    Rule("the seed has no effect where declared", rules.seed_has_no_effect_where_declared),
    Rule("a row alone agrees with the row in a batch", rules.scores_each_row_by_itself),
    Rule("more padding changes nothing", rules.ignores_padding),
    Rule("a query reads no later event", rules.reads_no_later_event),
    Rule("an empty history and an unknown user have an answer", rules.answers_an_empty_history),
    Rule("items unseen in training have an answer", rules.answers_items_unseen_in_training),
    Rule("near the optimum on the signals it declares", rules_of_learning.learns_its_signals),
    Rule("depends on times and users where declared", rules_of_learning.reads_times_and_users_as_declared),
    Rule("learns from users or gaps where declared", rules_of_learning.learns_from_users_or_gaps),
    Rule("near chance on permuted events", rules_of_learning.is_near_chance_on_permuted_events),
)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one rule: its state, and a sentence for each fault."""

    rule: str
    state: str
    sentences: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: str, faults: Iterable[str]) -> Self:
        """The outcome of a rule that could be checked."""
        sentences = tuple(faults)
        return cls(rule, BROKEN if sentences else HOLDS, sentences)


def check_contract(subject: Subject) -> Iterator[Outcome]:
    """Check every rule, one after the other; an error of the model breaks the rule in which it first occurs."""
    known = ""
    for rule in RULES:
        try:
            outcome = Outcome.of(rule.name, rule.broken(subject))
        except (Exception, SystemExit) as error:  # a user's code may raise anything
            sentence = explained(error, type(subject.model))
            if sentence == known:
                outcome = Outcome(rule.name, NOT_CHECKED, ("the error above comes first",))
            else:
                outcome, known = Outcome(rule.name, BROKEN, (sentence,)), sentence
        yield outcome


def explained(error: BaseException, kind: type) -> str:
    """An error as a sentence, with the line of the model's file that raised it."""
    if isinstance(error, WrongAnswer | NonFiniteScores):
        return str(error)
    line = blamed_line(error, kind)
    place = f" ({line})" if line else ""
    return f"it raised {type(error).__name__}: {error}{place}"
