// After a verdict: read it out, let one key scan the next, and take the claims off the screen in time.
"use strict";

(() => {
  const verdict = document.getElementById("verdict");
  verdict?.focus({ preventScroll: true });

  const next = document.querySelector("[data-next]");
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select");
    if (next && event.key.toLowerCase() === "n" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) next.click();
  });

  // What is personal: the claims, the pictures of pages, and what the download form carries.
  const card = document.querySelector("[data-clear-after]");
  if (!card) return;
  function clear() {
    document.querySelectorAll("[data-claims], [data-personal]").forEach((part) => part.remove());
    document.querySelectorAll("[form=take]").forEach((button) => button.remove());
    document.querySelectorAll("[data-report]").forEach((report) => report.closest("details")?.removeAttribute("open"));
    document.querySelectorAll("[data-cleared]").forEach((said) => { said.hidden = false; });
  }
  setTimeout(clear, Number(card.dataset.clearAfter) * 1000);
  window.addEventListener("pagehide", clear); // nothing is left for the back button
})();
