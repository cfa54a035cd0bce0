// The counter waits for a wallet: how far it is (server-sent events, else asking every other second), how long is left,
// and the verdict as soon as there is one. Without it the page says to reload.
"use strict";

(() => {
  const page = document.querySelector("[data-asking]");
  if (!page) return;
  const OVER = new Set(["answered", "declined", "expired"]);
  const POLL_MS = 2000;
  const path = page.dataset.path;
  const zh = document.documentElement.lang.startsWith("zh");
  const status = page.querySelector("[data-status]");
  const left = page.querySelector("[data-left]");
  let ends = performance.now() + Number(page.dataset.seconds) * 1000;
  let state = page.dataset.state;
  let gone = false;

  function say(name) {
    const text = page.querySelector(`template[data-text="${name}"]`);
    const words = text ? text.content.textContent : name;
    if (status.textContent !== words) status.textContent = words; // said once, not every time
  }

  function show(news) {
    if (gone) return;
    ends = performance.now() + news.seconds_left * 1000;
    state = news.state;
    if (!OVER.has(state)) return say(state);
    gone = true;
    say("over");
    location.replace(path + location.search); // the verdict is this page's next answer
  }

  async function poll() {
    if (gone) return;
    try {
      const answer = await fetch(`${path}/state`, { headers: { Accept: "application/json" }, cache: "no-store" });
      if (answer.status === 404 || answer.status === 401) return location.replace(path);
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
    } catch {
      say("offline");
    }
    if (!gone) setTimeout(poll, POLL_MS);
  }

  function listen() {
    if (!("EventSource" in window)) return poll();
    let failures = 0;
    const source = new EventSource(`${path}/events`);
    source.addEventListener("message", (event) => {
      failures = 0;
      show(JSON.parse(event.data));
      if (gone) source.close();
    });
    source.addEventListener("open", () => state && say(state));
    source.addEventListener("error", () => {
      failures += 1;
      if (source.readyState !== EventSource.CLOSED && failures < 3) return; // it comes back by itself
      source.close();
      poll();
    });
    window.addEventListener("pagehide", () => source.close());
  }

  function tick() {
    const seconds = Math.max(0, Math.ceil((ends - performance.now()) / 1000));
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    left.textContent = zh ? `还有 ${clock}` : `${clock} left`;
    left.parentElement.classList.toggle("last", seconds <= 30);
  }

  const copy = page.querySelector("[data-copy]");
  if (copy && navigator.clipboard && copy.dataset.copy) {
    copy.hidden = false;
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(copy.dataset.copy).catch(() => {});
      say("copied");
      setTimeout(() => !gone && say(state), 3000);
    });
  }

  // The Digital Credentials API, where the browser has it: it asks the wallets of this device or of another nearby.
  const form = page.querySelector("[data-browser-api]");
  const protocol = "openid4vp-v1-signed";
  const known = window.DigitalCredential?.userAgentAllowsProtocol;
  if (form && window.DigitalCredential && navigator.credentials && (!known || known.call(window.DigitalCredential, protocol))) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const token = form.elements.csrf_token.value;
      try {
        const begun = await fetch("/counter/requests/browser", { method: "POST", body: new FormData(form), headers: { "X-CSRF-Token": token } });
        if (!begun.ok) throw new Error(String(begun.status));
        const asked = await begun.json();
        const found = await navigator.credentials.get({ digital: { requests: [{ protocol: asked.protocol, data: asked.data }] }, mediation: "required" });
        const data = typeof found.data === "string" ? JSON.parse(found.data) : found.data;
        const answer = await fetch(`${asked.page}/browser`, { method: "POST", body: JSON.stringify(data), headers: { "Content-Type": "application/json", "X-CSRF-Token": token } });
        if (!answer.ok) throw new Error(String(answer.status));
        gone = true;
        location.assign(asked.page);
      } catch {
        say("refused");
      }
    });
  }

  tick();
  setInterval(tick, 500);
  listen();
})();
