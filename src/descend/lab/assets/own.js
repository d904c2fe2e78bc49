"use strict";
// Data of one's own: pasted, drawn, or made by an equation.
(() => {
  const lab = window.descendLab = window.descendLab || {}, find = (id) => document.getElementById(id);
  const EDGE = { left: 46, right: 12, top: 12, bottom: 30 }, NEAR = 7, MOST = 400;
  let way = "", points = [], strokes = [], pressed = null, cross = null;

  const words = () => JSON.parse(find("own").dataset.words);
  const ends = () => ["left", "right", "low", "high"].map((name) => Number(find(`draw-${name}`).value.replace(",", ".").replace("−", "-")));
  const sound = () => { const [left, right, low, high] = ends(); return [left, right, low, high].every(Number.isFinite) && left < right && low < high; };
  const area = () => { const { clientWidth: width, clientHeight: height } = find("drawing"); return { width: width - EDGE.left - EDGE.right, height: height - EDGE.top - EDGE.bottom }; };
  const ticks = (low, high) => {
    const rough = (high - low) / 6, unit = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5, 10].map((one) => one * unit).find((one) => one >= rough);
    const found = [];
    for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(Number(value.toPrecision(10)));
    return found;
  };
  // Points are kept as shares of the picture, so that its ends can change.
  const paint = () => {
    const canvas = find("drawing"), pen = canvas.getContext("2d"), dense = devicePixelRatio || 1, style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim(), { width, height } = area();
    canvas.width = canvas.clientWidth * dense;
    canvas.height = canvas.clientHeight * dense;
    pen.scale(dense, dense);
    pen.fillStyle = colour("paper");
    pen.fillRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.translate(EDGE.left, EDGE.top);
    Object.assign(pen, { strokeStyle: colour("grid"), fillStyle: colour("soft"), font: "12px system-ui, sans-serif", lineWidth: 1 });
    if (sound()) {
      const [left, right, low, high] = ends();
      pen.textAlign = "center";
      for (const value of ticks(left, right)) {
        const x = (value - left) / (right - left) * width;
        pen.beginPath(); pen.moveTo(x, 0); pen.lineTo(x, height); pen.stroke();
        pen.fillText(value, x, height + 18);
      }
      pen.textAlign = "right";
      for (const value of ticks(low, high)) {
        const y = height - (value - low) / (high - low) * height;
        pen.beginPath(); pen.moveTo(0, y); pen.lineTo(width, y); pen.stroke();
        pen.fillText(value, -7, y + 4);
      }
    }
    for (const { x, y, kind } of points) {
      const a = x * width, b = height - y * height;
      pen.fillStyle = colour(kind === 1 ? "orange" : "blue");
      pen.beginPath();
      if (kind === 1) { pen.moveTo(a, b - 6); pen.lineTo(a + 5.5, b + 4); pen.lineTo(a - 5.5, b + 4); } else pen.arc(a, b, 4.5, 0, 7);
      pen.fill();
    }
    if (cross) {
      const a = cross.x * width, b = height - cross.y * height;
      Object.assign(pen, { strokeStyle: colour("ink"), lineWidth: 1.5 });
      pen.beginPath(); pen.moveTo(a - 9, b); pen.lineTo(a + 9, b); pen.moveTo(a, b - 9); pen.lineTo(a, b + 9); pen.stroke();
    }
  };
  const tell = (text) => { find("draw-told").textContent = text || lab.filled(words().draw_told, { count: points.length }); };
  const kindOf = () => ({ zero: 0, one: 1 })[find("draw-kind").value] ?? null;
  const put = (place) => {
    if (points.length >= MOST || !(place.x >= 0 && place.x <= 1 && place.y >= 0 && place.y <= 1)) return;
    points.push({ ...place, kind: kindOf() });
    strokes[strokes.length - 1] += 1;
  };
  const placed = (event) => {
    const box = find("drawing").getBoundingClientRect(), { width, height } = area();
    return { x: (event.clientX - box.left - EDGE.left) / width, y: 1 - (event.clientY - box.top - EDGE.top) / height };
  };
  // A stroke becomes points at even distances along it, however quickly the hand went.
  const draw = (event) => {
    const to = placed(event), { width, height } = area();
    for (;;) {
      const across = (to.x - pressed.x) * width, up = (to.y - pressed.y) * height, length = Math.hypot(across, up);
      if (length < NEAR) return;
      pressed = { x: pressed.x + across / length * NEAR / width, y: pressed.y + up / length * NEAR / height };
      put(pressed);
    }
  };
  const changed = () => { paint(); tell(); };

  const rows = () => {
    const [left, right, low, high] = ends(), text = (value) => Number(value.toPrecision(5));
    const kinds = points.some(({ kind }) => kind !== null), lines = points.filter(({ kind }) => !kinds || kind !== null)
      .map(({ x, y, kind }) => [text(left + x * (right - left)), text(low + y * (high - low)), ...kinds ? [kind] : []].join(","));
    return { kinds, text: [kinds ? "x,y,z" : "x,y", ...lines, ""].join("\n"), count: lines.length };
  };
  const use = async () => {
    const told = find("own-told"), wrong = (text) => { told.className = "error"; told.textContent = text; };
    let well = false;
    if (way === "paste") well = await lab.take(new Blob([find("pasted").value]), "pasted.txt", "pasted", told);
    if (way === "equation") {
      const number = (id) => Number(find(id).value.replace(",", "."));
      const asked = { equation: find("equation").value, low: number("made-low"), high: number("made-high"), rows: number("made-rows") };
      well = await lab.take(new Blob([JSON.stringify(asked)]), "made.csv", "equation", told);
    }
    if (way === "draw") {
      if (!sound()) return wrong(words().draw_ends);
      const { kinds, text, count } = rows(), both = new Set(points.map(({ kind }) => kind));
      if (count < 3) return wrong(words().draw_few);
      if (kinds && !(both.has(0) && both.has(1))) return wrong(words().draw_kinds);
      const sides = "?problem=upload&formula=z%20~%20sigmoid(a%20%2B%20b*x%20%2B%20c*y)&loss=logistic";
      well = await lab.take(new Blob([text]), "drawn.csv", "", told, kinds ? () => sides : undefined);
    }
    if (well) find("own").close();
  };
  const open = (chosen) => {
    way = chosen;
    for (const section of document.querySelectorAll("#own section")) section.hidden = section.dataset.way !== way;
    find("own-told").textContent = "";
    find("own").showModal();
    if (way === "draw") { changed(); find("drawing").focus(); }
    if (way === "paste") find("pasted").focus();
    if (way === "equation") find("equation").focus();
  };

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (button?.dataset.own) return open(button.dataset.own);
    switch (button?.id) {
      case "own-close": return find("own").close();
      case "own-use": return use();
      case "draw-clear": points = []; strokes = []; return changed();
      case "draw-undo": points.splice(points.length - (strokes.pop() || 0)); return changed();
    }
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target.id !== "drawing") return;
    event.target.setPointerCapture(event.pointerId);
    strokes.push(0);
    const place = placed(event);
    pressed = find("draw-kind").value === "curve" ? place : null;
    cross = null;
    put(place);
    changed();
  });
  document.addEventListener("pointermove", (event) => { if (pressed && event.target.id === "drawing") { draw(event); changed(); } });
  document.addEventListener("pointerup", () => { pressed = null; });
  document.addEventListener("input", ({ target }) => { if (/^draw-(left|right|low|high)$/.test(target.id)) changed(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "drawing") return;
    const far = event.shiftKey ? 0.1 : 0.02, way = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, far], ArrowDown: [0, -far] }[event.key];
    if (!way && event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    cross ||= { x: 0.5, y: 0.5 };
    if (way) cross = { x: Math.min(1, Math.max(0, cross.x + way[0])), y: Math.min(1, Math.max(0, cross.y + way[1])) };
    else { strokes.push(0); put(cross); }
    paint();
    const [left, right, low, high] = ends();
    tell(`${lab.filled(words().draw_at, { x: lab.number(left + cross.x * (right - left), 3), y: lab.number(low + cross.y * (high - low), 3) })} · ${lab.filled(words().draw_told, { count: points.length })}`);
  });
})();
