// The shelf and the list of what this device keeps.
import { check, day, letGo, readBook, size } from "./keep.js";

const list = document.querySelector("[data-kept]"), state = document.querySelector("[data-kept-state]");

function show(book) {
  const kept = Object.entries(book.editions);
  state.textContent = kept.length ? `${kept.length} ${kept.length > 1 ? "editions" : "edition"}, ${size(kept.reduce((sum, [, one]) => sum + one.bytes, 0))}. Readable without a network until ${day(book.until)}.` : "Nothing is kept here. In an edition, choose “More”, then “Keep”.";
  list.replaceChildren(...kept.map(([id, one]) => {
    const row = document.createElement("li"), link = document.createElement("a"), drop = document.createElement("button"), small = document.createElement("span");
    link.href = one.base;
    link.textContent = one.title;
    small.textContent = size(one.bytes);
    small.className = "card-meta";
    drop.type = "button";
    drop.className = "button button-quiet button-small";
    drop.textContent = "Remove";
    drop.setAttribute("aria-label", `Remove ${one.title}`);
    drop.addEventListener("click", async () => { await letGo(id); show(await readBook()); state.tabIndex = -1; state.focus(); });
    row.append(link, small, drop);
    return row;
  }));
}

async function begin() {
  if (!window.caches) { if (state) state.textContent = "This browser keeps nothing for later."; return; }
  if (list) show(await readBook());
  const book = await check().catch(() => null);
  if (book && list) show(book);
}
begin();
