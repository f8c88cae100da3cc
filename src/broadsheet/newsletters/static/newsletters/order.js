// The order of an issue's stories: drag by the handle, or the two buttons. The numbers beside them are what is kept.
(() => {
  const list = document.querySelector("[data-stories]");
  if (!list) return;
  const said = document.querySelector("[data-said]");
  const rows = () => [...list.querySelectorAll("[data-story]")];
  const number = () => rows().forEach((row, place) => { row.querySelector("[data-order]").value = place + 1; });
  const title = (row) => row.querySelector("[data-title]").textContent;
  const tell = (row) => { said.textContent = `${title(row)}: place ${rows().indexOf(row) + 1} of ${rows().length}`; };
  list.classList.add("nl-live");
  let dragged = null;
  let place = null;
  const clear = () => rows().forEach((row) => row.classList.remove("is-over", "is-under"));
  for (const row of rows()) {
    const up = row.querySelector("[data-up]");
    const down = row.querySelector("[data-down]");
    up.hidden = down.hidden = false;
    up.addEventListener("click", () => {
      if (row.previousElementSibling) list.insertBefore(row, row.previousElementSibling);
      number(); up.focus(); tell(row);
    });
    down.addEventListener("click", () => {
      if (row.nextElementSibling) list.insertBefore(row.nextElementSibling, row);
      number(); down.focus(); tell(row);
    });
    const handle = row.querySelector("[data-handle]");
    // Pointer events carry mouse, pen and finger alike; the browser's own drag and drop leaves fingers out.
    handle.addEventListener("pointerdown", (event) => {
      dragged = row;
      row.classList.add("is-dragged");
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    // The list stays as it is until the finger is lifted: an element that is moved loses the pointer it has captured.
    handle.addEventListener("pointermove", (event) => {
      if (dragged !== row) return;
      clear();
      place = null;
      for (const other of rows()) {
        const box = other.getBoundingClientRect();
        if (other === row || event.clientY < box.top || event.clientY >= box.bottom) continue;
        const below = event.clientY >= box.top + box.height / 2;
        other.classList.add(below ? "is-under" : "is-over");
        place = { before: below ? other.nextElementSibling : other };
      }
    });
    const drop = () => {
      if (dragged !== row) return;
      dragged = null;
      row.classList.remove("is-dragged");
      if (place) list.insertBefore(row, place.before);
      place = null;
      clear(); number(); tell(row);
    };
    handle.addEventListener("pointerup", drop);
    handle.addEventListener("pointercancel", drop);
  }
})();
