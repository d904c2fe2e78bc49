"use strict";
(() => {
  // The button chooses the other theme; without it the page follows the reader's system.
  const root = document.documentElement, theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const tell = () => theme.setAttribute("aria-pressed", dark());
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; tell(); });
  tell();

  for (const button of document.querySelectorAll(".copy")) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  // What lies under the pointer, in the numbers of the axes; near a dot, the dot itself.
  const LEFT = 64, RIGHT = 546, TOP = 30, BOTTOM = 304, NEAR = 14;
  const scale = (text) => {
    const [low, high, kind] = text.split(" "), log = kind === "log" ? Math.log10 : kind === "symlog" ? (v) => Math.log10(1 + v) : (v) => v;
    const back = kind === "log" ? (v) => 10 ** v : kind === "symlog" ? (v) => 10 ** v - 1 : (v) => v;
    return (share) => back(log(+low) + share * (log(+high) - log(+low)));
  };
  const readout = document.createElement("div"), ring = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  readout.className = "readout";
  readout.hidden = true;
  readout.setAttribute("aria-hidden", "true");
  document.body.append(readout);
  ring.setAttribute("class", "at");
  ring.setAttribute("r", "6");
  const dots = new WeakMap();
  const places = (svg) => {
    if (!dots.has(svg)) {
      dots.set(svg, [...svg.querySelectorAll(".dots")].flatMap((path) =>
        [...path.getAttribute("d").matchAll(/M([-\d.]+) ([-\d.]+)/g)].map((found) => [+found[1], +found[2]])));
    }
    return dots.get(svg);
  };
  // Four digits, and more where an axis is far from 0.
  const digits = (axis) => {
    const [low, high] = axis.split(" ").map(Number);
    return 4 + Math.min(12, Math.max(0, Math.floor(Math.log10(Math.max(Math.abs(low), Math.abs(high)) / (high - low)))));
  };
  const hide = () => { readout.hidden = true; ring.remove(); };
  for (const svg of document.querySelectorAll("svg[data-x]")) {
    const x = scale(svg.dataset.x), y = scale(svg.dataset.y);
    svg.addEventListener("pointermove", (event) => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      let at = [place.x, place.y], nearest = NEAR ** 2;
      if (place.x < LEFT || place.x > RIGHT || place.y < TOP || place.y > BOTTOM) return hide();
      for (const dot of places(svg)) {
        const away = (dot[0] - place.x) ** 2 + (dot[1] - place.y) ** 2;
        if (away < nearest) { nearest = away; at = dot; }
      }
      if (nearest < NEAR ** 2) { ring.setAttribute("cx", at[0]); ring.setAttribute("cy", at[1]); svg.append(ring); } else { ring.remove(); }
      const number = (value, axis) => Number(value.toPrecision(digits(axis))).toString();
      const [across, up] = [x((at[0] - LEFT) / (RIGHT - LEFT)), y((BOTTOM - at[1]) / (BOTTOM - TOP))];
      readout.textContent = `${number(across, svg.dataset.x)}, ${number(up, svg.dataset.y)}`;
      readout.hidden = false;
      readout.style.left = `${Math.min(event.clientX + 14, innerWidth - readout.offsetWidth - 4)}px`;
      readout.style.top = `${event.clientY - 30}px`;
    });
    svg.addEventListener("pointerleave", hide);
  }
})();
