// Pan, zoom and swipe of what lies on the stage. It knows nothing of newspapers: only how wide and high its canvas is.
const MOVED = 6, TWICE = 300, MOST = 8;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** on: {turn(by), settled(cssWidth), tap(event)}. Sizes in CSS pixels; `scale` 1 shows the canvas at its natural size. */
export function makeStage(stage, canvas, on) {
  let width = 1, height = 1, scale = 1, x = 0, y = 0, mode = "page", pull = 0, running = 0, timer = 0;
  const touches = new Map();
  let free = 1, drag = null, ended = -1000, last = { at: 0, x: 0, y: 0 };

  const box = () => stage.getBoundingClientRect();
  const fit = (how) => {
    const space = box();
    return how === "width" ? space.width / width : Math.min(space.width / width, space.height / height);
  };
  const least = () => Math.min(fit("page"), fit("width"));

  function clamp() {
    const space = box(), w = width * scale, h = height * scale;
    x = w <= space.width + 1 ? (space.width - w) / 2 : Math.min(0, Math.max(space.width - w, x));
    y = h <= space.height + 1 ? (space.height - h) / 2 : Math.min(0, Math.max(space.height * free - h, y));
  }

  function draw() {
    clamp();
    canvas.style.width = width * scale + "px";
    canvas.style.height = height * scale + "px";
    canvas.style.transform = `translate(${x + pull}px, ${y}px)`;
    clearTimeout(timer);
    timer = setTimeout(() => on.settled(width * scale), 120);
  }

  function glide(to, then) {
    cancelAnimationFrame(running);
    const from = { scale, x, y, pull }, start = performance.now();
    const step = (now) => {
      const part = still.matches ? 1 : Math.min(1, (now - start) / 200), ease = 1 - (1 - part) ** 3;
      const mix = (key) => (to[key] === undefined ? from[key] : from[key] + (to[key] - from[key]) * ease);
      scale = mix("scale"); x = mix("x"); y = mix("y"); pull = mix("pull");
      draw();
      if (part < 1) running = requestAnimationFrame(step);
      else if (then) then();
    };
    step(still.matches ? start + 1000 : start);
  }

  function around(factor, atX, atY) {
    const to = Math.max(least(), Math.min(MOST * fit("page"), scale * factor));
    return { scale: to, x: atX - (atX - x) * (to / scale), y: atY - (atY - y) * (to / scale) };
  }

  const inside = (event) => { const space = box(); return [event.clientX - space.left, event.clientY - space.top]; };
  const overflows = () => width * scale > box().width + 2;

  const self = {
    get scale() { return scale; },
    get zoomed() { return scale > fit(mode) * 1.02; },
    get mode() { return mode; },
    get overflows() { return overflows(); },
    /** Another page, or two, lies there now. The view keeps its mode and begins at the top. */
    content(w, h, keep) {
      free = 1;
      width = w; height = h;
      if (!keep || scale < least()) { scale = fit(mode); x = 0; y = 0; }
      pull = 0;
      draw();
    },
    fitTo(how) { mode = how; cancelAnimationFrame(running); scale = fit(how); x = 0; y = 0; draw(); },
    zoom(factor) { const space = box(); glide(around(factor, space.width / 2, space.height / 2)); },
    zoomAt(event, factor) { glide(around(factor, ...inside(event))); },
    pan(dx, dy) { glide({ x: x + dx, y: y + dy }); },
    /** Bring a part of the canvas (in its natural pixels) to the middle, large enough to be read. */
    show(left, top, w, h, part = 1) {
      free = part;
      const all = box(), space = { width: all.width, height: all.height * free };
      const to = Math.max(fit(mode), Math.min(MOST * fit("page"), 0.9 * space.width / Math.max(w, width / 2.4), 0.8 * space.height / Math.max(h, 1)));
      glide({ scale: to, x: space.width / 2 - (left + w / 2) * to, y: space.height / 2 - (top + h / 2) * to });
    },
    /** Where on the canvas an event is, as parts of its width and height. */
    place(event) { const [px, py] = inside(event); return [(px - x) / (width * scale), (py - y) / (height * scale)]; },
    resized() { if (!self.zoomed || scale < least()) { scale = fit(mode); } draw(); },
    off: false,
  };

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || self.off) return;
    cancelAnimationFrame(running);
    touches.set(event.pointerId, event);
    drag = { x: event.clientX, y: event.clientY, moved: touches.size > 1, at: event.timeStamp, vx: 0, vy: 0, pinch: touches.size > 1 };
  });
  stage.addEventListener("pointermove", (event) => {
    const before = touches.get(event.pointerId);
    if (!before || !drag) return;
    const dx = event.clientX - before.clientX, dy = event.clientY - before.clientY;
    if (touches.size === 2) {
      const other = [...touches.values()].find((one) => one.pointerId !== event.pointerId);
      const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
      const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
      ({ scale, x, y } = around(apart(event) / apart(before), ...inside(middle)));
      x += dx / 2; y += dy / 2; pull = 0;
      touches.set(event.pointerId, event);
      return draw();
    }
    if (!drag.moved && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < MOVED) return;
    if (!drag.moved) { drag.moved = true; try { stage.setPointerCapture(event.pointerId); } catch { /* It has ended. */ } }
    touches.set(event.pointerId, event);
    const pause = Math.max(1, event.timeStamp - before.timeStamp);
    drag.vx = dx / pause; drag.vy = dy / pause;
    if (overflows()) x += dx; else pull += dx;
    y += dy;
    draw();
  });
  const end = (event) => {
    if (!touches.delete(event.pointerId) || !drag) return;
    if (touches.size) { drag.pinch = true; return; }
    const done = drag, far = box().width * 0.18;
    drag = null;
    if (!done.moved) return;
    ended = event.timeStamp;
    if (scale < fit(mode) && !done.pinch) scale = fit(mode);
    if (pull) {
      const by = Math.abs(pull) > far || Math.abs(done.vx) > 0.5 ? -Math.sign(pull) : 0;
      if (by && Math.sign(done.vx || pull) === Math.sign(pull) && on.turn(by)) { pull = 0; return; }
      glide({ pull: 0 });
    } else if (Math.hypot(done.vx, done.vy) > 0.3 && !done.pinch) glide({ x: x + done.vx * 180, y: y + done.vy * 180 });
  };
  stage.addEventListener("pointerup", end);
  stage.addEventListener("pointercancel", end);

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (self.off) return;
    cancelAnimationFrame(running);
    const step = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
    if (mode === "width" && !event.ctrlKey && !event.metaKey) { x -= event.deltaX; y -= step; }
    else ({ scale, x, y } = around(Math.exp(-Math.max(-120, Math.min(120, step)) * (event.ctrlKey ? 0.01 : 0.0025)), ...inside(event)));
    draw();
  }, { passive: false });

  // One tap opens what is there, two zoom: so the first waits a little, unless it came from a keyboard.
  let waiting = 0;
  stage.addEventListener("click", (event) => {
    if (self.off || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (event.timeStamp - ended < 80) return;
    if (!event.detail) { on.tap(event); return; }
    const near = Math.hypot(event.clientX - last.x, event.clientY - last.y) < 30;
    clearTimeout(waiting);
    if (near && event.timeStamp - last.at < TWICE) {
      last.at = 0;
      if (self.zoomed) glide({ scale: fit(mode), x: 0, y: 0 });
      else glide(around(2.6, ...inside(event)));
      return;
    }
    last = { at: event.timeStamp, x: event.clientX, y: event.clientY };
    const { target } = event;
    waiting = setTimeout(() => on.tap({ target }), TWICE - 40);
  });
  new ResizeObserver(() => self.resized()).observe(stage);
  return self;
}
