"use strict";
// Adds to a page that is already whole: sorting, filtering and copying of tables.
(() => {
  const said = document.getElementById("said");
  const say = (text) => { said.textContent = ""; setTimeout(() => { said.textContent = text; }, 50); };
  const cellText = (cell, without = ".unseen, .swatch, .back") => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(without).forEach((part) => part.remove());
    copy.querySelectorAll(".badge").forEach((part) => part.replaceWith(` (${part.textContent})`));
    return copy.textContent.replace(/\s+/g, " ").trim();
  };
  const shown = (table) => [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells]);
  const csv = (table) => shown(table).map((row) => row.map((cell) => {
    const text = cellText(cell, ".unseen, .swatch, .back, .mark").replace(/ [↕↑↓]$/, "");
    return /[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }).join(",")).join("\n") + "\n";
  const signs = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}",
    ">": "\\textgreater{}", "−": "$-$", "±": "$\\pm$", "≈": "$\\approx$", "★": "$\\star$", "†": "\\dag{}", "–": "--" };
  const latexText = (text) => text.replace(/[\\~^<>−±≈★†–&%$#_{}]/g, (c) => signs[c] || `\\${c}`);
  const latex = (table) => {
    const rows = shown(table);
    const kinds = [...table.tHead.rows[0].cells].map((cell) => (cell.classList.contains("number") ? "r" : "l")).join("");
    const lines = rows.map((row) => row.map((cell) => (cell.colSpan > 1
      ? `\\multicolumn{${cell.colSpan}}{l}{${latexText(cellText(cell))}}` : latexText(cellText(cell)))).join(" & ") + " \\\\");
    return [`\\begin{tabular}{${kinds}}`, "\\toprule", lines[0], "\\midrule", ...lines.slice(1), "\\bottomrule",
      "\\end{tabular}", ""].join("\n");
  };
  const copy = async (text, name) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = Object.assign(document.createElement("textarea"), { value: text });
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    say(`Copied the table as ${name}.`);
  };
  const value = (row, place) => {
    const cell = row.cells[place];
    const raw = cell.dataset.sort ?? cellText(cell);
    return raw !== "" && Number.isFinite(Number(raw)) ? Number(raw) : raw;
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return a - b;
    if (typeof a === typeof b) return String(a).localeCompare(String(b));
    return typeof a === "number" ? -1 : 1;
  };
  const sort = (table, heading, place) => {
    const falling = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const fixed = rows.filter((row) => row.classList.contains("reference"));
    const moving = rows.filter((row) => !row.classList.contains("reference"));
    const empty = (row) => ["", "–"].includes(cellText(row.cells[place]));
    moving.sort((a, b) => empty(a) - empty(b) || (falling ? -1 : 1) * compare(value(a, place), value(b, place)));
    body.append(...moving, ...fixed);
    say(`Sorted by ${cellText(heading)}, ${falling ? "descending" : "ascending"}.`);
  };
  const button = (text, action) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    made.addEventListener("click", action);
    return made;
  };
  document.querySelectorAll(".table").forEach((block) => {
    const table = block.querySelector("table");
    const name = table.caption.textContent;
    const tools = Object.assign(document.createElement("div"), { className: "tools" });
    if (table.querySelectorAll("tbody tr").length > 8) {
      const box = Object.assign(document.createElement("input"), { type: "search", placeholder: "Filter rows" });
      box.setAttribute("aria-label", `Filter rows: ${name}`);
      box.addEventListener("input", () => {
        const wanted = box.value.toLowerCase();
        const rows = [...table.querySelectorAll("tbody tr:not(.group)")];
        rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
        say(`${rows.filter((row) => !row.hidden).length} of ${rows.length} rows.`);
      });
      const above = Object.assign(document.createElement("div"), { className: "tools" });
      above.append(box);
      block.prepend(above);
    }
    [["CSV", csv], ["LaTeX", latex]].forEach(([kind, made]) => {
      const copier = button(`Copy ${kind}`, () => copy(made(table), kind));
      copier.setAttribute("aria-label", `Copy ${kind}: ${name}`);
      tools.append(copier);
    });
    block.append(tools);
    if (!block.hasAttribute("data-sortable")) return;
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      const title = heading.textContent;
      heading.textContent = "";
      heading.append(button(title, () => sort(table, heading, place)));
    });
  });
})();
