/* Progressive enhancement for every page: local times, copy buttons, menus that close. Nothing depends on it. */
(() => {
  "use strict";
  const zh = document.documentElement.lang.startsWith("zh");
  const two = (n) => String(n).padStart(2, "0");
  const localise = (root) => root.querySelectorAll("time[data-local]").forEach((el) => {
    const at = new Date(el.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) return;
    const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 864e5);
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const day = days === 0 ? (zh ? "今天" : "today") : days === 1 ? (zh ? "昨天" : "yesterday") : date;
    el.title = el.textContent;
    el.textContent = `${day} ${clock}`;
    el.removeAttribute("data-local");
  });
  localise(document);
  window.yinxin = { localise, zh };

  document.querySelectorAll("[data-copy]").forEach((button) => {
    if (!navigator.clipboard) { button.hidden = true; return; }
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
      const text = button.textContent;
      button.textContent = zh ? "已复制" : "Copied";
      setTimeout(() => { button.textContent = text; }, 1500);
    });
  });

  const menus = document.querySelectorAll("details.menu");
  document.addEventListener("click", (event) => menus.forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; }));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menus.forEach((menu) => { if (menu.open) { menu.open = false; menu.querySelector("summary").focus(); } });
  });
})();
