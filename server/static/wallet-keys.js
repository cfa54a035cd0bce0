/* The citizen's device keys: ECDSA P-256, made in this browser, not extractable, kept in IndexedDB. Every credential has
   its own, so that what is shown to one office can't be joined with what is shown to another. Gives out public keys and
   signatures; a private key never leaves. */
(() => {
  "use strict";
  const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
  const SIGNING = { name: "ECDSA", hash: "SHA-256" };
  const MOST = 64; // keys made at one time

  const encode = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const decode = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

  // One transaction: resolves when it is durable, rejects when any part of it failed.
  const store = (mode, work) => new Promise((resolve, reject) => {
    const opening = indexedDB.open("yinxin-wallet", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const transaction = opening.result.transaction("keys", mode, { durability: "strict" });
      const asked = work(transaction.objectStore("keys"));
      transaction.oncomplete = () => { resolve(asked?.result); opening.result.close(); };
      transaction.onabort = transaction.onerror = () => { reject(transaction.error); opening.result.close(); };
    };
  });

  // RFC 7638: the required members in order, without blanks.
  const thumbprint = async ({ crv, kty, x, y }) => encode(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }))));

  const make = async () => {
    const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
    const jwk = { kty, crv, x, y };
    return { thumbprint: await thumbprint(jwk), jwk, key: pair.privateKey };
  };

  /** `count` new keys, kept before they are told: [{thumbprint, jwk}]. */
  const deviceKeys = async (count) => {
    const made = await Promise.all(Array.from({ length: Math.min(count, MOST) }, make));
    await store("readwrite", (keys) => { made.forEach((each) => keys.put(each.key, each.thumbprint)); });
    navigator.storage?.persist?.().catch(() => false); // so that the browser doesn't clear them when space runs short
    return made.map(({ thumbprint: id, jwk }) => ({ thumbprint: id, jwk }));
  };

  /** The thumbprints of all keys here. */
  const thumbprints = () => store("readonly", (keys) => keys.getAllKeys());

  /** The raw signature r || s, in base64url, of the key with this thumbprint over the bytes that are given in base64url. */
  const sign = async (id, data) => {
    const key = await store("readonly", (keys) => keys.get(id));
    if (!key) throw Object.assign(new Error("no such key in this browser"), { name: "KeyMissing" });
    return encode(await crypto.subtle.sign(SIGNING, key, decode(data)));
  };

  /** Destroy keys: what is bound to them can't be shown any more. */
  const forget = (ids) => store("readwrite", (keys) => { ids.forEach((id) => keys.delete(id)); });

  /** Whether this browser can keep keys: a secure context with WebCrypto and a database. */
  const able = () => Boolean(window.isSecureContext && window.crypto?.subtle && window.indexedDB);

  window.walletKeys = Object.freeze({ deviceKeys, thumbprints, sign, forget, able });
})();
