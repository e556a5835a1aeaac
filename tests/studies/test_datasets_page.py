import json
import re
from pathlib import Path

import pytest

from recsys_data.audit.leakage import audit
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.fetching.errors import DataMissing
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import LeaveLastOut
from studies import datasets_page, missing_data_page
from studies.audit_words import MEANINGS, READINGS

DOCS = Path(__file__).parents[2] / "docs"
PRINTED = (DOCS / "datasets.md").read_text(encoding="utf-8")
MISSING = (DOCS / "missing_data.md").read_text(encoding="utf-8")
COUNTS = re.compile(r"^\| `([a-z0-9-]+)` \|[^|]+\| ([\d,]+) \| ([\d,]+) (?:user|session)s \| ([\d,]+) \|", re.MULTILINE)


def test_the_printed_counts_are_the_expected_ones():
    rows = {name: [int(count.replace(",", "")) for count in counts] for name, *counts in COUNTS.findall(PRINTED)}
    assert len(rows) >= 18
    for name, counts in rows.items():
        expected = DATASETS[name].expected
        assert counts == [expected.events, expected.users, expected.items], name


def test_every_published_size_is_met_and_every_data_set_named():
    sizes = PRINTED.partition("## Published sizes")[2].partition("\n## ")[0]
    for size in ("369,859", "55,898", "719,470", "60,858", "3,416"):
        assert f"| {size} | {size} | yes |" in sizes
    assert "**no**" not in sizes
    for name, dataset in DATASETS.items():
        assert (f"`{name}`" in PRINTED) + (f"| `{name}`, " in MISSING) >= hasattr(dataset, "source"), name


def test_no_path_of_a_machine_is_printed():
    assert not re.search(r"(^|[\s`(])/(work|home|tmp|root|mnt)\b", PRINTED + MISSING)


def test_every_finding_has_a_meaning():
    assert set(READINGS) == set(datasets_page._AUDITED) and set(READINGS) < set(DATASETS)
    protocol = LeaveLastOut()
    names = {finding.name for finding in audit(protocol.prepare(MarkovChainSequences().load()), protocol)}
    assert len(names) >= 10 and names <= set(MEANINGS)
    printed = PRINTED.partition("## What the audit finds")[2]
    assert set(re.findall(r"^\| (?:fail|severe caveat|caveat|note) \| ([^|]+) \|", printed, re.MULTILINE)) <= set(
        MEANINGS
    )


def test_a_page_of_what_is_present(tmp_path):
    with pytest.raises(DataMissing, match="no data set is under .*; point ENCORE_DATA"):
        list(datasets_page.page(tmp_path))
    path = tmp_path / "amazon" / "reviews_Beauty_5.json"
    path.parent.mkdir()
    review = {"reviewerID": "A", "asin": "B", "overall": 5.0, "unixReviewTime": 1_000_000_000}
    path.write_text("\n".join(json.dumps({**review, "asin": item}) for item in "BCB"))
    lines = list(datasets_page.page(tmp_path))
    assert any(
        line.startswith("| `amazon-beauty-5-core` | Amazon Beauty (5-core) | 3 | 1 users | 2 | 3, 3, 3 | absolute |")
        and line.endswith("| 2001-09-09 – 2001-09-09 |")
        for line in lines
    )
    assert "- 33.33% of the events repeat an item of the same history" in lines
    missing = list(missing_data_page.page(tmp_path))
    assert not any(line.startswith("| `amazon-beauty-5-core`,") for line in missing)
    (row,) = [line for line in missing if line.startswith("| `ml-100k`, MovieLens 100K |")]
    assert "| 100,000 events, 943 users (sessions), 1,682 items | https://" in row
    assert "| `benchmark.py data fetch ml-100k` | `md5:0e33842e24a9c977be4e0107933c0723` | nothing |" in row
    assert datasets_page._row("x", "p", "w", 2, 1) == "| `x` | p | w | 2 | 1 | **no** |"


def test_the_rule_of_ids_is_printed_as_the_study_says_it():
    assert datasets_page._OWN_DATA in PRINTED


def test_the_printed_orders_are_those_of_time_but_for_the_file_order_of_the_sample():
    table = PRINTED.partition("## One order of all items")[2]
    shares = {name: float(share) for name, share in re.findall(r"^\| `([a-z0-9-]+)` \|.* ([\d.]+) \|$", table, re.M)}
    assert shares.pop("diginetica-views-file-order-sample") == 0
    assert len(shares) == 17 and min(shares.values()) > 0.4
    assert {"yoochoose-1-64", "yoochoose-100k", "diginetica", "lastfm-artist-sessions"} < set(shares)


def test_every_missing_data_set_but_one_has_what_runs_instead_of_it():
    missing = set(re.findall(r"^\| `([a-z0-9-]+)`, ", MISSING, re.MULTILINE))
    assert missing - set(missing_data_page._STAND_INS) == {"amazon-digital-music-5-core"}
    assert set(missing_data_page._STAND_INS) <= missing
