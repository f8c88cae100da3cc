// Clipping: a box is drawn on a page, by hand or with the arrow keys, and sent; a story is sent by its form.
import { plain } from "./panel.js";

const STEP = 200;

export function draw(api) {
  const stage = api.find("stage"), number = api.state.page, leaf = stage.querySelector(`[data-leaf="${number}"]`);
  if (!leaf || api.view.off) return;
  const opener = document.activeElement;
  let box = [2500, 2000, 7500, 5000], anchor = null, here = leaf;
  const frame = api.make("div", { class: "clip-frame" });
  const help = api.make("div", { class: "clip-help", role: "group", "aria-label": "Clipping", tabindex: "-1", "data-clipping": "" },
    api.make("p", {}, "Draw a box around what you want to clip. With a keyboard: arrows move it, with Shift they change its size."));
  const take = api.make("button", { type: "button", class: "clip-take" }, "Clip this"), leave = api.make("button", { type: "button" }, "Cancel");
  help.append(take, leave);
  api.view.off = true;
  document.body.classList.add("clipping");
  leaf.append(frame);
  document.querySelector("main").append(help);
  place();
  help.focus();

  function place() {
    const [x0, y0, x1, y1] = box;
    Object.assign(frame.style, { left: x0 / 100 + "%", top: y0 / 100 + "%", width: (x1 - x0) / 100 + "%", height: (y1 - y0) / 100 + "%" });
  }
  const at = (event) => {
    const area = here.getBoundingClientRect(), part = (value) => Math.round(10000 * Math.max(0, Math.min(1, value)));
    return [part((event.clientX - area.left) / area.width), part((event.clientY - area.top) / area.height)];
  };
  const down = (event) => {
    if (!stage.contains(event.target)) return;
    event.preventDefault();
    here = event.target.closest(".leaf") || here;
    here.append(frame);
    anchor = at(event);
    stage.setPointerCapture(event.pointerId);
  };
  const move = (event) => {
    if (!anchor) return;
    const [x, y] = at(event);
    box = [Math.min(x, anchor[0]), Math.min(y, anchor[1]), Math.max(x, anchor[0]), Math.max(y, anchor[1])];
    place();
  };
  const up = () => { if (anchor) { anchor = null; take.focus(); } };
  const key = (event) => {
    const way = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (event.key === "Escape") { event.preventDefault(); end(); opener?.focus(); return; }
    if (!way) return;
    event.preventDefault();
    const [dx, dy] = way, [x0, y0, x1, y1] = box;
    const next = event.shiftKey ? [x0, y0, x1 + dx, y1 + dy] : [x0 + dx, y0 + dy, x1 + dx, y1 + dy];
    if (next.every((value) => value >= 0 && value <= 10000) && next[2] - next[0] >= STEP && next[3] - next[1] >= STEP) { box = next; place(); }
  };
  stage.addEventListener("pointerdown", down, true);
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", up);
  help.addEventListener("keydown", key);
  function end() {
    stage.removeEventListener("pointerdown", down, true);
    stage.removeEventListener("pointermove", move);
    stage.removeEventListener("pointerup", up);
    frame.remove();
    help.remove();
    document.body.classList.remove("clipping");
    api.view.off = false;
  }
  leave.addEventListener("click", () => { end(); opener?.focus(); });
  take.addEventListener("click", () => {
    const form = api.find("clip-form").cloneNode(true), page = here.dataset.leaf;
    const chosen = [...box];
    end();
    form.hidden = false;
    form.append(
      api.make("input", { type: "hidden", name: "page", value: page }),
      api.make("input", { type: "hidden", name: "box", value: chosen.join(",") }),
      api.make("p", {}, "The clipping is kept in your account. By a link, others see just this part of the page."),
      api.make("button", { type: "submit" }, "Keep it"),
      api.make("button", { type: "submit", name: "share", value: "1", class: "strong" }, "Share it by link"),
    );
    plain(api, "Your clipping", (inner) => {
      inner.append(form);
      form.addEventListener("submit", (event) => { event.preventDefault(); send(api, form, event.submitter, inner); });
    }, opener);
  });
}

/** Send a clipping's form, and show what came of it in `where`. */
export async function send(api, form, submitter, where) {
  const fields = new FormData(form, submitter);
  const said = where.querySelector("[data-said]") || api.make("div", { "data-said": "", role: "status", class: "clip-said" });
  where.append(said);
  said.textContent = "One moment…";
  try {
    const answer = await fetch("/epaper/clips/new/", { method: "POST", body: fields, credentials: "same-origin", headers: { Accept: "application/json" } });
    const made = await answer.json();
    if (!answer.ok) { said.textContent = made.words || "This could not be clipped."; return; }
    form.hidden = true;
    where.querySelector(".paper-small")?.remove();
    said.replaceChildren(api.make("img", { src: made.picture, alt: "The clipping" }));
    if (made.link) {
      const field = api.make("input", { type: "text", readonly: true, value: made.link, "aria-label": "Link to send" });
      field.addEventListener("focus", () => field.select());
      const copy = api.make("button", { type: "button" }, navigator.share ? "Send the link" : "Copy the link");
      copy.addEventListener("click", async () => {
        if (navigator.share) { navigator.share({ url: made.link }).catch(() => {}); return; }
        await navigator.clipboard?.writeText(made.link).catch(() => field.select());
        copy.textContent = "Copied";
      });
      said.append(field, copy, api.make("p", {}, `You can share ${made.left} more this month.`));
      copy.focus();
    } else {
      said.append(api.make("p", {}, "Kept in your clippings."));
    }
    said.append(api.make("p", {}, api.make("a", { href: "/epaper/clips/" }, "See all your clippings")));
    said.scrollIntoView({ block: "end" });
  } catch {
    said.textContent = "Clipping needs the network. Please try again.";
  }
}
