"""The page in a real browser: sorting, filtering, copying, links, nothing loaded. Needs Chromium on the path."""

import json
import re
import shutil
import subprocess
from html import unescape

import pytest
from pypdf import PdfReader

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page cannot be opened")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000"]
PROBE = """
<script>
(async () => {
  const found = {}, copied = [];
  Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { copied.push(text); } } });
  const block = document.getElementById("standing-1");
  const table = block.querySelector("table");
  const column = () => [...table.tBodies[0].rows].map((row) => row.cells[1].textContent);
  const button = table.tHead.rows[0].cells[1].querySelector("button");
  button.focus();
  found.focused = document.activeElement === button;
  button.click();
  found.rising = { values: column(), aria: table.tHead.rows[0].cells[1].getAttribute("aria-sort") };
  button.click();
  found.falling = { values: column(), aria: table.tHead.rows[0].cells[1].getAttribute("aria-sort") };
  table.tHead.rows[0].cells[0].querySelector("button").click();
  found.names = [...table.tBodies[0].rows].map((row) => row.cells[0].textContent);
  found.sorted = [...table.querySelectorAll("th[aria-sort]")].length;
  const cells = document.getElementById("cells");
  const box = cells.querySelector("input[type=search]");
  box.value = "failed";
  box.dispatchEvent(new Event("input"));
  found.shown = [...cells.querySelectorAll("tbody tr:not(.group)")].filter((row) => !row.hidden).length;
  for (const copier of cells.querySelectorAll(".tools button")) { copier.click(); await Promise.resolve(); }
  found.filtered = copied.splice(0);
  for (const copier of block.querySelectorAll(".tools button")) { copier.click(); await Promise.resolve(); }
  found.copied = copied;
  await new Promise((done) => setTimeout(done, 200));
  found.status = document.getElementById("status").textContent;
  found.loaded = performance.getEntriesByType("resource").map((entry) => entry.name);
  found.scripts = document.scripts.length;
  found.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const link = table.querySelector("tbody td a");
  link.click();
  const group = document.querySelector(":target");
  found.target = group && group.closest("section").getAttribute("aria-labelledby");
  const back = [...group.querySelectorAll(".back")].find((a) => a.textContent.includes("Comparison"));
  back.click();
  found.back = table.contains(document.querySelector(":target"));
  found.row = document.querySelector(":target").contains(link);
  const tip = getComputedStyle(link, "::after").content;
  link.focus();
  found.tip = [tip, getComputedStyle(link, "::after").content];
  const result = document.createElement("pre");
  result.id = "probe";
  result.textContent = JSON.stringify(found);
  document.body.append(result);
})();
</script>
"""


def browse(html, folder, *flags):
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={folder / 'profile'}", *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


@pytest.fixture(scope="module")
def found(html, tmp_path_factory):
    end = html.rindex("</body>")
    out = browse(
        html[:end] + PROBE + html[end:], tmp_path_factory.mktemp("page"), "--window-size=500,900", "--dump-dom"
    )
    return json.loads(unescape(re.search(r'<pre id="probe">(.*?)</pre>', out, re.DOTALL).group(1)))


def numbers(texts):
    return [float(re.search(r"\.\d+", text).group()) for text in texts]


def test_columns_sort_both_ways(found):
    assert found["focused"]
    rising, falling = found["rising"], found["falling"]
    assert (rising["aria"], falling["aria"]) == ("ascending", "descending")
    assert numbers(rising["values"][:5]) == sorted(numbers(rising["values"][:5]))
    assert numbers(falling["values"][:5]) == sorted(numbers(falling["values"][:5]), reverse=True)
    assert rising["values"][5:] == falling["values"][5:]  # known bounds stay below
    assert found["sorted"] == 1
    assert "<script>alert(1)</script>" in "".join(found["names"])


def test_rows_are_filtered_and_only_shown_rows_are_copied(found):
    assert found["shown"] == 1
    csv, latex, markdown = found["filtered"]
    assert len(csv.strip().splitlines()) == 2
    assert "FAILED" in csv
    assert latex.count("FAILED") == 1
    assert "multicolumn" in latex
    assert markdown.count("FAILED") == 1


def test_tables_are_copied_as_csv_and_latex(found):
    csv, latex, markdown = found["copied"]  # of a table sorted by name
    assert [line.split(",")[2] for line in csv.splitlines()[1:4:2]] == ["<script>alert(1)</script>", "GRU"]
    assert csv.startswith("dataset,protocol,model,metric,mean,mean_low,mean_high,")
    assert "★" not in csv
    assert len(csv.strip().splitlines()) == 1 + 7 * 2  # a line per metric
    assert markdown.count("\n| ") == 2 + 7  # titles and rule
    assert markdown.index("alert(1)") < markdown.index("GRU")
    assert r"kNN\_\{50\%\} \$k\$" in latex
    assert latex.splitlines()[1] == "\\begin{table}"
    assert "\\begin{tabular}{" in latex
    assert r"\toprule" in latex
    assert "≈" not in latex
    assert found["status"] == "Copied the table as Markdown."


def test_links_lead_to_the_runs_and_back(found):
    assert found["target"] == "provenance"
    assert found["back"]
    assert found["row"]


def test_the_exact_value_shows_on_focus(found):
    before, after = found["tip"]
    assert before == "none"
    assert re.match(r'"0\.\d{5,}', after)


def test_nothing_else_is_loaded_or_run(found):
    assert found["loaded"] == []
    assert found["scripts"] == 2  # ours and the probe
    assert found["wide"] <= 0  # nothing sticks out of a narrow window


def test_it_prints_without_its_tools(html, tmp_path):
    browse(html, tmp_path, f"--print-to-pdf={tmp_path / 'page.pdf'}", "--no-pdf-header-footer")
    text = "\n".join(page.extract_text() for page in PdfReader(tmp_path / "page.pdf").pages)
    assert "All runs" in text
    assert "Copy CSV" not in text
    assert "NOT CONVERGED" in text
