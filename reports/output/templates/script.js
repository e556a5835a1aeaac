// Progressive enhancement of a complete page: sort, filter and copy tables.
(() => {
  const status = document.getElementById("status");
  const announce = (text) => { status.textContent = ""; setTimeout(() => { status.textContent = text; }, 50); };
  const cellText = (cell) => {
    const copy = cell.cloneNode(true);
    copy.querySelectorAll(".visually-hidden, .swatch, .back").forEach((part) => part.remove());
    copy.querySelectorAll(".badge").forEach((part) => part.replaceWith(` (${part.textContent})`));
    return copy.textContent.replace(/\s+/g, " ").trim();
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
    announce(`Copied the table as ${name}.`);
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
    const descending = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const fixed = rows.filter((row) => row.classList.contains("reference"));
    const moving = rows.filter((row) => !row.classList.contains("reference"));
    const empty = (row) => ["", "–"].includes(cellText(row.cells[place]));
    moving.sort((a, b) => empty(a) - empty(b) || (descending ? -1 : 1) * compare(value(a, place), value(b, place)));
    body.append(...moving, ...fixed);
    announce(`Sorted by ${cellText(heading)}, ${descending ? "descending" : "ascending"}.`);
  };
  const button = (text, action) => {
    const element = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    element.addEventListener("click", action);
    return element;
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
        const rows = [...table.querySelectorAll("tbody tr:not(.group, .missing)")];
        rows.forEach((row) => { row.hidden = !row.textContent.toLowerCase().includes(wanted); });
        announce(`${rows.filter((row) => !row.hidden).length} of ${rows.length} rows.`);
      });
      const above = Object.assign(document.createElement("div"), { className: "tools" });
      above.append(box);
      block.prepend(above);
    }
    const rows = [...table.querySelectorAll("tbody tr")]; // in the report's order, as in tableTexts
    const position = new Map(rows.map((row, number) => [row, number]));
    for (const [format, [head, texts, foot]] of Object.entries(tableTexts[block.id] ?? {})) {
      const shown = () => [...table.querySelectorAll("tbody tr")].filter((row) => !row.hidden);
      const text = () => head + shown().map((row) => texts[position.get(row)] ?? "").join("") + foot;
      const copier = button(`Copy ${format}`, () => copy(text(), format));
      copier.setAttribute("aria-label", `Copy ${format}: ${name}`);
      tools.append(copier);
    }
    block.append(tools);
    if (!block.hasAttribute("data-sortable")) return;
    [...table.tHead.rows[0].cells].forEach((heading, place) => {
      const title = heading.textContent;
      heading.textContent = "";
      heading.append(button(title, () => sort(table, heading, place)));
    });
  });
})();
