// Callboard's own script: theme, copying, menus, the drawer. Every page works without it.
// One listener per kind of event, so that markup swapped in by htmx needs no wiring.
"use strict";
(() => {
  const root = document.documentElement;
  const live = document.getElementById("live");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const announce = (text) => { live.textContent = text; };

  // ---- Theme: a cookie, because the server writes it into <html> and so nothing flashes ------
  function setTheme(theme) {
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    const secure = location.protocol === "https:" ? "; secure" : "";
    const age = theme === "system" ? 0 : 365 * 24 * 3600;
    document.cookie = `theme=${theme}; path=/; max-age=${age}; samesite=lax${secure}`;
    for (const button of all("[data-set-theme]")) {
      button.setAttribute("aria-pressed", String(button.dataset.setTheme === theme));
    }
    document.dispatchEvent(new Event("callboard:theme"));
  }

  // ---- Copy: data-copy holds the text, data-copy-from the id of an element with it ----------
  async function writeClipboard(text) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Browsers hide the clipboard from sites served without TLS; the old way still works there.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw new Error("refused");
  }

  async function copyFrom(button) {
    const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom).textContent : button.dataset.copy;
    try {
      await writeClipboard(source.trim());
    } catch {
      announce(live.dataset.notCopied);
      return;
    }
    announce(live.dataset.copied);
    const label = button.querySelector("[data-label]");
    const before = label?.textContent;
    button.dataset.copied = "";
    if (label) label.textContent = live.dataset.copiedShort;
    setTimeout(() => {
      delete button.dataset.copied;
      if (label) label.textContent = before;
    }, 1600);
  }

  // ---- Drawer: htmx fills it, Escape and its close link put it away --------------------------
  // A row's link has data-opens="<id of the drawer>", the close link data-closes="<same id>".
  // What it shows may have come from a row or from its own ways on; beyond the table, the row before stays marked.
  function markRow(drawer) {
    const opener = all(`[data-opens="${drawer.id}"]`).find((link) => link.pathname === location.pathname);
    if (!opener) return;
    for (const row of all('tr[aria-current="true"]')) row.removeAttribute("aria-current");
    opener.closest("tr").setAttribute("aria-current", "true");
  }

  function closeDrawer(drawer) {
    const closer = drawer.querySelector("[data-closes]");
    drawer.hidden = true;
    history.replaceState({ htmx: true }, "", closer.href);
    document.querySelector(`[aria-current="true"] [data-opens="${drawer.id}"]`)?.focus();
  }

  document.addEventListener("htmx:afterSettle", (event) => {
    const drawer = event.target.closest?.(".drawer");
    if (!drawer) return;
    drawer.hidden = false;
    markRow(drawer);
    drawer.querySelector("[tabindex='-1']")?.focus();
  });

  // ---- The editor of a row: whoever opened it by keyboard goes on in it ----------------------
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.target.matches?.("tr[id^='editor-']")) event.target.querySelector("input:not([type='hidden'])")?.focus();
  });

  // ---- Clicks ---------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest?.(selector);
    const themeButton = hit("[data-set-theme]");
    if (themeButton) setTheme(themeButton.dataset.setTheme);

    const copyButton = hit("[data-copy], [data-copy-from]");
    if (copyButton) copyFrom(copyButton);

    const expander = hit("[data-expands]");
    if (expander) expander.setAttribute("aria-expanded", String(expander.getAttribute("aria-expanded") !== "true"));

    // What a menu opens in the page would lie under the menu.
    hit(".menu a[hx-get]")?.closest("[popover]")?.hidePopover();

    const closer = hit("[data-closes]");
    if (closer) {
      event.preventDefault();
      closeDrawer(document.getElementById(closer.dataset.closes));
    }
    // The whole row is a target for the pointer; the link in it serves the keyboard.
    const row = hit("tr[data-row]");
    if (row && !hit("a, button, input, select, label, summary") && !String(getSelection())) row.querySelector("a")?.click();
  });

  // ---- Keys -----------------------------------------------------------------------------------
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      const drawer = document.querySelector(".drawer:not([hidden])");
      if (drawer?.querySelector("[data-closes]") && !document.querySelector(":popover-open")) closeDrawer(drawer);
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const row = event.target.closest?.("tr[data-row]");
      const next = event.key === "ArrowDown" ? row?.nextElementSibling : row?.previousElementSibling;
      const link = next?.querySelector("a");
      if (link) { event.preventDefault(); link.focus(); }
    }
  });

  // ---- Typed confirmation: the server checks again; this only tells the reader early ---------
  function checkConfirmation(input) {
    input.form.querySelector("[type=submit]").disabled = input.value.trim() !== input.dataset.confirms;
  }
  document.addEventListener("input", (event) => {
    if (event.target.dataset?.confirms) checkConfirmation(event.target);
  });
  const checkConfirmations = () => all("[data-confirms]").forEach(checkConfirmation);
  document.addEventListener("htmx:afterSettle", checkConfirmations);
  checkConfirmations();

  // ---- A swap that changed the filters: the Live/Test switch outside of it keeps them too -----
  document.addEventListener("htmx:pushedIntoHistory", () => {
    for (const link of all("[data-mode]")) {
      const query = new URLSearchParams(location.search);
      query.delete("cursor");
      if (link.dataset.mode === "test") query.set("mode", "test");
      else query.delete("mode");
      link.setAttribute("href", `?${query}`);
    }
  });

  // ---- A tab of the top five swaps its panel alone: filters, figures and export keep that tab too
  function keepTab(by) {
    for (const link of all(".filters [hx-get]:not(form), .filters a, .page-actions a, #figures > a")) {
      for (const name of ["href", "hx-get"].filter((name) => link.hasAttribute(name))) {
        const url = new URL(link.getAttribute(name), location);
        if (by) url.searchParams.set("by", by);
        else url.searchParams.delete("by");
        link.setAttribute(name, url.pathname + url.search + url.hash);
      }
      htmx.process(link);
    }
    for (const form of all(".filters form")) {
      form.querySelector("[name=by]")?.remove();
      if (by) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "by", value: by }));
    }
  }
  document.addEventListener("htmx:pushedIntoHistory", () => {
    if (document.getElementById("usage-top")) keepTab(new URLSearchParams(location.search).get("by"));
  });

  // ---- What asks again and again (data-waits-unseen) costs nothing while nobody looks --------
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.target.dataset?.waitsUnseen !== undefined) event.preventDefault();
  });
  // Whoever has scrolled into a list that is followed goes on reading the same row while others come on top. Chromium's
  // own anchoring does so on a phone only, not on a wide screen. While the first row is in view, new ones just appear.
  let read = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.id !== "logs-tail") return;
    const rows = all("#logs-rows > tr"), top = (row) => row.getBoundingClientRect().top;
    const row = rows.find((one) => top(one) >= 0) ?? rows.at(-1);
    read = row && top(rows[0]) < 0 ? { row, top: top(row) } : null;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "logs-tail" && read?.row.isConnected) scrollBy(0, read.row.getBoundingClientRect().top - read.top);
  });
  // A list that is followed for long drops its oldest rows.
  const MOST_ROWS = 1000;
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.target.id === "logs-rows") [...event.target.rows].slice(MOST_ROWS).forEach((row) => row.remove());
  });

  // ---- A swap that failed leaves old figures on the page: say so ------------------------------
  const trouble = document.getElementById("trouble");
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, () => { if (trouble) trouble.hidden = false; });
  }
  document.addEventListener("htmx:beforeRequest", () => { if (trouble) trouble.hidden = true; });
})();
