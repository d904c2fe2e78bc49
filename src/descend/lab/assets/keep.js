"use strict";
// Pictures and films to keep, print, and the view for a projector.
(() => {
  const root = document.documentElement, lab = window.descendLab = window.descendLab || {}, find = (id) => document.getElementById(id);
  const VIEW = "descend-view", GRAPHS = ["data", "surface", "loss"], FPS = 20;

  const styled = ["stroke", "stroke-width", "stroke-linejoin", "stroke-linecap", "stroke-dasharray", "fill", "opacity"];
  const loaded = (source) => new Promise((go, stop) => {
    const image = new Image();
    image.onload = () => go(image);
    image.onerror = stop;
    image.src = source;
  });
  const asImage = (svg) => loaded(`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`);
  // What moves, with the style of the page written into it.
  const moving = (name) => {
    const layer = lab.graph(name).closest(".graph").querySelector(".moving");
    if (!layer) return null;
    const copy = layer.cloneNode(true), { width, height } = layer.getBoundingClientRect(), now = layer.querySelectorAll("path, circle");
    copy.querySelectorAll("path, circle").forEach((element, place) => {
      const style = getComputedStyle(now[place]);
      for (const one of styled) element.setAttribute(one, style.getPropertyValue(one));
    });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    return asImage(new XMLSerializer().serializeToString(copy));
  };
  const standing = async (name) => {
    const plot = lab.graph(name), { width, height } = plot.getBoundingClientRect();
    return { image: await loaded(await window.Plotly.toImage(plot, { format: "svg", width, height })), width, height, title: find(`${name}-title`).textContent };
  };
  const save = (blob, name) => {
    const link = document.createElement("a");
    Object.assign(link, { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const named = () => new URLSearchParams(location.search).get("problem") || "line";
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const HEAD = 34;
  const inscribe = (pen, { title, width, height, image }, left, over) => {
    pen.fillStyle = colour("paper");
    pen.fillRect(left, 0, width, height + HEAD);
    pen.fillStyle = colour("ink");
    pen.font = "600 16px system-ui, sans-serif";
    pen.fillText(title, left + 14, 23);
    pen.drawImage(image, left, HEAD, width, height);
    if (over) pen.drawImage(over, left, HEAD, width, height);
  };
  const picture = async (name) => {
    const still = await standing(name), canvas = document.createElement("canvas"), pen = canvas.getContext("2d"), fine = 2;
    Object.assign(canvas, { width: still.width * fine, height: (still.height + HEAD) * fine });
    pen.scale(fine, fine);
    inscribe(pen, still, 0, await moving(name));
    canvas.toBlob((blob) => save(blob, `${named()}-${name}.png`));
  };
  // All frames, drawn one after the other as they would be played.
  const film = async (button) => {
    const kind = ["video/mp4", "video/webm"].find((one) => window.MediaRecorder?.isTypeSupported(one)), before = button.textContent;
    if (!kind) { button.textContent = button.dataset.none; return; }
    button.textContent = button.dataset.going;
    button.disabled = true;
    lab.stop();
    const shown = GRAPHS.filter((name) => lab.film().moves[name]), stills = await Promise.all(shown.map(standing));
    const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    const width = Math.ceil(stills.reduce((sum, one) => sum + one.width, 0) / 2) * 2, height = Math.ceil((Math.max(...stills.map((one) => one.height)) + HEAD) / 2) * 2;
    Object.assign(canvas, { width, height });
    const parts = [], recorder = new MediaRecorder(canvas.captureStream(FPS), { mimeType: kind, videoBitsPerSecond: 4e6 });
    recorder.ondataavailable = ({ data }) => parts.push(data);
    const ended = new Promise((go) => { recorder.onstop = go; }), frames = lab.film().epochs.length, stride = Math.max(1, Math.round(frames / (6 * FPS)));
    const at = async (k) => {
      lab.show(k);
      const over = await Promise.all(shown.map(moving));
      pen.fillStyle = colour("paper");
      pen.fillRect(0, 0, width, height);
      let left = 0;
      stills.forEach((still, place) => { inscribe(pen, still, left, over[place]); left += still.width; });
    };
    await at(0);
    recorder.start();
    for (let k = 0; k < frames; k += stride) {
      const began = performance.now();
      await at(k);
      await new Promise((go) => setTimeout(go, Math.max(0, 1000 / FPS - (performance.now() - began))));
    }
    await at(frames - 1);
    await new Promise((go) => setTimeout(go, 800));
    recorder.stop();
    await ended;
    save(new Blob(parts, { type: kind }), `${named()}.${kind.slice(6)}`);
    button.textContent = before;
    button.disabled = false;
  };

  const view = (large) => {
    root.dataset.view = large ? "projector" : "";
    find("projector")?.setAttribute("aria-pressed", large);
  };
  view(localStorage.getItem(VIEW) === "projector");
  new MutationObserver(() => {
    const button = find("projector"), large = root.dataset.view === "projector";
    if (button && button.getAttribute("aria-pressed") !== String(large)) button.setAttribute("aria-pressed", large);
  }).observe(document.body, { childList: true, subtree: true });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.("button");
    if (button?.dataset.picture) return picture(button.dataset.picture);
    switch (button?.id) {
      case "video": return lab.film() && film(button);
      case "print": return window.print();
      case "projector": {
        const large = root.dataset.view !== "projector";
        localStorage.setItem(VIEW, large ? "projector" : "");
        view(large);
        scrollTo(0, 0);
        return lab.refit();
      }
    }
  });
})();
