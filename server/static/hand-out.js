/* A code for collecting: counts down, asks what became of it, and says so. Without it the page still shows the code. */
(() => {
  "use strict";
  const root = document.getElementById("hand-out");
  if (!root) return;
  const zh = document.documentElement.lang.startsWith("zh");
  const news = document.getElementById("hand-out-news"), ring = document.getElementById("ring"), countdown = document.getElementById("countdown");
  const life = Number(root.dataset.life), ends = performance.now() + Number(root.dataset.seconds) * 1000;
  const EVERY = 1500;
  let over = false;

  const show = (state) => {
    over = state !== "open";
    for (const part of root.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
    root.dataset.state = state;
    const told = over && root.querySelector(`[data-when="${state}"] .verdict > div`);
    if (told && news) news.textContent = told.textContent; // a part that appears is not read out by itself
  };
  const ask = async () => {
    const answer = await fetch(root.dataset.stateUrl, { cache: "no-store", headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const { state } = await answer.json();
      if (state !== "open") show(state);
    }
  };
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    countdown.textContent = zh ? `${clock} 后失效` : `valid for ${clock}`;
    ring.setAttribute("stroke-dasharray", `${Math.max(0, Math.min(100, (100 * left) / life))} 100`);
    if (left === 0 && !over) show("expired");
    if (over) clearInterval(timer);
  }, 1000);
  const poll = async () => {
    if (!document.hidden) await ask();
    if (!over) setTimeout(poll, EVERY);
  };
  setTimeout(poll, EVERY);
})();
