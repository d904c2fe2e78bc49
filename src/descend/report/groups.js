"use strict";
(() => {
  // A click on the head of a column sorts the groups by it; another turns the order round.
  const table = document.getElementById("groups"), body = table.tBodies[0];
  const rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const value = (row, place) => { const cell = row.cells[place]; return cell.dataset.v ?? cell.textContent; };
  heads.forEach((head, place) => {
    const button = document.createElement("button"), numeric = head.classList.contains("number");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending", turn = down ? -1 : 1;
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort((one, other) => {
        const a = value(one, place), b = value(other, place);
        if (a === "" || b === "") return (a === "") - (b === ""); // what has no number comes last, either way
        return turn * (numeric ? a - b : a.localeCompare(b, undefined, { numeric: true }));
      });
      body.append(...rows);
    });
  });

  const find = document.getElementById("find"), count = document.getElementById("found");
  if (!find) return;
  find.closest(".find").hidden = false;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.textContent = words.length ? `${shown.toLocaleString()} of ${rows.length.toLocaleString()}` : "";
  });
})();
