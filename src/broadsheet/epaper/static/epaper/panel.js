// What opens beside the paper: a story as text, hits, contents, the page's text, more tools. One panel at a time; Escape
// and its cross close it and give the focus back.
let shell = null, from = null, hits = [];

function close(api) {
  if (!shell || shell.hidden) return;
  shell.hidden = true;
  document.body.classList.remove("with-panel");
  if (shell.dataset.what === "search") { api.state.current = null; api.mark([]); }
  (from && from.isConnected ? from : api.find("stage")).focus();
}

function frame(api, what, title) {
  if (!shell) {
    shell = api.make("div", { class: "panel", role: "dialog", tabindex: "-1", "aria-labelledby": "panel-title", hidden: true });
    document.querySelector("main").append(shell);
    document.addEventListener("keydown", (event) => { if (event.key === "Escape" && !shell.hidden) { event.preventDefault(); close(api); } });
  }
  const cross = api.make("button", { type: "button", class: "panel-close", "aria-label": "Close" }, "×");
  cross.addEventListener("click", () => close(api));
  const inner = api.make("div", { class: "panel-inner" });
  shell.replaceChildren(api.make("div", { class: "panel-head" }, api.make("h2", { id: "panel-title", tabindex: "-1" }, title), cross), inner);
  shell.dataset.what = what;
  shell.hidden = false;
  document.body.classList.add("with-panel");
  return inner;
}

const focusTitle = () => shell.querySelector("#panel-title").focus();

async function read(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

async function story(api, address) {
  const inner = frame(api, "story", "From the paper");
  inner.append(api.make("p", { role: "status" }, "Opening…"));
  focusTitle();
  const text = (await read(address)).querySelector("#story");
  if (!text) {
    inner.replaceChildren(api.make("p", {}, "This story is no longer in the paper."));
    return;
  }
  text.removeAttribute("id");
  const title = text.querySelector("h1");
  const large = api.make("h3", { class: "panel-headline" }, title.textContent);
  title.replaceWith(large);
  inner.replaceChildren(document.adoptNode(text));
  inner.addEventListener("click", (event) => {
    const link = event.target.closest("[data-go]");
    if (link) { event.preventDefault(); if (innerWidth < 800) close(api); api.go(Number(link.dataset.go)); }
  });
  text.querySelectorAll("form").forEach((form) => form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { send } = await import("./clip.js");
    send(api, form, event.submitter, form.parentElement);
  }));
}

async function found(api, query) {
  try {
    const answer = await fetch(`${api.data}search.json?q=${encodeURIComponent(query)}`, { credentials: "same-origin" });
    if (answer.ok) return (await answer.json()).hits;
  } catch { /* Without a network what is kept can still be searched. */ }
  const { scan } = await import("./keep.js");
  return scan(api, query);
}

function search(api, asked) {
  const inner = frame(api, "search", "Search this edition");
  const field = api.make("input", { type: "search", "aria-label": "Words", maxlength: "80", enterkeyhint: "search" });
  const form = api.make("form", { class: "find", role: "search" }, field, api.make("button", { type: "submit" }, "Search"));
  const said = api.make("p", { role: "status", class: "panel-said" }), list = api.make("ol", { class: "hits" });
  inner.append(form, said, list);
  const run = async () => {
    const query = field.value.trim();
    if (!query) return;
    said.textContent = "Searching…";
    try { hits = await found(api, query); } catch { said.textContent = "The search needs the network. Please try again."; return; }
    const pages = new Set(hits.map((hit) => hit.page)).size;
    said.textContent = hits.length ? `${hits.length} place${hits.length > 1 ? "s" : ""} on ${pages} page${pages > 1 ? "s" : ""}` : `“${query}” is not in this edition.`;
    api.state.current = null;
    api.mark(hits);
    list.replaceChildren(...hits.map((hit, index) => {
      const words = api.make("span", { class: "hit-words" });
      hit.snippet.forEach(([text, sought]) => words.append(sought ? api.make("mark", {}, text) : text, " "));
      const open = api.make("button", { type: "button" }, api.make("b", {}, hit.title || "Page " + hit.page), words, api.make("small", {}, `Page ${hit.page}`));
      open.addEventListener("click", () => {
        list.querySelectorAll("[aria-current]").forEach((one) => one.removeAttribute("aria-current"));
        open.setAttribute("aria-current", "true");
        api.showBox(hit.page, hit.boxes, index);
        api.say(`Page ${hit.page}: ${hit.title}`);
      });
      return api.make("li", {}, open);
    }));
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); run(); });
  field.focus();
  if (asked) { field.value = asked; run(); }
}

function contents(api) {
  const inner = frame(api, "contents", "In this edition");
  for (const page of api.edition.pages) {
    const areas = api.edition.areas.filter((area) => area.page === page.n && !area.from && area.title);
    const turn = api.make("a", { href: `${api.base}${page.n}/` }, `Page ${page.label}${page.section ? ", " + page.section : ""}`);
    turn.addEventListener("click", (event) => { event.preventDefault(); api.go(page.n); if (innerWidth < 800) close(api); });
    const list = api.make("ul", {}, ...areas.map((area) => {
      const link = api.make("a", { href: `${api.base}story/${area.id}/` }, area.title);
      link.addEventListener("click", (event) => { event.preventDefault(); api.go(page.n); story(api, link.getAttribute("href")); });
      return api.make("li", {}, link);
    }));
    inner.append(api.make("section", { class: "contents-page" }, api.make("h3", {}, turn), page.ready ? list : api.make("p", {}, "Still being made")));
  }
  focusTitle();
  inner.querySelectorAll("h3")[Math.max(0, api.edition.pages.findIndex((page) => page.n === api.state.page))]?.scrollIntoView({ block: "start" });
}

async function text(api) {
  const inner = frame(api, "text", "The page as text");
  focusTitle();
  const there = (await read(`${api.base}${api.state.page}/`)).querySelector("[data-text]");
  there.querySelector("h2")?.remove();
  inner.replaceChildren(...there.childNodes);
  inner.querySelectorAll("h3 a").forEach((link) => link.addEventListener("click", (event) => { event.preventDefault(); story(api, link.getAttribute("href")); }));
}

function more(api) {
  const inner = frame(api, "more", "More");
  const pdf = api.find("pdf");
  const rows = [
    ["fit", api.view.mode === "page" ? "Fit the width" : "Fit the whole page"],
    ["larger", "Zoom in"], ["smaller", "Zoom out"],
    ["double", api.isDouble() ? "One page at a time" : "Two pages side by side"],
    ["thumbs", "Small pictures of all pages"],
    ["text", "This page as text"],
    ...(document.documentElement.requestFullscreen ? [["full", document.fullscreenElement ? "Leave full screen" : "Full screen"]] : []),
    ...("serviceWorker" in navigator ? [["keep", "Keep for reading without a network"]] : []),
  ];
  inner.append(api.make("ul", { class: "more" }, ...rows.map(([does, words]) => {
    const button = api.make("button", { type: "button" }, words);
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      if (!["larger", "smaller", "text", "keep"].includes(does)) close(api);
      api.does[does]();
    });
    return api.make("li", {}, button);
  })));
  const list = inner.querySelector("ul");
  if (pdf) list.append(api.make("li", {}, api.make("a", { href: pdf.href, download: true }, "Download as PDF, with your name on each page")));
  for (const [href, words] of [["/epaper/clips/", "Your clippings"], ["/epaper/kept/", "Kept on this device"], ["/epaper/#calendar", "Back issues"]]) {
    list.append(api.make("li", {}, api.make("a", { href }, words)));
  }
  focusTitle();
}

async function keep(api) {
  const inner = frame(api, "keep", "Keep this edition");
  focusTitle();
  const { offer } = await import("./keep.js");
  await offer(api, inner);
}

const KINDS = { story, search, contents, text, more, keep };

export async function show(api, what, opener, ...rest) {
  if (shell && !shell.hidden && shell.dataset.what === what && what !== "story") return close(api);
  if (!shell || shell.hidden) from = opener;
  await KINDS[what](api, ...rest);
}

export function plain(api, title, fill, opener) {
  if (!shell || shell.hidden) from = opener;
  const inner = frame(api, "plain", title);
  fill(inner, () => close(api));
  focusTitle();
}
