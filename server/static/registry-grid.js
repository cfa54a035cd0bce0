/* Arrow keys in the recognition matrix: one stop for Tab, the arrows move between cells. Without it every cell is a link. */
(() => {
  "use strict";
  document.querySelectorAll("table[data-grid]").forEach((table) => {
    table.setAttribute("role", "grid");
    const rows = [...table.rows].map((row) => [...row.cells]).filter((cells) => cells.length > 1);
    const target = (cell) => cell.querySelector("a") || cell;
    const all = rows.flat().map(target);
    if (!all.length) return;
    all.forEach((each) => { each.tabIndex = -1; });
    const first = rows.length > 1 && rows[1].length > 1 ? target(rows[1][1]) : all[0];
    first.tabIndex = 0;
    const go = (element) => {
      all.forEach((each) => { each.tabIndex = -1; });
      element.tabIndex = 0;
      element.focus();
      element.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    table.addEventListener("focusin", (event) => {
      if (all.includes(event.target)) { all.forEach((each) => { each.tabIndex = -1; }); event.target.tabIndex = 0; }
    });
    table.addEventListener("keydown", (event) => {
      const cell = event.target.closest("th, td");
      const y = rows.findIndex((cells) => cells.includes(cell));
      if (y < 0 || event.altKey || event.metaKey) return;
      const x = rows[y].indexOf(cell), last = rows.length - 1;
      const to = {
        ArrowRight: [y, x + 1], ArrowLeft: [y, x - 1], ArrowDown: [y + 1, x], ArrowUp: [y - 1, x],
        Home: event.ctrlKey ? [0, 0] : [y, 0], End: event.ctrlKey ? [last, Infinity] : [y, Infinity],
      }[event.key];
      if (!to) return;
      event.preventDefault();
      const row = rows[Math.max(0, Math.min(last, to[0]))];
      go(target(row[Math.max(0, Math.min(row.length - 1, to[1]))]));
    });
  });
})();
