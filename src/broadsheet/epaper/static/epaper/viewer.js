// The viewer: makes of a page of its own one of an edition that is leafed through. Panels, clipping and keeping come
// when they are asked for. Nothing here takes part in who may read what.
import { makeStage } from "./stage.js";

const find = (name, where = document) => where.querySelector(`[data-${name}]`);
const body = document.body, { base, data } = body.dataset;
const stage = find("stage"), canvas = document.createElement("div"), sharp = Math.min(3, devicePixelRatio || 1);
const make = (tag, attributes = {}, ...inside) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
};
const GAP = 8;
const state = { page: Number(body.dataset.page), double: null, marks: new Map(), current: null };
const leaves = new Map();
let edition = null, view = null, opener = null;

export const api = {
  make, find, state, base, data,
  get edition() { return edition; }, get view() { return view; },
  go, mark, say, panel, leafAt, showBox,
};

function say(words) { find("at").textContent = words; }
const pageOf = (number) => edition.pages.find((page) => page.n === number);
const place = (number) => edition.pages.findIndex((page) => page.n === number);
const address = (page, width) => `${data}${page.n}-${width}-${page.key}.jpg`;
const isDouble = () => state.double ?? (stage.clientWidth / stage.clientHeight > 1.15 && stage.clientWidth > 900);

// Which pages lie open together: the front alone, then two by two.
function open(number) {
  if (!isDouble() || place(number) === 0) return [number];
  const first = place(number) - ((place(number) - 1) % 2);
  return [first, first + 1].filter((at) => edition.pages[at]).map((at) => edition.pages[at].n);
}

function ratio(page) { return page.wide && page.high ? page.high / page.wide : 1.5; }

function leaf(number) {
  if (!leaves.has(number)) {
    const made = make("div", { class: "leaf", "data-leaf": number });
    made.append(make("div", { class: "marks" }), make("div", { class: "areas" }));
    leaves.set(number, made);
  }
  return leaves.get(number);
}

function leafAt(event) { return event.target.closest(".leaf"); }

// A picture is looked for in the size in which it is shown, and put in place when it is there: never a blank between.
function picture(page, cssWidth) {
  const here = leaf(page.n), want = cssWidth * sharp;
  const width = page.images.filter((one) => one >= 480).find((one) => one >= want * 0.85) || page.images.at(-1);
  if (!page.ready || !width || here.loading === page.key + width) return;
  const now = here.querySelector("img");
  if (now && now.dataset.key === page.key && Number(now.dataset.wide) >= width) return;
  here.loading = page.key + width;
  const next = make("img", { alt: "", draggable: "false", "data-wide": width, "data-key": page.key });
  next.src = address(page, width);
  next.decode().then(() => {
    const old = here.querySelector("img");
    if (old && old.dataset.key === page.key && Number(old.dataset.wide) > width) return;
    if (old) old.replaceWith(next); else here.prepend(next);
    here.querySelector(".making")?.remove();
  }).catch(() => { here.loading = ""; });
}

function fill(page) {
  const here = leaf(page.n), areas = here.querySelector(".areas");
  here.style.aspectRatio = `${page.wide || 2} / ${page.high || 3}`;
  if (!page.ready && !here.querySelector(".making")) {
    here.prepend(make("p", { class: "making" }, edition.done ? `Page ${page.label} could not be made.` : `Page ${page.label} is still being made. It will appear here by itself.`));
  }
  if (areas.dataset.key === page.key + edition.areas.length) return;
  areas.dataset.key = page.key + edition.areas.length;
  areas.replaceChildren(...edition.areas.filter((area) => area.page === page.n).map((area) => {
    const link = make("a", { class: "area", href: `${base}story/${area.id}/`, "data-area": area.id, draggable: "false",
      "aria-label": `Read: ${area.title || "story without a headline"}` });
    link.append(...area.boxes.map((box) => put(make("span"), box)));
    return link;
  }));
}

function put(element, [x0, y0, x1, y1]) {
  Object.assign(element.style, { left: x0 / 100 + "%", top: y0 / 100 + "%", width: (x1 - x0) / 100 + "%", height: (y1 - y0) / 100 + "%" });
  return element;
}

function lay(keep) {
  const numbers = open(state.page), pages = numbers.map(pageOf), high = Math.max(...pages.map(ratio)) * 1000;
  pages.forEach(fill);
  canvas.replaceChildren(...numbers.map(leaf));
  canvas.classList.toggle("two", numbers.length === 2);
  view.content(1000 * numbers.length + GAP * (numbers.length - 1), high, keep);
  paint();
  settled();
}

function settled() {
  const shown = open(state.page);
  const wide = canvas.clientWidth / shown.length;
  for (const number of shown) picture(pageOf(number), wide);
  clearTimeout(settled.ahead);
  settled.ahead = setTimeout(() => {
    for (const at of [place(shown.at(-1)) + 1, place(shown.at(-1)) + 2, place(shown[0]) - 1]) {
      if (edition.pages[at]) picture(edition.pages[at], Math.min(wide, 800 / sharp));
    }
    for (const [number, made] of leaves) if (Math.abs(number - state.page) > 6 && !made.isConnected) leaves.delete(number);
  }, 700);
}

function go(number, quiet) {
  if (!pageOf(number)) return false;
  state.page = number;
  body.dataset.page = number;
  lay();
  const shown = open(number).map(pageOf), names = shown.map((page) => page.label).join(" and ");
  const words = `Page${shown.length > 1 ? "s" : ""} ${names} of ${edition.pages.length}`;
  if (!quiet) say(words);
  document.title = document.title.replace(/^[^,]*/, `Page ${pageOf(number).label}`);
  history.replaceState(null, "", `${base}${number}/${location.hash}`);
  const [first, last] = [place(shown[0].n), place(shown.at(-1).n)];
  for (const [name, at] of [["back", first - 1], ["next", last + 1]]) {
    const link = document.querySelector(`[data-do="${name}"]`), to = edition.pages[at];
    link.classList.toggle("turn-off", !to);
    if (to) link.setAttribute("href", `${base}${to.n}/`); else link.removeAttribute("href");
  }
  document.querySelectorAll("[data-all-pages] li a").forEach((link) => {
    const on = shown.some((page) => link.getAttribute("href") === `${base}${page.n}/`);
    if (on) link.setAttribute("aria-current", "page"); else link.removeAttribute("aria-current");
    if (on && strip.dataset.open) link.scrollIntoView({ block: "nearest", inline: "center" });
  });
  return true;
}

function turn(by) {
  const shown = open(state.page), at = by > 0 ? place(shown.at(-1)) + 1 : place(shown[0]) - 1;
  return edition.pages[at] ? go(edition.pages[at].n) : false;
}

// What was found is marked on the pages until another search or none.
function mark(hits) {
  state.marks = new Map();
  hits.forEach((hit, index) => state.marks.set(hit.page, [...(state.marks.get(hit.page) || []), ...hit.boxes.map((box) => [box, index])]));
  paint();
}
function paint() {
  for (const [number, made] of leaves) {
    made.querySelector(".marks").replaceChildren(...(state.marks.get(number) || []).map(([box, index]) =>
      put(make("span", { class: index === state.current ? "mark current" : "mark" }), box)));
  }
}

function showBox(number, boxes, index) {
  state.current = index ?? null;
  go(number);
  const left = open(number).indexOf(number) * (1000 + GAP), high = ratio(pageOf(number)) * 1000;
  const edge = (at, how) => Math.min(...boxes.map((box) => box[at] * how)) * how / 10000;
  const [x0, y0, x1, y1] = [edge(0, 1), edge(1, 1), edge(2, -1), edge(3, -1)];
  view.show(left + x0 * 1000 - 120, y0 * high - 90, (x1 - x0) * 1000 + 240, (y1 - y0) * high + 180, sheetBelow() ? 0.42 : 1);
}

// On a phone the hits lie over the lower half: what is found is brought into the upper one.
const sheetBelow = () => body.classList.contains("with-panel") && innerWidth < 800;

async function panel(what, ...more) {
  opener = document.activeElement;
  try {
    const { show } = await import("./panel.js");
    await show(api, what, opener, ...more);
  } catch {
    say("This needs the network. Please try again.");
  }
}

const strip = find("all-pages");
function thumbs() {
  const on = !strip.dataset.open;
  if (on) strip.dataset.open = "1"; else delete strip.dataset.open;
  strip.querySelectorAll("li a").forEach((link, at) => {
    const page = edition.pages[at];
    if (!page || !page.ready || link.querySelector("img")) return;
    link.prepend(make("img", { src: address(page, page.images[0]), alt: "", loading: "lazy", width: 72, height: Math.round(72 * ratio(page)) }));
  });
  if (on) strip.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
}

const DOES = {
  back: () => turn(-1), next: () => turn(1),
  larger: () => view.zoom(1.6), smaller: () => view.zoom(1 / 1.6),
  fit: () => view.fitTo(view.mode === "page" ? "width" : "page"),
  double: () => { state.double = !isDouble(); lay(); go(state.page); },
  full: () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.()),
  thumbs, search: () => panel("search"), contents: () => panel("contents"), text: () => panel("text"), more: () => panel("more"),
  clip: () => import("./clip.js").then((clip) => clip.draw(api)).catch(() => say("Clipping needs the network.")),
  keep: () => panel("keep"),
};
api.does = DOES;
api.isDouble = isDouble;

const KEYS = { PageDown: "next", PageUp: "back" };
const STAGE_KEYS = { "+": "larger", "=": "larger", "-": "smaller", 0: "fit", f: "full", "/": "search" };
function key(event) {
  if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target.closest("input, textarea, select, .panel, [data-clipping]")) return;
  const across = { ArrowRight: 1, ArrowLeft: -1 }[event.key], down = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (across && view.overflows) view.pan(-across * 160, 0);
  else if (across) turn(across);
  else if (down && stage.contains(event.target)) view.pan(0, -down * 160);
  else if (event.key === "Home") go(edition.pages[0].n);
  else if (event.key === "End") go(edition.pages.at(-1).n);
  else if (KEYS[event.key]) DOES[KEYS[event.key]]();
  // Single letters only where the focus is on the paper: elsewhere they may be a screen reader's or dictated.
  else if (STAGE_KEYS[event.key] && stage.contains(event.target)) DOES[STAGE_KEYS[event.key]]();
  else return;
  event.preventDefault();
}

// Pages that are still being made are asked for again and again, ever more seldom.
async function await_pages(pause) {
  if (edition.done) return;
  await new Promise((wake) => setTimeout(wake, pause));
  if (document.visibilityState === "visible") {
    try {
      const before = JSON.stringify(edition.pages);
      edition = await load();
      if (JSON.stringify(edition.pages) !== before) { pause = 2000; lay(true); settled(); }
    } catch { /* Offline: ask again later. */ }
  }
  await_pages(Math.min(30000, pause * 1.5));
}

async function load() {
  const answer = await fetch(`${data}edition.json`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

function begin(loaded) {
  edition = loaded;
  const first = find("first"), shown = first.querySelector("img");
  document.head.append(make("link", { rel: "stylesheet", href: new URL("./panel.css", import.meta.url).href }));
  document.documentElement.classList.add("js");
  canvas.className = "canvas";
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  stage.setAttribute("aria-label", "The printed page. Arrow keys turn it, plus and minus zoom.");
  view = makeStage(stage, canvas, {
    turn, settled,
    tap: (event) => { const area = event.target.closest?.(".area"); if (area) panel("story", area.getAttribute("href")); },
  });
  if (shown) {
    const page = pageOf(state.page);
    shown.alt = "";
    shown.draggable = false;
    Object.assign(shown.dataset, { wide: shown.getAttribute("width"), key: page.key });
    leaf(page.n).prepend(shown);
  }
  stage.replaceChildren(canvas);
  find("tools").hidden = false;
  document.addEventListener("click", (event) => {
    const does = event.target.closest("[data-do]")?.dataset.do;
    if (does && DOES[does] && !event.ctrlKey && !event.metaKey) { event.preventDefault(); DOES[does](event); }
    const page = event.target.closest("[data-all-pages] li a");
    if (page && !event.ctrlKey && !event.metaKey) { event.preventDefault(); go(edition.pages[[...strip.querySelectorAll("li a")].indexOf(page)].n); }
  });
  document.addEventListener("keydown", key);
  addEventListener("resize", () => lay(true));
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); panel("text"); });
  go(state.page, true);
  if (stage.clientHeight > 760 && stage.clientWidth > 1000) thumbs();
  const hash = new URLSearchParams(location.hash.slice(1));
  if (hash.get("q")) panel("search", hash.get("q"));
  await_pages(2000);
  if ("serviceWorker" in navigator && navigator.serviceWorker.controller) import("./keep.js").then((keep) => keep.check(api)).catch(() => {});
}

load().then(begin).catch(() => { /* The page is whole without it. */ });
