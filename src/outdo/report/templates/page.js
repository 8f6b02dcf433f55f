"use strict";
(() => {
  const root = document.documentElement;
  const stored = (() => { try { return localStorage.getItem("outdo-theme"); } catch { return null; } })();
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  if (stored === "dark" || stored === "light") root.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try { localStorage.setItem("outdo-theme", root.dataset.theme); } catch { /* a page from disk may not store */ }
  });

  const key = (row, column) => {
    const text = row.cells[column].textContent.trim();
    const number = Number.parseFloat(text.replace("−", "-").replaceAll(",", ""));
    return Number.isNaN(number) ? text : number;
  };
  const order = (x, y) => typeof x === typeof y
    ? (typeof x === "number" ? x - y : x.localeCompare(y))
    : (typeof x === "number" ? -1 : 1);
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    table.tHead.addEventListener("click", (event) => {
      const head = event.target.closest("th");
      if (!head || !event.target.closest("button")) return;
      const up = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const rows = [...body.rows].map((row) => [key(row, head.cellIndex), row]);
      rows.sort((x, y) => (up ? order(x[0], y[0]) : order(y[0], x[0])));
      body.append(...rows.map((pair) => pair[1]));
    });
  }

  for (const form of document.querySelectorAll("form.filter")) {
    const list = document.getElementById(form.dataset.table ?? form.dataset.list);
    const rows = form.dataset.table ? [...list.tBodies[0].rows] : [...list.children];
    const count = form.querySelector("output");
    const apply = () => {
      const text = form.elements.text.value.toLowerCase();
      const side = form.elements.side?.value;
      let shown = 0;
      for (const row of rows) {
        const fits = (!side || row.dataset.side === side)
          && (!text || row.textContent.toLowerCase().includes(text));
        row.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")}`;
    };
    const mean = (row) => Number.parseFloat(row.dataset.mean ?? "Infinity");
    const orders = {
      name: (x, y) => x.dataset.name.localeCompare(y.dataset.name),
      up: (x, y) => mean(x) - mean(y) || 0,
      down: (x, y) => mean(y) - mean(x) || 0,
    };
    form.elements.order?.addEventListener("change", (event) => {
      const by = orders[event.target.value];
      list.append(...(by ? [...rows].sort(by) : rows));
    });
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  document.querySelectorAll("button.copy").forEach((button) => button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.nextElementSibling.textContent);
      button.textContent = "copied";
    } catch { button.textContent = "select and copy"; }
  }));
})();
