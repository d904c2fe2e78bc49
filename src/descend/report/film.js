"use strict";
(() => {
  const frames = JSON.parse(document.getElementById("frames").textContent);
  const [play, back, on, slider, said] = ["play", "back", "on", "frame", "said"].map((id) => document.getElementById(id));
  const moving = [...document.querySelectorAll(".film g[clip-path] > g")];
  const WAIT = 1000 / 12, last = frames.length - 1;
  let at = 0, timer = null;

  const show = (place) => {
    at = Math.max(0, Math.min(last, place));
    const [words, ...marks] = frames[at];
    slider.value = at;
    slider.setAttribute("aria-valuetext", words);
    said.textContent = words;
    marks.forEach((mark, panel) => { moving[panel].innerHTML = mark; });
    back.disabled = at === 0;
    on.disabled = at === last;
  };
  const pause = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const start = () => {
    if (at === last) show(0);
    play.textContent = "Pause";
    timer = setInterval(() => { show(at + 1); if (at === last) pause(); }, WAIT);
  };

  play.addEventListener("click", () => (timer === null ? start() : pause()));
  slider.addEventListener("input", () => { pause(); show(+slider.value); });
  back.addEventListener("click", () => { pause(); show(at - 1); });
  on.addEventListener("click", () => { pause(); show(at + 1); });
  show(0);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) start();
})();
