"""Names of columns: the role that a known name stands for, and names that speak of times."""

from __future__ import annotations

import re
from collections.abc import Sequence

ROLES = ("user", "session", "item", "rating", "timestamp", "event", "part")
KNOWN_NAMES = {  # compact names by role; the first that a file has is taken
    "user": ("userid", "user", "reviewerid"),
    "session": ("sessionid", "session"),
    "item": ("itemid", "item", "movieid", "asin"),
    "rating": ("rating", "overall"),
    "timestamp": ("unixreviewtime", "time", "timestamp", "datetime"),
    "event": ("eventtype", "event", "behaviortype", "behaviourtype", "actiontype"),  # view, cart, buy
    "part": ("publishedpart",),  # Encore's own name; a column called "part" may mean anything
}
_OTHER_NAMES = {  # names that show a header, though they may stand for several roles
    "uid", "customerid", "customer", "visitorid", "visitor", "memberid", "clientid", "username", "iid", "productid",
    "product", "stockcode", "articleid", "sku", "isbn", "trackid", "songid", "bookid", "videoid", "newsid",
    "businessid", "venueid", "gameid", "contentid", "price", "category", "categoryid",
}  # fmt: skip
_TIME_WORDS = {
    "time", "times", "date", "dates", "timestamp", "timestamps", "datetime", "ts", "epoch", "when", "day", "unixtime",
    "unix", "utc", "dat", "timeframe",
}  # fmt: skip
_TIME_ENDINGS = ("time", "date", "timestamp", "datetime", "timestamps", "timems")
_NO_TIMES = {"update", "updates", "candidate", "candidates", "mandate", "playtime", "runtime", "lifetime", "timezone"}
_OTHER_MOMENTS = {  # words beside "date" or "time" that speak of something other than the event
    "release", "released", "birth", "birthday", "signup", "register", "registered", "registration", "expiry", "expires",
    "expiration", "publish", "published", "publication", "update", "updated", "modified", "life", "lifetime", "run",
    "runtime", "dwell", "watch", "listening", "playtime", "duration", "spent", "delivery", "zone", "timezone",
}  # fmt: skip


def compact_name(name: str) -> str:
    """A name in lower case without RecBole's type, blanks and punctuation: ``User_ID:token`` is ``userid``."""
    return re.sub(r"[\W_]", "", name.partition(":")[0].lower())


def name_words(name: str) -> list[str]:
    """The words of a name, in lower case: ``reviewDate`` and ``review_date`` are review, date."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.partition(":")[0])
    return re.sub(r"[\W_]+", " ", parted).lower().split()


def is_id_name(name: str) -> bool:
    """Whether a name is that of a column of ids, and nothing else: userId, item_id:token, asin."""
    compact = compact_name(name)
    known = any(compact in KNOWN_NAMES[role] for role in ("user", "session", "item"))
    return known or (compact in _OTHER_NAMES and compact.endswith("id"))


def is_known(name: str) -> bool:
    """Whether a name is that of a role or of a time, though an id may be the same word."""
    compact = compact_name(name)
    known = compact in _OTHER_NAMES or any(compact in names for names in KNOWN_NAMES.values())
    return known or (" " not in name.strip() and names_a_time(name))


def names_a_time(name: str) -> bool:
    """Whether a name speaks of a moment: created_at, event_time, ts, Timestamp(s), eventdate, t_dat."""
    words = name_words(name)
    return compact_name(name) not in _NO_TIMES and bool(
        set(words) & _TIME_WORDS
        or (len(words) > 1 and words[-1] == "at")
        or compact_name(name).endswith((*_TIME_ENDINGS, "edat"))
    )


def names_another_moment(name: str) -> bool:
    """Whether a name of a time speaks of something other than the event: release_date, watch_time, updated_at."""
    words = set(name_words(name))
    compact = compact_name(name)
    return bool(words & _OTHER_MOMENTS) or any(
        compact == first + ending for first in _OTHER_MOMENTS for ending in _TIME_ENDINGS
    )


def known_place(role: str, names: Sequence[str]) -> int | None:
    """The number of the column whose name stands for a role; None where none does."""
    compact = [compact_name(name) for name in names]
    return next((compact.index(known) for known in KNOWN_NAMES[role] if known in compact), None)
