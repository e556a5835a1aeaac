"""An imported data set is known by its name to every command, from import to results, and can be removed."""

import json
import shlex

import pytest
from typer.testing import CliRunner

from benchmark import app

EVENTS = [(user, place) for user in range(60) for place in range(8)]  # each user buys or views the eight items in turn
CSV = "Customer_ID,StockCode,created_at,event\n" + "".join(
    f"{user},{'abcdefgh'[(user + place) % 8]},2020-01-0{1 + place} 0{user % 10}:0{user // 10}:00,"
    f"{('view', 'buy')[place % 2]}\n"
    for user, place in EVENTS
)
SUITE = '''"""Our shop."""

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.datasets.imported import Imported
from recsys_data.protocols.filters import EventTypes
from recsys_data.protocols.per_user import LeaveLastOut

SUITE = Suite(
    name="shop_suite", title="Shop", seeds=range(1), metrics=[MRR(20)], baselines=["Popularity"],
    experiments=[
        Experiment(Imported("shop"), LeaveLastOut(filters=(EventTypes(("buy",)),)), {"Popularity": Popularity()}),
    ],
)
'''


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call the command line with a data folder of the test's own; return the result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENCORE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("ENCORE_RESULTS", str(tmp_path / "results"))
    (tmp_path / "shop.csv").write_text(CSV)
    (tmp_path / "suite.py").write_text(SUITE)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


IMPORT = ("data", "import", "shop.csv", "--name", "shop", "--columns", "user=Customer_ID,item=StockCode")


def test_a_name_works_everywhere(call, tmp_path):
    missing = call("plan", "./suite.py")
    assert "no data set of this name is imported" in missing.stdout + missing.stderr
    assert "data import FILE --name shop" in missing.stdout + missing.stderr
    imported = call(*IMPORT)
    assert imported.exit_code == 0, imported.stderr
    assert "Imported('shop')" in imported.stdout and "event types, all kept: buy 240, view 240" in imported.stdout
    rows = {row["name"]: row for row in json.loads(call("list", "datasets", "--json").stdout)}
    assert (rows["shop"]["origin"], rows["shop"]["events"], rows["shop"]["present"]) == ("imported", 480, True)
    assert rows["ml-100k"]["origin"] == "built-in"
    facts = json.loads(call("data", "describe", "shop", "--json").stdout)
    assert (facts["events"], facts["users"], facts["items"]) == (480, 60, 8)
    assert facts["start"] == "2020-01-01T00:00:00+00:00"
    assert facts["sha256"] in call("data", "verify", "shop").stdout
    kept = call("data", "export", "shop", "--format", "csv")  # would overwrite the file that was imported
    assert kept.exit_code == 2 and "shop.csv exists already; name the file to write with --out" in kept.stderr
    assert call("data", "export", "shop", "--format", "csv", "--out", "out.csv").exit_code == 0
    again = json.loads(call("data", "import", "out.csv", "--name", "copy", "--json").stdout)
    assert again["sha256"] == facts["sha256"]
    audited = json.loads(call("data", "audit", "shop", "--json").stdout)
    assert audited and {row["dataset"] for row in audited} == {"shop"} and audited[0]["sha256"] == facts["sha256"]
    found = {row["name"]: row for row in json.loads(call("doctor", "--json").stdout)}
    assert found["shop"]["level"] == "ok"
    assert "new" in call("plan", "./suite.py").stdout
    ran = call("run", "./suite.py", "--no-mlflow", "--no-report")
    assert ran.exit_code == 0, ran.stderr
    [row] = json.loads(call("show", "shop_suite", "--json").stdout)
    assert (row["dataset"], row["state"]) == ("shop", "DONE")


def test_names_that_are_taken_or_built_in(call, tmp_path):
    assert call(*IMPORT).exit_code == 0
    taken = call(*IMPORT)
    assert taken.exit_code == 2 and "a data set called 'shop' is imported already" in taken.stderr
    assert call(*IMPORT, "--replace").exit_code == 0
    for words in ((), ("--replace",)):
        built_in = call("data", "import", "shop.csv", "--name", "ml-100k", *words)
        assert built_in.exit_code == 2
        assert "--name 'ml-100k' is a built-in data set; choose another name" in built_in.stderr
    unknown = call("data", "describe", "shopp")
    assert unknown.exit_code == 2 and "did you mean 'shop'?" in unknown.stderr


def test_doctor_reads_what_is_imported(call, tmp_path):
    assert call(*IMPORT).exit_code == 0
    (path,) = (tmp_path / "data").rglob("shop.parquet")
    path.write_bytes(b"no Parquet")
    found = {row["name"]: row for row in json.loads(call("doctor", "--json").stdout)}["shop"]
    assert found["level"] == "note" and "shop.parquet: is damaged" in found["found"]


def test_imported_data_are_removed(call, tmp_path):
    assert call(*IMPORT).exit_code == 0
    removed = call("data", "remove", "shop")
    assert removed.exit_code == 0 and "shop.parquet" in removed.stdout
    assert "shop" not in {row["name"] for row in json.loads(call("list", "datasets", "--json").stdout)}
    again = call("data", "remove", "shop")
    assert again.exit_code == 2 and "no data set called 'shop' is imported in" in again.stderr
    built_in = call("data", "remove", "ml-100k")
    assert built_in.exit_code == 2
    assert "ml-100k is a built-in data set; only imported ones are removed" in built_in.stderr


def test_missing_values_are_left_out_on_request(call, tmp_path):
    (tmp_path / "gaps.csv").write_text("user,item\na,x\nNA,x\na,\na,y\n")
    refused = call("data", "import", "gaps.csv", "--name", "gaps")
    assert refused.exit_code == 2
    assert "line 3 has no user, since 'NA' stands for a missing value" in refused.stderr
    assert "2 of 4 events lack a value (user in 1, item in 1), and --drop-missing leaves them out" in refused.stderr
    kept = call("data", "import", "gaps.csv", "--name", "gaps", "--drop-missing")
    assert kept.exit_code == 0, kept.stderr
    assert "2 of 4 events left out because a value is missing (1 without user, 1 without item)" in kept.stdout
    assert json.loads(call("data", "describe", "gaps", "--json").stdout)["events"] == 2


def test_a_damaged_import_does_not_stop_the_list(call, tmp_path):
    assert call(*IMPORT).exit_code == 0
    path = tmp_path / "data" / "imported" / "shop.parquet"
    path.write_bytes(path.read_bytes()[:100])
    rows = {row["name"]: row for row in json.loads(call("list", "datasets", "--json").stdout)}
    assert "cannot be read" in rows["shop"]["title"] and rows["shop"]["events"] is None


MESSY = "Client;Produit;Jour\n" + "".join(f"c{u};p{(u + t) % 5};{13 + t}/02/2023\n" for u in range(6) for t in range(6))


def test_open_choices_are_listed_with_one_command_that_takes_them(call, tmp_path):
    (tmp_path / "messy.csv").write_text(MESSY + ";p1;14/02/2023\nc1;p1;31/02/2023\nc1;p2;14/02/2023\n")
    refused = call("data", "import", "messy.csv", "--name", "messy")
    assert refused.exit_code == 2 and not (tmp_path / "data" / "imported").exists()
    lines = refused.stderr.splitlines()
    assert lines[0] == "error: messy.csv leaves 3 choices open" and lines[3].startswith("  3. line 39, column 'Jour'")
    [command] = [line for line in lines if "python benchmark.py" in line]
    words = shlex.split(command.removeprefix("  python benchmark.py "))
    assert words[5:] == ["--columns", "user=Client,item=Produit,timestamp=Jour", "--drop-missing", "--drop-unreadable"]
    assert "  line 2: user c0, item p0, timestamp 2023-02-13T00:00:00+00:00" in lines
    imported = call(*words)
    assert imported.exit_code == 0, imported.stderr
    assert "1 events repeat the user, item and time of an earlier row" in imported.stdout
    assert "37 events" in imported.stdout


def test_the_likely_choices_are_confirmed_at_a_terminal(call, tmp_path, monkeypatch):
    (tmp_path / "messy.csv").write_text(MESSY)
    for answer, code in ((False, 2), (True, 0)):
        monkeypatch.setattr("cli.own.import_data.confirm_choices", lambda choices, answer=answer: answer)
        result = call("data", "import", "messy.csv", "--name", "messy")
        assert result.exit_code == code, result.stderr
        assert "not recognised; 3 columns found: Client, Produit, Jour" in result.stderr
    facts = json.loads(call("data", "describe", "messy", "--json").stdout)
    assert (facts["events"], facts["users"], facts["start"]) == (36, 6, "2023-02-13T00:00:00+00:00")
