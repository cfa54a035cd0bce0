/* The live code: counts down, asks for a new code in time, and says when it was read. Without it the page has plain forms. */
(() => {
  "use strict";
  const zh = document.documentElement.lang.startsWith("zh");
  const get = async (id) => {
    const answer = await fetch(`/api/wallet/presentations/${encodeURIComponent(id)}`, { headers: { Accept: "application/json" }, cache: "no-store" });
    return answer.ok ? answer.json() : null;
  };

  const awaiting = document.getElementById("await-verdict");
  if (awaiting) {
    let tries = 0;
    const timer = setInterval(async () => {
      tries += 1;
      if (tries > 60) clearInterval(timer);
      const state = await get(awaiting.dataset.id).catch(() => null);
      if (state && state.verdict) location.reload();
    }, 1500);
  }

  const live = document.getElementById("live");
  if (!live) return;
  document.documentElement.classList.add("js");
  const MOST_RENEWALS = 8; // then the holder says that the code is still wanted: no code lies about on an idle screen
  const at = (id) => document.getElementById(id);
  const ring = at("ring"), countdown = at("countdown"), announce = at("announce"), resume = at("resume");
  const form = at("claims-form");
  let id = live.dataset.id, life = Number(live.dataset.life), ends = performance.now() + Number(live.dataset.seconds) * 1000;
  let renewals = 0, busy = false, paused = false, lastPoll = performance.now();

  const point = () => {
    at("replaces").value = id;
    at("cancel").action = `/wallet/p/${encodeURIComponent(id)}/cancel`;
  };
  const done = () => location.replace(`/wallet/p/${encodeURIComponent(id)}`);
  const pause = (on) => {
    paused = on;
    live.classList.toggle("paused", on);
    resume.hidden = !on;
    if (on) countdown.textContent = zh ? "已暂停" : "paused";
  };
  const renew = async () => {
    busy = true;
    try {
      const answer = await fetch(`/api/wallet/presentations/${encodeURIComponent(id)}/renewal`, { method: "POST", headers: { "X-CSRF-Token": live.dataset.csrf, Accept: "application/json" } });
      if (answer.status === 409) { done(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const shown = await answer.json();
      id = shown.id;
      at("qr").innerHTML = shown.qr;
      at("code").textContent = shown.code;
      ends = performance.now() + shown.seconds_left * 1000;
      renewals += 1;
      announce.textContent = zh ? "二维码已更新" : "The code was renewed";
      point();
      pause(false);
    } catch {
      pause(true);
      announce.textContent = zh ? "网络中断，二维码未能更新" : "The network failed: the code was not renewed";
    } finally { busy = false; }
  };
  const poll = async () => {
    const asked = id;
    const state = await get(asked).catch(() => null);
    if (state && asked === id && state.state === "read") done();
  };
  const tick = () => {
    if (paused || busy) return;
    const left = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    countdown.textContent = zh ? `${left} 秒后更新` : `renews in ${left} s`;
    ring.setAttribute("stroke-dasharray", `${Math.max(0, Math.min(100, (100 * left) / life))} 100`);
    countdown.parentElement.classList.toggle("last", left <= 10);
    if (left === 0) {
      if (document.hidden || renewals >= MOST_RENEWALS) { if (!document.hidden) pause(true); } else renew();
    }
    if (performance.now() - lastPoll > 1500 && !document.hidden) { lastPoll = performance.now(); poll(); }
  };
  resume.addEventListener("click", () => { renewals = 0; renew(); });
  form.addEventListener("change", () => form.requestSubmit());
  tick();
  setInterval(tick, 250);
})();
