// The first page is seen before anything else is fetched; then the viewer comes.
const first = document.querySelector("[data-first] img");
const come = () => import("./viewer.js");
if (!first || first.complete) come();
else for (const name of ["load", "error"]) first.addEventListener(name, come, { once: true });
