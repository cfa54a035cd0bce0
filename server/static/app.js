/* Progressive enhancement for every page: copy buttons, menus that close. Nothing depends on it. */
(() => {
  "use strict";
  const zh = document.documentElement.lang.startsWith("zh");

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
