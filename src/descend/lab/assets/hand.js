"use strict";
// Descending by hand: the reader chooses direction and size of each step, and is told how it went.
(() => {
  const root = document.documentElement, lab = window.descendLab = window.descendLab || {};
  const LEAST = -3, TURN = 5;  // the smallest step, as a power of ten of the picture; degrees that a key turns
  let trail = [], angle = 90, size = -1, asking = false, wanted = null;

  const find = (id) => document.getElementById(id);
  const say = () => JSON.parse(find("hand-told").dataset.words);
  const last = () => trail[trail.length - 1];
  const spans = () => last().ends.map(([low, high]) => high - low);
  const single = () => last().labels.length === 1;
  // What a direction and a size in the picture are in parameters.
  const change = () => {
    const length = 10 ** size, turn = angle * Math.PI / 180, parts = [Math.cos(turn), Math.sin(turn)];
    return spans().map((span, i) => (single() ? Math.sign(parts[0] || 1) : parts[i]) * length * span);
  };
  const moves = (steps, words) => last().labels.map((name, i) => Math.abs(steps[i]) < 1e-4 * 10 ** size * spans()[i] ? "" :
    lab.filled(steps[i] > 0 ? words.hand_up : words.hand_down, { name, size: lab.number(Math.abs(steps[i]), 3) })).filter(Boolean).join(words.hand_comma);
  const placed = ({ labels }, place) => labels.map((name, i) => `${name} = ${lab.number(place[i], 4)}`).join(", ");
  const steepest = ({ labels, slope }, words) => {
    const most = Math.max(...slope.map(Math.abs));
    return labels.filter((name, i) => Math.abs(slope[i]) > 0.05 * most).map((name) =>
      lab.filled(slope[labels.indexOf(name)] < 0 ? words.hand_larger : words.hand_smaller, { name })).join(words.hand_and);
  };

  const ask = async (place) => {
    const question = lab.asked();
    if (!question || asking) return null;
    asking = true;
    try {
      const reply = await fetch("hand", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...question, place }) });
      return await reply.json();
    } catch (error) { return { error: String(error) }; } finally { asking = false; }
  };
  const told = (sentences) => {
    find("hand-told").replaceChildren(...sentences.filter(Boolean).map((text) => {
      const p = document.createElement("p");
      p.textContent = text;
      return p;
    }));
  };
  // How the last step went, in words.
  const judged = (words) => {
    const now = last(), before = trail[trail.length - 2], step = now.place.map((value, i) => value - before.place[i]);
    const along = (point) => point.slope.reduce((sum, slope, i) => sum + slope * step[i], 0);
    const named = { before: lab.number(before.loss), after: lab.number(now.loss), share: lab.number(100 * Math.abs(before.loss - now.loss) / Math.abs(before.loss || 1), 2) };
    if (!Number.isFinite(now.loss) || now.loss === null) return words.hand_lost;
    const fell = before.loss - now.loss, well = before.loss - now.lowest;
    if (Math.abs(fell) <= 1e-3 * Math.abs(well || 1)) return words.hand_level;
    if (fell < 0) return lab.filled(along(before) < 0 ? words.hand_too_long : words.hand_uphill, named);
    const more = along(now) > 0.2 * Math.abs(along(before)) ? words.hand_crossed : along(now) < 0.6 * along(before) ? words.hand_further : "";
    return [lab.filled(words.hand_fell, named), more].filter(Boolean).join(words.hand_comma === ", " ? " " : "");
  };
  const beside = (words) => {
    const now = last(), { gd, loss } = trail[trail.length - 2], known = Number.isFinite(gd.loss) && gd.loss !== null;
    const apart = 0.02 * Math.abs(loss - now.lowest || 1), mine = known ? gd.loss - now.loss : 1;
    const who = mine > apart ? words.hand_mine : mine < -apart ? words.hand_its : words.hand_same;
    return lab.filled(words.hand_gd, { rate: lab.number(gd.rate, 3), place: placed(now, gd.place), loss: known ? lab.number(gd.loss) : "∞", who });
  };
  const tell = () => {
    if (!trail.length) return;
    const words = say(), now = last(), lines = [];
    if (trail.length > 1) {
      const before = trail[trail.length - 2], count = trail.length - 1;
      lines.push(lab.filled(words.hand_step, { count, moves: moves(now.place.map((value, i) => value - before.place[i]), words) }), judged(words), beside(words));
      if (now.loss - now.lowest < 0.01 * Math.abs(trail[0].loss - now.lowest)) lines.push(lab.filled(words.hand_reached, { lowest: lab.number(now.lowest), count }));
    }
    if (now.loss !== null) lines.push(lab.filled(words.hand_here, { place: placed(now, now.place), loss: lab.number(now.loss), way: steepest(now, words) }));
    if (trail.length === 1) lines.push(words.hand_aim);
    told(lines);
  };
  const aimed = () => {
    const turn = find("hand-direction-input"), long = find("hand-size-input");
    if (!trail.length || !turn) return;
    const words = say(), text = moves(change(), words);
    turn.value = angle;
    long.value = size;
    turn.step = single() ? 180 : TURN;
    turn.max = single() ? 180 : 355;
    for (const input of [turn, long]) input.setAttribute("aria-valuetext", text);
    find("hand-direction-told").textContent = single() ? (angle ? "←" : "→") : `${angle}°`;
    find("hand-size-told").textContent = text;
    lab.redraw();
  };
  const stand = async (place, keep) => {
    const found = await ask(place);
    if (!found || !lab.hand.on) return;
    if (found.error) return told([found.error]);
    trail = keep ? [...trail, found] : [found];
    if (!keep && single()) angle = 0;
    tell();
    aimed();
  };
  const step = () => trail.length && stand(last().place.map((value, i) => value + change()[i]), true);
  const undo = () => { if (trail.length > 1) { trail.pop(); tell(); aimed(); } };
  const sliders = () => {
    for (const [name, given] of [["hand-direction", { min: 0, max: 355, step: TURN, value: angle }], ["hand-size", { min: LEAST, max: 0, step: 0.05, value: size }]]) {
      const box = find(name);
      if (!box || find(`${name}-input`)) continue;
      const input = document.createElement("input");
      Object.assign(input, { type: "range", id: `${name}-input`, ...given });
      input.setAttribute("aria-labelledby", `${name}-label`);
      input.addEventListener("input", () => {
        if (name === "hand-direction") angle = +input.value; else size = +input.value;
        aimed();
      });
      input.addEventListener("keydown", (event) => { if (event.key === "Enter") step(); });
      box.append(input);
    }
  };

  lab.hand = {
    on: false,
    begin: () => {
      if (!lab.film()?.axes) return;
      lab.stop();
      lab.hand.on = true;
      root.classList.add("by-hand");
      sliders();
      stand(null, false);
      find("hand-direction-input").focus();
    },
    leave: () => {
      lab.hand.on = false;
      trail = [];
      root.classList.remove("by-hand");
    },
    // Other settings are another surface: one begins again.
    follow: () => {
      const text = JSON.stringify(lab.asked());
      if (lab.hand.on && text !== wanted) stand(null, false);
      wanted = text;
    },
    aim: (x, y) => {
      if (!trail.length) return;
      const [wide, high] = spans(), [from, above] = last().place, across = (x - from) / wide, up = single() ? 0 : (y - above) / high;
      angle = single() ? (across < 0 ? 180 : 0) : (Math.round(Math.atan2(up, across) * 180 / Math.PI) + 360) % 360;
      find("hand-direction-input").step = 1;
      size = Math.max(LEAST, Math.min(0, Math.log10(Math.hypot(across, up) || 1e-3)));
      find("hand-size-input").step = "any";
      aimed();
    },
    move: (name) => name === "data" && trail.length ? [last().move] : [],
    // The way by hand, the step that gd would have taken, and the step aimed at.
    draw: (name, made, across, up) => {
      if (!trail.length) return;
      const flat = (point, place) => [across(place[0]), up(single() ? point.loss : place[1])];
      const line = (a, b, given) => made("path", { d: `M${a.map((v) => v.toFixed(1)).join(" ")}L${b.map((v) => v.toFixed(1)).join(" ")}`, ...given });
      const circle = ([cx, cy], given) => Number.isFinite(cx) && Number.isFinite(cy) && made("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), ...given });
      if (name === "loss") {
        const places = trail.map((point, i) => [across(i), up(point.loss)]).filter((place) => place.every(Number.isFinite));
        if (places.length) made("path", { d: "M" + places.map((place) => place.map((v) => v.toFixed(1)).join(" ")).join("L"), stroke: "var(--purple)", class: "way" });
        for (const place of places) circle(place, { r: 5, fill: "var(--purple)", class: "head" });
        return;
      }
      if (name !== "surface") return;
      trail.forEach((point, i) => { if (i) line(flat(trail[i - 1], trail[i - 1].place), flat(point, point.place), { stroke: "var(--purple)", class: "way" }); });
      if (trail.length > 1) {
        const before = trail[trail.length - 2], from = flat(before, before.place), to = flat(before.gd, before.gd.place);
        if (to.every(Number.isFinite)) {
          line(from, to, { stroke: "var(--vermillion)", class: "ghost" });
          circle(to, { r: 5.5, stroke: "var(--vermillion)", class: "hollow" });
        }
      }
      for (const point of trail.slice(0, -1)) circle(flat(point, point.place), { r: 4.5, fill: "var(--purple)", class: "head" });
      const here = flat(last(), last().place), steps = change(), there = [across(last().place[0] + steps[0]), single() ? here[1] : up(last().place[1] + steps[1])];
      const back = Math.atan2(here[1] - there[1], here[0] - there[0]), barb = (turn) => [there[0] + 12 * Math.cos(back + turn), there[1] + 12 * Math.sin(back + turn)];
      line(here, there, { class: "aim" });
      for (const turn of [-0.45, 0.45]) line(there, barb(turn), { class: "aim" });
      circle(here, { r: 8, fill: "var(--purple)", class: "head" });
    },
  };
  document.addEventListener("click", ({ target }) => {
    switch (target.closest?.("button")?.id) {
      case "hand-begin": return lab.hand.begin();
      case "hand-leave": lab.hand.leave(); lab.redraw(); return find("hand-begin").focus();
      case "hand-take": return step();
      case "hand-undo": return undo();
      case "hand-again": return stand(null, false);
    }
  });
})();
