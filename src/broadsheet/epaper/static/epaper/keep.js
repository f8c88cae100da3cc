// Keeping editions on this device: what is kept, for whom and until when stands in one answer of the cache "epaper-book".
// The server says until when; a device that meets it again asks, and throws away what may no longer be read.
export const BOOK = "epaper-book", NOTE = "/epaper/~kept";
const shelf = (id) => `epaper-${id}`;

export async function readBook() {
  const note = await caches.match(NOTE, { cacheName: BOOK });
  return note ? note.json() : { editions: {}, seen: 0 };
}

export async function writeBook(book) {
  book.seen = Math.max(book.seen || 0, Date.now());
  const cache = await caches.open(BOOK);
  await cache.put(NOTE, new Response(JSON.stringify(book), { headers: { "Content-Type": "application/json" } }));
}

export async function drop(id) {
  await caches.delete(shelf(id));
  const book = await readBook();
  delete book.editions[id];
  await writeBook(book);
}

export async function dropAll() {
  for (const name of await caches.keys()) if (name.startsWith("epaper-")) await caches.delete(name);
}

const token = () => document.querySelector("[name=csrfmiddlewaretoken]")?.value || "";

export function device() {
  try {
    let name = localStorage.getItem("epaper-device");
    if (!name) { name = crypto.randomUUID?.() || String(Math.random()).slice(2); localStorage.setItem("epaper-device", name); }
    return name;
  } catch { return ""; }
}

async function post(address) {
  const fields = new FormData();
  fields.set("csrfmiddlewaretoken", token());
  fields.set("device", device());
  return fetch(address, { method: "POST", body: fields, credentials: "same-origin" });
}

// The worker looks at the same book: one of them at a time.
const alone = (work) => (navigator.locks ? navigator.locks.request(BOOK, work) : work());
// By this device's clock, which may be wrong: what counts is how long from now.
const hereUntil = (told) => new Date(Date.now() + Date.parse(told.until) - Date.parse(told.now)).toISOString();

/** Fetch everything an edition is made of. `told(part, of, bytes)` hears how far it is. */
export const keep = (id, told) => alone(() => fetchAll(id, told));

async function fetchAll(id, told) {
  const answer = await post(`/epaper/e/${id}/keep/`);
  if (!answer.ok) throw new Error("refused");
  const plan = await answer.json(), cache = await caches.open(shelf(id));
  const modules = ["viewer.js", "stage.js", "panel.js", "panel.css", "clip.js", "keep.js"].map((name) => new URL(`./${name}`, import.meta.url).href);
  const frames = await Promise.all(["/epaper/kept/", location.pathname, plan.addresses.at(-1)].map((one) => fetch(one).then((got) => got.text())));
  const statics = frames.flatMap((text) => text.match(/\/static\/[^"'\s]+/g) || []);
  const list = [...new Set([...plan.addresses, "/epaper/kept/", ...statics, ...modules])];
  let bytes = 0, done = 0;
  const queue = [...list], fresh = new Set(list.map((one) => new URL(one, location.href).href));
  const one = async () => {
    for (let address = queue.shift(); address; address = queue.shift()) {
      const got = await fetch(address, { credentials: "same-origin", cache: "no-store" });
      if (got.ok && !got.redirected && got.headers.get("Broadsheet-Variant") !== "wall") {
        const content = await got.blob();
        bytes += content.size;
        await cache.put(address, new Response(content, { headers: { "Content-Type": got.headers.get("Content-Type") || "" } }));
      } else if (got.headers.get("Broadsheet-Variant") === "wall") throw new Error("refused");
      told?.(++done, list.length, bytes);
    }
  };
  await Promise.all([one(), one(), one(), one()]);
  for (const old of await cache.keys()) if (!fresh.has(old.url)) await cache.delete(old);
  const book = await readBook();
  Object.assign(book, { who: plan.who, until: hereUntil(plan) });
  book.editions[id] = { title: plan.title, base: plan.base, version: plan.version, bytes, at: plan.now };
  await writeBook(book);
  await navigator.serviceWorker.register("/epaper/worker.js");
  return book.editions[id];
}

/** Ask whether what is kept may still be read; what may not is thrown away, what has changed is fetched anew. */
export const check = () => alone(look);

async function look() {
  const book = await readBook();
  if (!Object.keys(book.editions).length) return book;
  const answer = await fetch("/epaper/rights.json", { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) return book;
  const rights = await answer.json();
  if (!rights.entitled || rights.who !== book.who) { await dropAll(); return { editions: {} }; }
  book.until = hereUntil(rights);
  await writeBook(book);
  for (const [id, kept] of Object.entries(book.editions)) {
    if (!rights.editions[id]) await drop(id);
    else if (rights.editions[id] !== kept.version && token()) { await caches.delete(shelf(id)); await fetchAll(id).catch(() => drop(id)); }
  }
  return readBook();
}

export async function letGo(id) {
  await drop(id);
  await post(`/epaper/e/${id}/let-go/`).catch(() => {});
}

export const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);
export const day = (text) => new Date(text).toLocaleDateString(document.documentElement.lang || "en", { day: "numeric", month: "long", year: "numeric" });

export async function offer(api, inner) {
  const book = await readBook(), id = String(api.edition.id), kept = book.editions[id];
  const said = api.make("p", { role: "status" }), bar = api.make("progress", { max: "100", value: "0", hidden: true, "aria-label": "Fetched" });
  const act = api.make("button", { type: "button", class: "strong" }, kept ? "Remove from this device" : "Keep on this device");
  if (!window.caches || !("serviceWorker" in navigator)) { inner.append(api.make("p", {}, "This browser keeps nothing for later.")); return; }
  said.textContent = kept
    ? `Kept here: ${size(kept.bytes)}, readable without a network until ${day(book.until)}.`
    : "The pages and their text are kept on this device. They can be read without a network as long as your right lasts, for 30 days without asking.";
  inner.append(said, bar, act, api.make("p", {}, api.make("a", { href: "/epaper/kept/" }, "All that is kept here")));
  act.addEventListener("click", async () => {
    act.disabled = true;
    if (kept) { await letGo(id); said.textContent = "Removed from this device."; act.hidden = true; return; }
    bar.hidden = false;
    try {
      const made = await keep(id, (part, of) => { bar.value = (100 * part) / of; });
      said.textContent = `Kept: ${size(made.bytes)}, readable without a network until ${day((await readBook()).until)}.`;
      act.hidden = true;
    } catch {
      await drop(id);
      said.textContent = "It could not be kept. Is there a network, and room on this device?";
      act.disabled = false;
    }
    bar.hidden = true;
  });
}

/** Search in what is kept, where there is no network: as the server does, but plainer. */
export async function scan(api, query) {
  const fold = (text) => text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").normalize("NFC").replace(/^[^\p{L}\p{N}]+/u, "");
  const terms = query.split(/\s+/).map(fold).filter(Boolean), hits = [];
  for (const page of api.edition.pages) {
    const answer = page.ready && await fetch(`${api.data}words/${page.n}.json`);
    if (!answer || !answer.ok) continue;
    const { words } = await answer.json(), folded = words.map(([text]) => fold(text));
    if (!terms.every((term) => folded.some((word) => word.startsWith(term)))) continue;
    const at = folded.flatMap((word, index) => (terms.some((term) => word.startsWith(term)) ? [index] : []));
    for (const index of at.slice(0, 6)) {
      const snippet = words.slice(Math.max(0, index - 6), index + 10).map(([text], near) => [text, Math.max(0, index - 6) + near === index]);
      hits.push({ page: page.n, title: "", snippet, boxes: [words[index].slice(1)] });
    }
  }
  return hits;
}
