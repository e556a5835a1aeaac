"""Croissant metadata, read and validated by MLCommons' own library."""

import json
from collections import Counter

import mlcroissant
import pytest
from typer.testing import CliRunner

import benchmark
from recsys_data.catalogue.croissant import croissant_metadata
from recsys_data.files.export import export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.generated.markov_chain import MarkovChainSequences

CLICKS = "session,item,timestamp,event_type\n1,a,1500000000.5,view\n1,007,1500000060,buy\n2,a,1500000001,view\n"


@pytest.fixture
def clicks(tmp_path):
    (tmp_path / "clicks.csv").write_text(CLICKS)
    return InteractionFile(str(tmp_path / "clicks.csv"))


def loaded(metadata, folder):
    path = folder / "metadata.json"
    path.write_text(json.dumps(metadata))
    return mlcroissant.Dataset(str(path))


@pytest.mark.parametrize("generated", [False, True])
def test_it_is_valid_and_its_records_are_the_events(clicks, tmp_path, generated):
    dataset = MarkovChainSequences(num_users=5, num_items=4, length=6) if generated else clicks
    interactions = dataset.load(tmp_path)
    (folder := tmp_path / "published").mkdir()
    export_interactions(interactions, folder / f"{dataset.name}.csv", "csv")
    found = loaded(croissant_metadata(dataset, tmp_path), folder)
    assert not found.metadata.ctx.issues.errors
    unit = interactions.unit
    records = [(row[f"events/{unit}"].decode(), row["events/item"].decode()) for row in found.records("events")]
    expected = zip(interactions.user_ids[interactions.users], interactions.item_ids[interactions.items], strict=True)
    assert Counter(records) == Counter((str(user), str(item)) for user, item in expected)


def test_a_text_id_stays_a_text_and_a_time_a_number(clicks, tmp_path):
    export_interactions(clicks.load(tmp_path), tmp_path / "clicks.csv", "csv")
    rows = list(loaded(croissant_metadata(clicks, tmp_path), tmp_path).records("events"))
    assert rows[1] == {"events/session": b"1", "events/item": b"007", "events/timestamp": 1500000060.0,
                       "events/event_type": b"buy"}  # fmt: skip


def test_another_file_than_the_described_one_is_refused(clicks, tmp_path):
    metadata = croissant_metadata(clicks, tmp_path)
    (folder := tmp_path / "published").mkdir()
    (folder / "clicks.csv").write_text(CLICKS.replace("007", "008"))
    with pytest.raises(Exception, match=r"Download\(clicks.csv\)"):
        next(iter(loaded(metadata, folder).records("events")))


def test_the_command_prints_it(clicks, tmp_path):
    words = ["data", "describe", str(tmp_path / "clicks.csv"), "--croissant"]
    result = CliRunner().invoke(benchmark.app, words)
    assert result.exit_code == 0, result.output
    metadata = json.loads(result.stdout)
    assert [each["@id"] for each in metadata["distribution"]] == ["clicks.csv", "raw/clicks.csv"]
    assert str(tmp_path) not in result.stdout
