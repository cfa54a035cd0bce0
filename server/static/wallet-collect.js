/* Collecting: makes this browser's keys, has the server ask the issuer, signs the proofs, and clears keys that nothing was
   bound to. What an offer says and what was received is judged by the server; this only carries. */
(() => {
  "use strict";
  const root = document.getElementById("collect");
  if (!root) return;
  const zh = document.documentElement.lang.startsWith("zh");
  const at = (id) => document.getElementById(id);
  const { id, csrf, state } = root.dataset;
  const go = at("collect-go"), error = at("collect-error"), code = at("tx_code");
  const ROUNDS = 4; // an issuer whose nonces keep running out is left alone
  let made = [];

  const failed = (words) => Object.assign(new Error(words), { words });
  const post = async (step, body) => {
    const answer = await fetch(`/api/wallet/openid4vci/${encodeURIComponent(id)}/${step}`, {
      method: "POST", cache: "no-store", body: JSON.stringify(body ?? {}),
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf },
    });
    const said = await answer.json().catch(() => null);
    if (!answer.ok) throw failed(said?.detail ?? said?.title ?? (zh ? "没有成功，请重试。" : "That did not work; try again."));
    return said;
  };
  const say = (words) => {
    if (!error) return;
    error.hidden = !words;
    error.querySelector("span").textContent = words;
  };
  const stateNow = async () => {
    const answer = await fetch(`/api/wallet/openid4vci/${encodeURIComponent(id)}`, { cache: "no-store", headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).state : "gone";
  };

  const onward = async (first) => {
    let step = first;
    for (let round = 0; round < ROUNDS && step.to_sign.length; round += 1) {
      const signatures = {};
      for (const { key, data } of step.to_sign) signatures[key] = await window.walletKeys.sign(key, data);
      step = await post("finish", { signatures });
    }
    if (step.redirect) { location.assign(step.redirect); return; }
    await window.walletKeys.forget(step.unused).catch(() => {}); // a key too many does no harm
    location.reload();
  };

  const begin = async () => {
    if (!window.walletKeys?.able()) throw failed(zh ? "这个浏览器不能保存密钥：需要安全连接（https），且不能处于隐私模式。" : "This browser can't keep keys: it takes a secure connection, and no private window.");
    if (code) {
      const typed = code.value.trim();
      if (!typed || (code.dataset.length && typed.length !== Number(code.dataset.length))) {
        code.focus();
        throw failed(zh ? `请输入${code.dataset.length ? ` ${code.dataset.length} 位` : ""}验证码。` : "Enter the transaction code.");
      }
    }
    const fresh = state === "offered" || state === "authorizing";
    if (fresh && !made.length) made = await window.walletKeys.deviceKeys(Number(root.dataset.keys));
    const body = fresh ? { keys: made.map((each) => each.jwk) } : {};
    if (code) body.tx_code = code.value.trim();
    await onward(await post("start", body));
  };

  const run = async () => {
    go.disabled = true;
    say("");
    try {
      await begin();
    } catch (caught) {
      const now = await stateNow().catch(() => state);
      if (now === "failed" || now === "gone") { await window.walletKeys.forget(made.map((each) => each.thumbprint)).catch(() => {}); location.reload(); return; }
      const missing = caught.name === "KeyMissing" ? (zh ? "领取须在开始时所用的浏览器里完成。" : "Finish in the browser in which you began.") : null;
      say(missing ?? caught.words ?? (zh ? "网络中断，请重试。" : "The network failed; try again."));
      go.hidden = false;
      go.disabled = false;
      code?.select();
    }
  };

  if (go) {
    go.addEventListener("click", run);
    at("collect-form")?.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target === code) { event.preventDefault(); run(); } });
    if (state === "authorized" || state === "signing") run();
  }

  const check = at("check");
  if (check) {
    const look = async () => {
      check.disabled = true;
      try {
        const step = await post("check");
        if (step.state !== "waiting") { await window.walletKeys?.forget(step.unused).catch(() => {}); location.reload(); return; }
      } catch {
        if ((await stateNow().catch(() => state)) !== "waiting") { location.reload(); return; }
      }
      check.disabled = false;
    };
    check.addEventListener("click", look);
    setInterval(() => { if (!document.hidden && !check.disabled) look(); }, 5000);
  }
})();
