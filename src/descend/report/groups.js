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

  // A group without a section of its own gets one when a link leads to it: its rows and its curve, from few numbers.
  const compact = document.getElementById("compact"), SVG = "http://www.w3.org/2000/svg";
  const made = (tag, inside, given, text) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return inside.appendChild(element);
  };
  const ticks = (low, high) => {
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((each) => each * power >= rough), found = [];
    for (let k = Math.ceil(low / step); k * step <= high; k += 1) found.push(Number((k * step).toPrecision(12)));
    return found;
  };
  const drawn = (names, [[left, right, low, high], dots, curve, bars], alt) => {
    const svg = document.createElementNS(SVG, "svg");
    for (const [name, value] of Object.entries({ viewBox: "0 0 560 350", role: "img", "aria-label": alt })) svg.setAttribute(name, value);
    const share = (value, from, to) => (value - from) / (to - from);
    const across = (part) => 64 + 482 * part, up = (part) => 304 - 274 * part;
    for (const value of ticks(left, right)) {
      const x = across(share(value, left, right)).toFixed(1);
      made("path", svg, { class: "grid", d: `M${x} 30V304` });
      made("text", svg, { x, y: 322, "text-anchor": "middle" }, value);
    }
    for (const value of ticks(low, high)) {
      const y = up(share(value, low, high));
      made("path", svg, { class: "grid", d: `M64 ${y.toFixed(1)}H546` });
      made("text", svg, { x: 56, y: (y + 4).toFixed(1), "text-anchor": "end" }, value);
    }
    made("path", svg, { class: "axis", d: "M64 30V304H546" });
    made("text", svg, { class: "name", x: 305, y: 344, "text-anchor": "middle" }, names.x);
    made("text", svg, { class: "name", x: 12, y: 18 }, names.y);
    const path = (flat, apart) => {
      let text = "", pen = "M";
      for (let k = 0; k < flat.length; k += 2) {
        if (flat[k] === null || flat[k + 1] === null) { pen = "M"; continue; }
        text += `${apart ? "M" : pen}${across(flat[k] / 999).toFixed(1)} ${up(flat[k + 1] / 999).toFixed(1)}${apart ? "h0" : ""}`;
        pen = "L";
      }
      return text;
    };
    if (bars) made("path", svg, { d: path(bars), fill: "none", stroke: "var(--blue)", "stroke-width": 1.3, "stroke-opacity": 0.6 });
    made("path", svg, { d: path(dots, true), fill: "none", stroke: "var(--blue)", "stroke-width": 6, "stroke-linecap": "round", "stroke-opacity": 0.75 });
    made("path", svg, { d: path(curve), fill: "none", stroke: "var(--vermillion)", "stroke-width": 2.4 });
    return svg;
  };
  const told = (tag, text, kind) => {
    const element = document.createElement(tag);
    element.textContent = text;
    if (kind) element.className = kind;
    return element;
  };
  const open = () => {
    const place = location.hash.match(/^#group-(\d+)$/)?.[1], row = place && body.querySelector(`a[href="#group-${place}"]`)?.closest("tr");
    if (!compact || !row || document.getElementById(`group-${place}`)) return;
    const known = JSON.parse(compact.textContent), of = known.groups[place], section = told("section", "", "group");
    if (!of) return;
    const said = heads.map((head, at) => [head.textContent, row.cells[at].textContent]).filter(([, text]) => text);
    const name = said.slice(0, row.querySelectorAll("th").length).map((pair) => pair.join(" = ")).join(", ");
    const list = document.createElement("dl"), figure = document.createElement("figure"), ways = told("p", "", "ways");
    for (const pair of said.slice(row.querySelectorAll("th").length)) {
      const item = document.createElement("div");
      item.append(told("dt", pair[0]), told("dd", pair[1]));
      list.append(item);
    }
    figure.append(drawn(known, of, `The rows of ${name} and the fitted curve.`));
    const back = told("a", "Back to all groups");
    back.href = "#table";
    ways.append(back);
    section.id = `group-${place}`;
    section.setAttribute("aria-label", name);
    section.append(told("h2", name), list, figure, ways);
    document.querySelector("main").prepend(section);
    location.replace(location.hash);  // only now there is something that it names
    section.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

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
