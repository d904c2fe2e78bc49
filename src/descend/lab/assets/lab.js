"use strict";
// The player: figures and numbers move from the film alone, so that playing asks the server for nothing.
(() => {
  const root = document.documentElement, key = "descend-upload", shade = "descend-shade", FPS = 20, REST = 200, GRAPHS = ["data", "surface", "loss"];
  const TOLD = ["formula-told", "start-told", "trouble"], silent = Object.fromEntries(TOLD.map((place) => [place, null]));
  const none = () => window.dash_clientside.no_update;
  let shown = {}, film = null, frame = 0, timer = null, resting = null, wanted = null, latest = null, asking = false, opened = 0;

  const find = (id) => document.getElementById(id);
  const graph = (name) => find(`${name}-figure`)?.querySelector(".js-plotly-plot");
  const set = (id, props) => window.dash_clientside.set_props(id, props);
  const isDark = () => root.dataset.theme === "dark";
  const wear = (theme) => { root.dataset.theme = theme; };
  wear(localStorage.getItem(shade) || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

  // What moves is drawn over the figures, by their axes: Plotly would take too long over each frame.
  const SVG = "http://www.w3.org/2000/svg";
  const made = (tag, inside, given) => {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(given)) element.setAttribute(name, value);
    return inside.appendChild(element);
  };
  const joined = (x, y, apart) => {
    let text = "", pen = "M";
    for (let i = 0; i < x.length; i += 1) {
      if (x[i] === null || y[i] === null || !Number.isFinite(y[i])) { pen = "M"; continue; }
      text += apart ? `M${x[i].toFixed(1)} ${y[i].toFixed(1)}h0` : `${pen}${x[i].toFixed(1)} ${y[i].toFixed(1)}`;
      pen = "L";
    }
    return text;
  };
  const dot = (inside, x, y, colour) => {
    if (Number.isFinite(x) && Number.isFinite(y)) made("circle", inside, { cx: x.toFixed(1), cy: y.toFixed(1), r: 6.5, fill: colour, class: "head" });
  };
  const GAP = -32768, bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  // The plane of two inputs: a picture of the probabilities, and the border where they are a half.
  const side = (move, k, inside, across, up, paint) => {
    const { cells, x, y } = move, last = cells - 1;
    move.values ||= bytes(move.side);
    const p = move.values.subarray(k * cells * cells, (k + 1) * cells * cells);
    const at = (i, j) => [across(x[0] + (x[1] - x[0]) * i / last), up(y[0] + (y[1] - y[0]) * j / last)];
    const [left, bottom] = at(0, 0), [right, top] = at(last, last);
    if (move === film.moves.data[0] || window.descendLab.hand.on) {
      const canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), image = pen.createImageData(cells, cells);
      Object.assign(canvas, { width: cells, height: cells });
      p.forEach((value, place) => {
        const spot = 4 * ((last - Math.floor(place / cells)) * cells + place % cells), away = value / 100 - 1;
        image.data.set([...away > 0 ? [230, 159, 0] : [0, 114, 178], 110 * Math.abs(away)], spot);
      });
      pen.putImageData(image, 0, 0);
      const wide = (right - left) / last / 2, high = (bottom - top) / last / 2;  // a cell is around its point
      made("image", inside, { href: canvas.toDataURL(), x: left - wide, y: top - high, width: right - left + 2 * wide, height: bottom - top + 2 * high, preserveAspectRatio: "none" });
    }
    let text = "";
    for (let j = 0; j < last; j += 1) for (let i = 0; i < last; i += 1) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], found = [];
      corners.forEach((one, place) => {
        const other = corners[(place + 1) % 4], a = p[one[1] * cells + one[0]] - 100, b = p[other[1] * cells + other[0]] - 100;
        if ((a < 0) !== (b < 0)) found.push(at(one[0] + (other[0] - one[0]) * a / (a - b), one[1] + (other[1] - one[1]) * a / (a - b)));
      });
      for (let place = 0; place + 1 < found.length; place += 2) text += `M${found[place].map((v) => v.toFixed(1)).join(" ")}L${found[place + 1].map((v) => v.toFixed(1)).join(" ")}`;
    }
    made("path", inside, { d: text, stroke: paint, class: "border" });
  };
  const moveTo = (name, k) => {
    const plot = graph(name), moves = film && film.moves[name], box = plot && plot.closest(".graph");
    if (!moves || !plot._fullLayout || !plot._fullLayout.xaxis) return;
    if (!plot.dataset.followed) {
      plot.dataset.followed = "yes";
      plot.on("plotly_afterplot", () => moveTo(name, frame));
    }
    const { xaxis, yaxis } = plot._fullLayout, hand = window.descendLab.hand;
    if (!Number.isFinite(xaxis._offset)) return;  // not laid out yet: it says so when it is
    box.querySelector(".moving")?.remove();
    const layer = made("svg", box, { class: "moving", "aria-hidden": "true" });
    const inside = made("svg", layer, { x: xaxis._offset, y: yaxis._offset, width: xaxis._length, height: yaxis._length });
    const across = (value) => value === null ? null : xaxis.d2p(value), up = (value) => value === null ? null : yaxis.d2p(value);
    const mine = hand.on && name !== "loss" ? hand.move(name) : moves;
    if (hand.on) k = name === "loss" ? k : 0;
    for (const move of mine) {
      const { kind, colour, x, y, scale } = move, paint = `var(--${colour})`;
      if (kind === "sides") { side(move, k, inside, across, up, paint); continue; }
      if (kind === "curve" || kind === "dots") {
        move.places ||= new Int16Array(bytes(move.heights).buffer);
        const heights = Array.from(move.places.subarray(k * x.length, (k + 1) * x.length), (place) => place === GAP ? null : up(scale[0] + place * scale[1])), apart = kind === "dots";
        made("path", inside, { d: joined(x.map(across), heights, apart), stroke: paint, class: x.length > 24 ? kind : "dots few" });
        continue;
      }
      if (kind === "line") { made("path", inside, { d: joined(x.map(across), y.map(up), false), stroke: paint, class: move.held ? "line held" : kind }); continue; }
      if (kind === "path") {
        const a = x.slice(0, k + 1).map(across), b = y.slice(0, k + 1).map(up);
        made("path", inside, { d: joined(a, b, false), stroke: paint, class: "way" });
        if (film.epochs.length <= 121) made("path", inside, { d: joined(a, b, true), stroke: paint, class: "steps" });
      }
      if (hand.on) continue;
      if (x[k] !== null && y[k] !== null) dot(inside, across(x[k]), up(y[k]), paint);
    }
    if (hand.on) hand.draw(name, (tag, given) => made(tag, inside, given), xaxis.d2p.bind(xaxis), yaxis.d2p.bind(yaxis));
  };
  const tell = () => {
    const slider = find("frame-slider"), told = find("epoch-told"), box = find("equations");
    if (!film || !told) return;
    const epoch = film.epochs[frame], last = film.epochs[film.epochs.length - 1];
    if (slider) { slider.max = film.epochs.length - 1; slider.value = frame; slider.setAttribute("aria-valuetext", epoch); }
    const { losses } = film, { lines, number, words } = window.descendLab, said = find("in-words");
    told.textContent = `${find("frames").dataset.of.replace("{epoch}", epoch).replace("{last}", last)}` +
      (losses.length === 1 ? `  ·  J = ${number(losses[0][frame])}` : "") +
      (film.held && losses.length === 1 ? `  ·  ${find("frames").dataset.held.replace("{value}", number(film.held[0][frame]))}` : "");
    const ended = frame === film.epochs.length - 1 ? [` ${box.dataset.ended}`] : [];
    const written = (texts) => texts.map((line) => {
      const p = document.createElement("p");
      p.textContent = line;
      if (line.startsWith(" ")) p.className = "aside";
      return p;
    });
    box.replaceChildren(...written([...film.steps.taken ? lines(film.steps, frame) : [], ...ended]));
    said.replaceChildren(...written(words(film, frame, JSON.parse(said.dataset.words))));
  };
  const show = (k) => {
    frame = Math.max(0, Math.min(k, film.epochs.length - 1));
    for (const name of Object.keys(film.moves)) moveTo(name, frame);
    tell();
  };
  const running = (on) => {
    const button = find("play");
    clearInterval(timer);
    timer = null;
    if (on && film) {
      if (frame >= film.epochs.length - 1) show(0);
      // A film takes six seconds at most.
      const stride = Math.max(1, Math.round(film.epochs.length / (6 * FPS)));
      timer = setInterval(() => {
        if (!film || !find("play")) return running(false);
        show(frame + stride);
        if (frame >= film.epochs.length - 1) running(false);
      }, 1000 / FPS);
    }
    if (button) {
      button.classList.toggle("playing", timer !== null);
      button.title = timer ? button.dataset.pause : button.dataset.play;
      button.setAttribute("aria-label", button.title);
    }
  };
  const slider = () => {
    const box = find("frames");
    if (!box || find("frame-slider")) return;
    const input = document.createElement("input");
    Object.assign(input, { type: "range", id: "frame-slider", min: 0, max: 1, step: 1, value: 0 });
    input.setAttribute("aria-label", box.dataset.label);
    input.addEventListener("input", () => { running(false); if (film) show(+input.value); });
    box.append(input);
    new MutationObserver(mend).observe(document.querySelector(".side"), { childList: true, subtree: true });
    if (innerWidth < 760) find("more")?.removeAttribute("open");
  };
  // A rate that was chosen for the reader is shown where it lies.
  const follow = () => {
    find("rate")?.closest(".rate").classList.toggle("unused", film.rate === null);
    if (!document.querySelector("#auto input:checked")) return;
    const [min, max] = film.scale;
    set("rate-typed", { value: film.rate === null ? "" : String(Number(film.rate.toPrecision(4))) });
    if (film.rate !== null) set("rate", { min, max, value: Math.log10(film.rate) });
  };
  // A new film begins where the descent has led. A figure is drawn again only if it is another one.
  let still = {}, drawn = {};
  // Larger letters for a projector.
  const fitted = (figure) => {
    const large = root.dataset.view === "projector", size = large ? Math.max(15, innerWidth / 78) : 12, { layout } = figure;
    const axis = (one) => one && { ...one, tickfont: { ...one.tickfont, size: one.tickfont?.size ? size * 0.85 : size }, title: { ...one.title, font: { size } } };
    return { data: figure.data, layout: { ...layout, font: { ...layout.font, size }, margin: { l: 4.7 * size, r: size, t: 0.7 * size, b: 3.7 * size },
      xaxis: axis(layout.xaxis), yaxis: axis(layout.yaxis) } };
  };
  const refit = () => { for (const [name, figure] of Object.entries(drawn)) set(`${name}-figure`, { figure: fitted(figure) }); };
  const redraw = (name) => {
    const mark = film.marks[name], figure = film.figures[name], plot = graph(name);
    find(`${name}-figure`)?.closest(".card")?.toggleAttribute("hidden", !mark);
    if (!figure && mark && plot && plot.data) return moveTo(name, frame);
    if (mark) still[name] = mark; else delete still[name];
    if (figure) drawn[name] = figure; else delete drawn[name];
    set(`${name}-figure`, { figure: figure ? fitted(figure) : { data: [], layout: {} } });
  };
  // Words can wait until the hand rests.
  const linked = (link) => {
    root.dataset.film = link;
    clearTimeout(resting);
    resting = setTimeout(() => {
      history.replaceState(history.state, "", link + (link.startsWith("?problem=upload") ? location.hash : ""));
      set("link", { data: link });
      spoken(link);
    }, REST);
  };
  const spoken = async (link) => {
    const at = opened, body = JSON.stringify({ link, key: sessionStorage.getItem(key) }), current = () => at === opened && root.dataset.film === link;
    try {
      const reply = await fetch("words", { method: "POST", body, headers: { "Content-Type": "application/json" } });
      const said = await reply.json();
      if (!current()) return;
      if (reply.status === 429) return setTimeout(() => current() && spoken(link), 1000 * said.wait);
      if (!reply.ok) return;
      said.told = { ...said.told, "data-link": link };
      for (const [id, properties] of Object.entries(said)) {
        if (id !== "rate" || +find("rate").min !== properties.min || +find("rate").max !== properties.max) set(id, properties);
      }
    } catch { /* a server that is gone is told of by the next film */ }
  };
  const play = (next) => {
    film = next;
    frame = film.begin;
    root.classList.remove("empty", "all-groups");
    find("one-group")?.toggleAttribute("hidden", !film.group);
    set("start", { placeholder: film.start });
    running(false);
    slider();
    mend();
    tell();
    follow();
    GRAPHS.forEach(redraw);
    if (find("shown-formula")) find("shown-formula").textContent = find("formula").value;
    linked(film.link);
    window.descendLab.hand.follow();
  };
  // All groups: what the server wrote of names and numbers, escaped.
  const gather = (groups) => {
    running(false);
    film = null;
    root.classList.remove("empty");
    root.classList.add("all-groups");
    find("one-group")?.setAttribute("hidden", "");
    for (const part of ["verdict", "picture", "table"]) {
      const box = find(`groups-${part}`);
      if (box && box.dataset.told !== groups[part]) {
        const at = document.activeElement?.dataset?.column ?? null;
        box.innerHTML = box.dataset.told = groups[part];
        if (part === "table" && at !== null) box.querySelector(`[data-column="${at}"]`)?.focus();
      }
    }
    slider();
    mend();
    linked(groups.link);
  };
  const list = (change) => {
    shown = { ...shown, page: 0, ...change };
    if (latest) want({ ...latest, shown });
  };
  const follow_link = (link) => {
    film = null;
    scrollTo(0, 0);
    set("url", { search: link });
  };
  // One question at a time; of those that come up meanwhile only the last is asked.
  const say = (id, children) => {
    const place = find(id), text = JSON.stringify(children);
    if (!place || (place.dataset.told || "null") === text) return;
    place.dataset.told = text;
    set(id, { children });
  };
  const want = (question) => {
    if (JSON.stringify(question) === JSON.stringify(latest)) return;
    latest = wanted = question;
    if (!asking) ask();
  };
  const ask = async () => {
    asking = true;
    while (wanted) {
      const body = JSON.stringify({ ...wanted, have: still }), { at } = wanted.settings.context;
      let said;
      wanted = null;
      try {
        const reply = await fetch("film", { method: "POST", body, headers: { "Content-Type": "application/json" } });
        if (reply.status === 429) {  // a lab for many lets each ask only so much
          const told = await reply.json();
          say("trouble", told.error);
          wanted ||= JSON.parse(body);
          await new Promise((go) => setTimeout(go, 1000 * told.wait));
          continue;
        }
        if (!reply.ok) throw reply.status;
        said = await reply.json();
      } catch (error) { said = { told: { ...silent, trouble: `${find("trouble").dataset.silent} (${error})` } }; }
      if (at !== opened) continue;  // of a page that is gone
      for (const [id, children] of Object.entries(said.told)) say(id, children);
      root.classList.toggle("stale", !said.film && !said.groups);  // what is shown is of settings before these
      if (said.film) play(said.film);
      if (said.groups) gather(said.groups);
    }
    asking = false;
  };
  // Plotly says nothing of its first drawing to those who come later, so each new one is looked for.
  new MutationObserver(() => {
    for (const name of GRAPHS) {
      const plot = graph(name);
      if (plot && plot._fullLayout && plot.on && !plot.dataset.followed) moveTo(name, frame);
    }
  }).observe(document.body, { childList: true, subtree: true });

  const answered = async (reply) => {
    const text = await reply.text();
    try { return JSON.parse(text); } catch { return { error: text || `${reply.status}` }; }
  };
  // Data of one's own: a file, or what kind of text else; `told` is where errors are said. Returns whether it went well.
  const take = async (body, name, kind, told, changed = (search) => search) => {
    told.className = "";
    told.textContent = name ? `${name} …` : "…";
    const wrong = (text) => {
      told.replaceChildren(...text.split("`").map((part, place) => {
        if (place % 2 === 0) return part;
        const code = document.createElement("code");
        code.textContent = part;
        return code;
      }));
      told.className = "error";
      return false;
    };
    // A server that refuses it before its end is not heard by every browser.
    if (body.size > +find("upload-told").dataset.most) return wrong(find("upload-told").dataset.large);
    try {
      const said = await answered(await fetch("upload", { method: "POST", body, headers: { "X-Name": encodeURIComponent(name), "X-Kind": kind } }));
      if (said.error) return wrong(said.error);
      sessionStorage.setItem(key, said.key);
      film = null;
      told.textContent = "";
      const lang = document.querySelector("#page [lang]")?.lang.slice(0, 2) || "en";
      set("url", { search: `${changed(said.search, said.columns)}&lang=${lang}`, hash: "" });
      return true;
    } catch (error) { return wrong(String(error)); }
  };
  const upload = (file) => file && take(file, file.name, "", find("upload-told"));
  // The data of a link are in its end, which browsers keep to themselves; the server reads them once.
  const received = async () => {
    const [, letters] = /^#data=([\w-]+)$/.exec(location.hash) || [];
    if (!letters || !location.search.includes("problem=upload")) return;
    const mark = `${key}-${letters.length}-${letters.slice(-24)}`, before = sessionStorage.getItem(mark);
    if (before) return sessionStorage.setItem(key, before);
    const said = await answered(await fetch("upload", { method: "POST", body: letters, headers: { "X-Kind": "link" } }));
    if (!said.key) return;
    sessionStorage.setItem(key, said.key);
    sessionStorage.setItem(mark, said.key);
  };
  // A link that carries uploaded rows, in itself or as a file that the server keeps.
  const carry = async (button) => {
    const here = new URL(location.href), { token } = document.documentElement.dataset;
    if (token) here.searchParams.set("token", token);
    if (here.searchParams.get("problem") !== "upload" || here.hash || here.searchParams.has("data")) return copy(button, here.href);
    const said = await answered(await fetch("share", { method: "POST", body: sessionStorage.getItem(key) || "" }));
    if (said.packed) here.hash = `data=${said.packed}`;
    else if (said.kept) here.searchParams.set("data", said.kept);
    copy(button, here.href, said.error ? button.dataset.failed : button.dataset.done);
  };
  const copy = async (button, text, done = button.dataset.done) => {
    const before = button.dataset.before ||= button.textContent;
    button.dataset.copied = text;
    try { await navigator.clipboard.writeText(text); } catch {  // only pages of this machine, or by https, may
      const box = document.createElement("textarea");
      box.value = text;
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
    button.textContent = done;
    setTimeout(() => { button.textContent = before; }, done === button.dataset.done ? 1500 : 6000);
  };
  // A place of the surface becomes the start, wherever on it one clicks.
  const begin = (event) => {
    const plot = graph("surface");
    if (!plot || !film || !film.axes || !plot._fullLayout) return;
    const { xaxis, yaxis } = plot._fullLayout, box = plot.getBoundingClientRect();
    const across = event.clientX - box.left - xaxis._offset, up = event.clientY - box.top - yaxis._offset, { hand } = window.descendLab;
    if (across < 0 || across > xaxis._length || up < 0 || up > yaxis._length) return;
    if (hand.on) return hand.aim(xaxis.p2d(across), yaxis.p2d(up));
    const digits = (axis) => Math.max(0, 3 - Math.floor(Math.log10(Math.abs(axis.range[1] - axis.range[0]))));
    const start = Object.fromEntries([...find("start").value.matchAll(/\s*([^,=]+)=([^,]+)/g)].map((part) => [part[1].trim(), part[2].trim()]));
    start[film.axes[0]] = xaxis.p2d(across).toFixed(Math.min(digits(xaxis), 12));
    if (film.axes[1]) start[film.axes[1]] = yaxis.p2d(up).toFixed(Math.min(digits(yaxis), 12));
    set("start", { value: Object.entries(start).map(([name, value]) => `${name}=${+value}`).join(", ") });
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (event.target.closest("#surface-figure")) return begin(event);
    const link = event.target.closest("#all-groups a[href], #one-group a[href]");
    const row = event.target.closest("#groups-table tbody tr")?.querySelector("a[href]");
    if ((link || row) && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      return follow_link((link || row).getAttribute("href"));
    }
    if (!button) return;
    if (button.dataset.page) return list({ page: +button.dataset.page });
    if (button.dataset.column) {
      const column = +button.dataset.column;
      return list({ column, down: shown.column === column && !shown.down });
    }
    if (button.dataset.copies) return copy(button, find(button.dataset.copies).textContent);
    switch (button.id) {
      case "play": return running(!timer);
      case "next": running(false); return film && show(frame + 1);
      case "back": running(false); return film && show(frame - 1);
      case "first": running(false); return film && show(0);
      case "worst-first": return list({ column: null, down: false });
      case "copy-link": return carry(button);
      case "shade":
        wear(isDark() ? "light" : "dark");
        localStorage.setItem(shade, root.dataset.theme);
        return set("theme", { data: root.dataset.theme });
      case "language": {
        const query = new URLSearchParams(location.search);
        query.set("lang", button.dataset.language);
        film = null;
        return set("url", { search: `?${query}` });
      }
      case "choose-file": {
        const chooser = document.createElement("input");
        Object.assign(chooser, { type: "file", accept: ".csv,.tsv,.txt,text/csv" });
        chooser.addEventListener("change", () => upload(chooser.files[0]));
        return chooser.click();
      }
    }
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => { event.preventDefault(); upload(event.dataTransfer.files[0]); });

  // Dash calls a list of checkboxes a listbox, which it is not, and lets one tab to what nobody sees.
  const mend = () => {
    for (const box of document.querySelectorAll(".dash-checklist[role], .dash-checklist [role=option], .dash-checklist [aria-selected]")) {
      box.removeAttribute("role");
      box.removeAttribute("aria-selected");
    }
    for (const input of document.querySelectorAll(".dash-dropdown-focus-target")) input.tabIndex = -1;
  };
  for (const happening of ["click", "change"]) document.addEventListener(happening, () => setTimeout(mend));

  // The slider of rates and the number beside it follow each other, the number once it stays as it is.
  // A rate is what its box says; where the slider has moved on, what the box is about to say.
  const typed = (text) => Number((text || "").replace("−", "-").replace(",", "."));
  const short = (power) => Number((10 ** power).toPrecision(3));
  const rated = (power) => {
    const said = Math.log10(typed(find("rate-typed")?.value));
    return Math.abs(said - power) < 1e-4 ? said : Math.log10(short(power));
  };
  let typing = null;
  const manual = () => { if (document.querySelector("#auto input:checked")) set("auto", { value: [] }); };
  document.addEventListener("input", ({ target }) => {
    if (target.id === "rate") {
      // Dash will ask the same, but takes its time.
      find("rate-typed")?.setAttribute("aria-invalid", false);
      if (latest) want({ ...latest, settings: { ...latest.settings, rate: rated(+target.value), auto: [] } });
      manual();
      requestAnimationFrame(() => set("rate-typed", { value: String(short(target.value)) }));
    }
    if (target.id === "find-group") {
      clearTimeout(typing);
      typing = setTimeout(() => list({ find: target.value }), 200);
    }
    if (target.id === "noise" && find("noise-told")) find("noise-told").textContent = Number(target.value);
    if (target.id === "rate-typed") {
      clearTimeout(typing);
      typing = setTimeout(() => {
        const rate = typed(target.value), good = rate > 0 && Number.isFinite(rate);
        target.setAttribute("aria-invalid", !good);
        if (!good) return;
        manual();
        set("rate", { value: Math.log10(rate) });
      }, 400);
    }
  }, true);
  Object.assign(window.descendLab, {
    find, graph, take, show, refit, film: () => film, frame: () => frame, asked: () => latest, stop: () => running(false),
    redraw: () => GRAPHS.forEach((name) => moveTo(name, frame)),
  });
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    lab: {
      open: async (search) => {
        if (!opened) set("theme", { data: root.dataset.theme });
        film = wanted = latest = null;
        shown = {};
        root.classList.remove("all-groups");
        root.classList.remove("stale");
        root.classList.add("empty");
        still = {};
        clearTimeout(resting);
        for (const place of TOLD) delete find(place)?.dataset.told;
        opened = Date.now();
        window.descendLab.hand.leave();
        await received();
        return { search: search || "", key: sessionStorage.getItem(key), at: opened };
      },
      ask: (...asked) => {
        const [gradient, opening] = asked.slice(-2), inputs = window.dash_clientside.callback_context.inputs_list;
        const settings = Object.fromEntries(inputs.map((one, place) => [one.id, asked[place]]));
        settings.rate = settings.auto?.length ? null : rated(+settings.rate);  // a slider's value is text, but not at first
        want({ settings, gradient, key: opening.key, shown });
        return none();
      },
      sample: (clicks, context) => clicks ? { ...context, seed: context.seed + 1 } : none(),
      go: (problem, context) => {
        if (!context || !problem || problem === context.problem) return none();
        film = null;
        return `?problem=${problem}&lang=${context.lang}`;
      },
      // Our own MathML, of a formula that was read and written anew: nothing of what was typed but names, escaped.
      // So is the picture of a curve.
      draw: (markup) => { setTimeout(mend); const box = find("curve-picture"); if (box) box.innerHTML = markup || ""; return none(); },
      write: (markup) => { const box = find("derived"); if (box) box.innerHTML = markup || ""; return none(); },
    },
  });
})();
