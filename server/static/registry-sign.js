/* An officer's key that stays in this browser: made here, kept in IndexedDB, not extractable. Signs the exact bytes of a
   proposal (ECDSA P-256 over SHA-256) and hands in the signature alone. */
(() => {
  "use strict";
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (chinese, english) => (zh ? chinese : english);
  const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
  const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const digest = async (bytes) => hex(await crypto.subtle.digest("SHA-256", bytes));

  const store = (mode, work) => new Promise((resolve, reject) => {
    const opening = indexedDB.open("yinxin-registry", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const asked = work(opening.result.transaction("keys", mode).objectStore("keys"));
      asked.onsuccess = () => { resolve(asked.result); opening.result.close(); };
      asked.onerror = () => reject(asked.error);
    };
  });
  const load = () => store("readonly", (keys) => keys.get("officer"));
  const make = async () => {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    await store("readwrite", (keys) => keys.put(pair, "officer"));
    return pair;
  };
  const describe = async (pair) => {
    const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
    const text = btoa(String.fromCharCode(...new Uint8Array(spki))).replace(/(.{64})/g, "$1\n").trim();
    return { keyid: await digest(spki), pem: `-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n` };
  };

  // RFC 3279 section 2.2.3: SEQUENCE { r INTEGER, s INTEGER }, from the 64 bytes r || s that WebCrypto gives.
  const integer = (bytes) => {
    let start = 0;
    while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
    const body = [...bytes.slice(start)];
    if (body[0] & 0x80) body.unshift(0);
    return [2, body.length, ...body];
  };
  const der = (raw) => {
    const bytes = new Uint8Array(raw), body = [...integer(bytes.slice(0, 32)), ...integer(bytes.slice(32))];
    return hex([0x30, body.length, ...body]);
  };
  const sign = async (pair, bytes) => der(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, bytes));

  document.querySelectorAll("[data-without-script]").forEach((each) => each.remove());
  const keyPanel = document.querySelector("[data-key]");
  if (keyPanel) showKey(keyPanel);
  const signPanel = document.querySelector("[data-sign]");
  if (signPanel) prepareSigning(signPanel);
  document.querySelectorAll("form[data-busy]").forEach((form) => form.addEventListener("submit", () => {
    const button = form.querySelector("button[type=submit]");
    const line = document.createElement("p");
    line.setAttribute("role", "status");
    line.className = "small";
    line.textContent = form.dataset.busy;
    form.append(line);
    setTimeout(() => { button.disabled = true; });
  }));

  async function showKey(panel) {
    const at = (name) => panel.querySelector(`[data-key-${name}]`);
    panel.hidden = false;
    const show = async (pair) => {
      const key = await describe(pair);
      const position = panel.dataset.listed.split(" ").indexOf(key.keyid);
      at("title").textContent = say("这个浏览器里的密钥", "The key in this browser");
      at("id").textContent = key.keyid;
      at("pem").textContent = key.pem;
      at("download").href = URL.createObjectURL(new Blob([key.pem], { type: "application/x-pem-file" }));
      at("state").textContent = position >= 0
        ? say(`✓ 已在名单上：${panel.dataset.names.split("|")[position]}`, `✓ On the officers' list: ${panel.dataset.names.split("|")[position]}`)
        : say("○ 还不在登记官名单上，暂时不能签名", "○ Not on the officers' list yet: it can't sign");
      at("state").className = position >= 0 ? "chip good" : "chip warn";
      at("facts").hidden = false;
      at("make").hidden = true;
      panel.querySelector("details").open = position < 0; // what to do next
    };
    at("make").addEventListener("click", async () => {
      at("make").disabled = true;
      try {
        await show(await make());
        at("status").textContent = say("密钥已生成", "The key was made");
      } catch {
        at("make").disabled = false;
        at("status").textContent = say("这个浏览器不能保存密钥（无痕窗口？）", "This browser can't keep keys (a private window?)");
      }
    });
    const pair = await load().catch(() => null);
    if (pair) await show(pair);
  }

  async function prepareSigning(panel) {
    const at = (name) => panel.querySelector(`[data-sign-${name}]`);
    const pair = await load().catch(() => null);
    panel.hidden = false;
    if (!pair) {
      at("who").textContent = say("这个浏览器里没有签名密钥。", "There is no signing key in this browser.");
      addLink(at("who"), "/registry/key", say("生成一把", "Make one"));
      return;
    }
    const { keyid } = await describe(pair);
    const answer = await fetch(`/api/registry/proposals/${encodeURIComponent(panel.dataset.sign)}/draft`, { cache: "no-store" });
    if (!answer.ok) { at("status").textContent = say("提案无法读取，请刷新页面", "The proposal can't be read: reload the page"); return; }
    const draft = await answer.json();
    const mine = [];
    let name = "", left = 0;
    for (const [role, each] of Object.entries(draft.roles)) {
      const signer = each.signers.find((one) => one.keyid === keyid);
      if (!signer) continue;
      const bytes = Uint8Array.from(atob(draft.signed[role]), (character) => character.charCodeAt(0));
      const found = await digest(bytes); // computed here, over the bytes that will be signed
      name = signer.name;
      mine.push({ role, bytes });
      if (!each.signed_by.includes(keyid)) left += 1;
      at("digests").append(element("dt", say("摘要", "SHA-256")), element("dd", found, "mono tiny"));
    }
    if (!mine.length) {
      at("who").textContent = say("这个浏览器里的密钥不在这份提案的登记官名单上。", "The key in this browser is not one of this proposal's officers.");
      addLink(at("who"), "/registry/key", say("查看密钥", "See the key"));
      return;
    }
    at("who").textContent = left ? say(`以“${name}”签名`, `Signing as ${name}`) : say(`✓ “${name}”已经签过`, `✓ ${name} has signed`);
    if (!left) return;
    const button = at("button");
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      at("status").textContent = say("正在签名…", "Signing…");
      try {
        for (const each of mine) {
          const made = { role: each.role, keyid, sig: await sign(pair, each.bytes) };
          const kept = await fetch(`/api/registry/proposals/${encodeURIComponent(panel.dataset.sign)}/signatures`, {
            method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": panel.dataset.csrf }, body: JSON.stringify(made),
          });
          if (!kept.ok) throw new Error((await kept.json().catch(() => ({}))).title || String(kept.status));
        }
        at("status").textContent = say("✓ 已签名，服务器核对无误", "✓ Signed; the server verified it");
        location.assign(`/registry/proposals/${encodeURIComponent(panel.dataset.sign)}?signed=yes#signatures`);
      } catch (error) {
        button.disabled = false;
        at("status").textContent = say("没有签成：", "Not signed: ") + error.message;
      }
    });
  }

  function element(tag, text, className = "") {
    const made = document.createElement(tag);
    made.textContent = text;
    made.className = className;
    return made;
  }
  function addLink(after, href, text) {
    const link = element("a", text);
    link.href = href;
    after.append(" ", link);
  }
})();
