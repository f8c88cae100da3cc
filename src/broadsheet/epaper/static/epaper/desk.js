// The order of an edition's stories: by the handle or by the two buttons. The numbers are what is kept.
(() => {
  const table = document.querySelector("[data-stories]");
  if (!table) return;
  const body = table.tBodies[0];
  const said = document.querySelector("[data-said]");
  const rows = () => [...body.querySelectorAll("[data-story]")];
  const number = () => rows().forEach((row, place) => { row.querySelector("[data-order]").value = place + 1; });
  const tell = (row) => {
    said.textContent = `${row.querySelector("[data-title]").textContent}: place ${rows().indexOf(row) + 1} of ${rows().length}`;
  };
  const move = (row, button, before) => {
    body.insertBefore(row, before);
    number();
    button.focus();
    tell(row);
  };
  table.classList.add("ep-live");
  for (const row of rows()) {
    const up = row.querySelector("[data-up]");
    const down = row.querySelector("[data-down]");
    up.hidden = down.hidden = false;
    up.addEventListener("click", () => row.previousElementSibling && move(row, up, row.previousElementSibling));
    down.addEventListener("click", () => row.nextElementSibling && move(row, down, row.nextElementSibling.nextElementSibling));
    const handle = row.querySelector("[data-handle]");
    let dragged = false;
    handle.addEventListener("pointerdown", (event) => {
      dragged = true;
      row.classList.add("is-dragged");
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!dragged) return;
      const over = rows().find((other) => {
        const box = other.getBoundingClientRect();
        return other !== row && event.clientY >= box.top && event.clientY < box.bottom;
      });
      if (!over) return;
      const box = over.getBoundingClientRect();
      body.insertBefore(row, event.clientY < box.top + box.height / 2 ? over : over.nextElementSibling);
    });
    const drop = () => {
      if (!dragged) return;
      dragged = false;
      row.classList.remove("is-dragged");
      number();
      tell(row);
    };
    handle.addEventListener("pointerup", drop);
    handle.addEventListener("pointercancel", drop);
  }
})();
