// Looks after /epaper/ alone: what a reader kept is shown when there is no network, as long as the server said it may be.
"use strict";
const BOOK = "epaper-book", NOTE = "/epaper/~kept", SLACK = 6 * 3600 * 1000, PATIENCE = 5000;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

async function readBook() {
  const note = await caches.match(NOTE, { cacheName: BOOK });
  return note ? note.json() : null;
}

async function dropAll() {
  for (const name of await caches.keys()) if (name.startsWith("epaper-")) await caches.delete(name);
}

// The right has an end, and a clock that was put back does not move it.
async function mayRead() {
  const book = await readBook();
  if (!book || !book.until) return false;
  const now = Date.now();
  if (now >= Date.parse(book.until)) { await dropAll(); return false; }
  if (now < (book.seen || 0) - SLACK) return false;
  book.seen = Math.max(now, book.seen || 0);
  await (await caches.open(BOOK)).put(NOTE, new Response(JSON.stringify(book), { headers: { "Content-Type": "application/json" } }));
  return true;
}

// The page does the same, and fetches anew what has changed: one of them at a time.
const ask = () => (navigator.locks ? navigator.locks.request(BOOK, look) : look());

async function look() {
  const book = await readBook();
  if (!book) return;
  const answer = await fetch("/epaper/rights.json", { credentials: "same-origin", cache: "no-store" });
  if (!answer.ok) return;
  const rights = await answer.json();
  if (!rights.entitled || rights.who !== book.who) return dropAll();
  for (const id of Object.keys(book.editions)) {
    // What was changed or taken out since is not shown again; the page fetches it anew.
    if (rights.editions[id] !== book.editions[id].version) await caches.delete(`epaper-${id}`);
  }
}

async function kept(request) {
  if (!(await mayRead())) return null;
  return caches.match(request, { ignoreVary: true });
}

const refused = () => new Response(
  "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>No network</title><h1>No network</h1><p>This page is not kept on this device, or the right to read it here has ended. Go online to see.</p><p><a href=\"/epaper/kept/\">What is kept here</a></p></html>",
  { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } },
);

async function answer(event) {
  const { request } = event, navigates = request.mode === "navigate";
  let timer = 0;
  try {
    const asked = fetch(request);
    const late = new Promise((_, give) => { timer = setTimeout(() => give(new Error("late")), PATIENCE); });
    const got = navigates ? await Promise.race([asked, late]).catch(async (error) => (error.message === "late" && (await kept(request))) || asked) : await asked;
    return got;
  } catch (error) {
    const page = await kept(request) || (navigates && new URL(request.url).pathname === "/epaper/" && await kept("/epaper/kept/"));
    if (page) return page;
    if (navigates) return refused();
    throw error;
  } finally { clearTimeout(timer); }
}

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  const ours = url.pathname.startsWith("/epaper/") || url.pathname.startsWith("/static/");
  if (!ours || ["/epaper/rights.json", "/epaper/worker.js"].includes(url.pathname)) return;
  if (request.mode === "navigate") event.waitUntil(ask().catch(() => {}));
  event.respondWith(answer(event));
});
