/* Saying yes: makes keys where they are needed, signs what the server prepared, and hands the signatures in. Saying no and
   reading who asks work without it. Texts that it needs are few, and here. */
(() => {
  "use strict";
  const zh = document.documentElement.lang.startsWith("zh");
  const say = (chinese, english) => (zh ? chinese : english);
  const web = (url) => /^https?:\/\//i.test(url);

  // A link on this device leads to a page that only has to be sent off.
  document.querySelector("form[data-opening]")?.requestSubmit();

  // Where the browser allows it, links of other pages open here. Few browsers take the bare scheme.
  for (const scheme of ["openid4vp", "web+openid4vp"]) {
    try {
      navigator.registerProtocolHandler?.(scheme, `${location.origin}/wallet/openid4vp?uri=%s`);
    } catch {
      // not a scheme that this browser hands to pages
    }
  }

  const on = document.querySelector("[data-go-on]");
  if (on && web(on.href)) setTimeout(() => location.assign(on.href), 1200);

  const form = document.getElementById("consent"), agree = document.getElementById("agree");
  if (!form || !agree) return;
  const problem = document.getElementById("problem"), confirmed = document.getElementById("confirmed");
  const label = agree.querySelector("[data-label]"), words = label.textContent;

  const fail = (text) => {
    problem.hidden = false;
    problem.textContent = text;
    problem.scrollIntoView({ block: "nearest" });
  };
  const send = async (step, body) => {
    const answer = await fetch(`/api/wallet/openid4vp/${encodeURIComponent(form.dataset.id)}/${step}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": form.dataset.csrf },
      body: JSON.stringify(body),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw Object.assign(new Error(told.detail ?? told.title ?? String(answer.status)), { told: true });
    return told;
  };

  // What is on the page, as choices: of every set that is on, the chosen option; of every query, the chosen certificate.
  const chosen = () => {
    const choices = {};
    for (const set of form.querySelectorAll("[data-set]")) {
      const wanted = set.querySelector("[data-set-on]");
      if (wanted && !wanted.checked) continue;
      const options = [...set.querySelectorAll(".set-option")];
      const picked = set.querySelector("[data-set-option]:checked");
      for (const query of options[picked ? Number(picked.dataset.setOption) : 0].querySelectorAll("[data-query]")) {
        const id = query.dataset.query;
        const field = query.querySelector(`input[name="q.${id}"]:checked, input[type=hidden][name="q.${id}"]`);
        if (!field) continue;
        const name = `c.${id}.${field.value}`;
        const claims = [...query.querySelectorAll("input")].find((input) => input.name === name && (input.type === "hidden" || input.checked));
        choices[id] = { option: field.value, claims: Number(claims.value) };
      }
    }
    return choices;
  };

  const arrange = () => {
    for (const set of form.querySelectorAll("[data-set]")) {
      const wanted = set.querySelector("[data-set-on]"), picked = set.querySelector("[data-set-option]:checked");
      set.querySelectorAll(".set-option").forEach((option, index) => {
        option.hidden = (wanted && !wanted.checked) || (picked ? Number(picked.dataset.setOption) !== index : index > 0);
      });
    }
    for (const group of form.querySelectorAll("[data-query]")) {
      group.querySelectorAll("[data-option]").forEach((card) => {
        const radio = card.querySelector(".asked-head input[type=radio]");
        card.classList.toggle("not-chosen", Boolean(radio) && !radio.checked);
      });
    }
    agree.disabled = Boolean(confirmed && !confirmed.checked) || Object.keys(chosen()).length === 0;
  };

  // Credentials that were collected in another browser can't be shown from this one.
  const withoutKeys = (here) => {
    for (const card of form.querySelectorAll("[data-thumbprints]")) {
      if (card.dataset.thumbprints.split(" ").some((id) => here.has(id))) continue;
      card.classList.add("elsewhere");
      card.querySelector("[data-elsewhere]").hidden = false;
      const field = card.querySelector(".asked-head input");
      field.disabled = true;
      field.checked = false;
      if (field.type === "hidden") field.remove();
      const other = card.closest("[data-query]").querySelector(".asked-head input[type=radio]:not(:disabled)");
      if (other) other.checked = true;
    }
  };

  // Of a set's options those that can be shown from here, and of those that offer the same certificates the first.
  const withoutRepeats = () => {
    for (const set of form.querySelectorAll("[data-set]")) {
      const options = [...set.querySelectorAll(".set-option")], seen = new Set(), kept = [];
      set.querySelectorAll("[data-set-option]").forEach((radio, index) => {
        const offered = [...options[index].querySelectorAll("[data-query]")].map((query) =>
          [...query.querySelectorAll("[data-option]:not(.elsewhere)")].map((card) => card.dataset.same).sort().join("\n"));
        const same = offered.join("\n\n");
        radio.disabled = offered.includes("") || seen.has(same);
        radio.closest("label").hidden = radio.disabled;
        seen.add(same);
        if (!radio.disabled) kept.push(radio);
      });
      if (kept.length && !kept.some((radio) => radio.checked)) kept[0].checked = true;
      if (kept.length === 1) kept[0].closest("label").hidden = true;
    }
  };

  const present = async () => {
    const keys = window.walletKeys, choices = chosen();
    let made = [], needed;
    for (let round = 0; round < 2; round += 1) {
      needed = await send("prepare", { choices, keys: made.map((each) => each.jwk), thumbprints: await keys.thumbprints(), confirmed: Boolean(confirmed?.checked) });
      if (!needed.keys_needed) break;
      made = await keys.deviceKeys(needed.keys_needed);
    }
    const signatures = [];
    for (const each of needed.to_sign) signatures.push(await keys.sign(each.thumbprint, each.data));
    return send("answer", { signatures });
  };

  agree.addEventListener("click", async () => {
    problem.hidden = true;
    agree.disabled = true;
    agree.setAttribute("aria-busy", "true");
    label.textContent = say("正在签名并发送……", "Signing and sending …");
    try {
      const { redirect_uri: next } = await present();
      location.replace(next && web(next) ? next : `/wallet/openid4vp/${encodeURIComponent(form.dataset.id)}`);
    } catch (error) {
      fail(error.told ? error.message : say("没有发送成功，请再试一次。", "It could not be sent; please try again."));
      label.textContent = words;
      agree.removeAttribute("aria-busy");
      arrange();
    }
  });
  form.addEventListener("change", arrange);

  if (!window.walletKeys?.able()) return fail(say("这个浏览器不能保存密钥（需要 https 和较新的浏览器），因此不能出示。", "This browser can't keep keys (that takes https and a recent one), so it can't show anything."));
  agree.hidden = false;
  window.walletKeys.thumbprints().then((here) => { withoutKeys(new Set(here)); withoutRepeats(); arrange(); }, () => fail(say("浏览器读不到密钥，可能处于无痕模式。", "The browser did not open its key store; private windows may not.")));
})();
