// What the theme leaves out: names for its parts, and boxes that scroll by keyboard as well.
const complete = () => {
  document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code").forEach((box) => (box.tabIndex = 0));
  document.querySelectorAll(".md-code__nav").forEach((bar, at) => bar.setAttribute("aria-label", `Block ${at + 1}`));
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
};
document.addEventListener("DOMContentLoaded", () => {
  complete();
  new MutationObserver(complete).observe(document.body, { childList: true, subtree: true });
});
