// Puts what runs just now into a page's slots. It knows the page and this visit's counts, and tells nobody of either.
(function () {
  "use strict";
  var script = document.currentScript, section = script.dataset.section;
  var device = matchMedia("(min-width: 50rem)").matches ? "desktop" : "phone";
  var boxes = [].slice.call(document.querySelectorAll("[data-ad]")).filter(function (box) { return box.offsetHeight; });
  if (!boxes.length || !window.fetch) return;
  var KEY = "ads", counts = {}, shown = {}, seen = [];
  try { counts = JSON.parse(sessionStorage.getItem(KEY)) || {}; } catch (e) { /* No storage: no counts. */ }

  function allows(list, word) { return !list.length || list.indexOf(word) >= 0; }

  function choose(campaigns, slot, size) {
    var fitting = [];
    campaigns.forEach(function (c) {
      if (c.slots.indexOf(slot) < 0 || !allows(c.sections, section) || !allows(c.devices, device)) return;
      if (shown[c.id] || (c.cap && (counts[c.id] || 0) >= c.cap)) return;
      var ads = c.creatives.filter(function (a) { return !a.src || (a.w === size[0] && a.h === size[1]); });
      if (ads.length) fitting.push({ c: c, ad: ads[Math.floor(Math.random() * ads.length)] });
    });
    var sold = fitting.filter(function (f) { return f.c.kind === "direct"; });
    if (sold.length) fitting = sold;
    var draw = Math.random() * fitting.reduce(function (sum, f) { return sum + f.c.weight; }, 0);
    return fitting.find(function (f) { return (draw -= f.c.weight) < 0; });
  }

  function element(name, words, parent) {
    var made = document.createElement(name);
    if (words) made.textContent = words;
    if (parent && words) parent.appendChild(made);
    return made;
  }

  function fill(box, slot, ad) {
    var link = element("a"), image;
    link.href = "/ads/go/" + ad.id + "?slot=" + slot;
    link.rel = "sponsored nofollow noopener";
    if (ad.src) {
      image = element("img");
      image.alt = ad.alt;
      image.width = ad.w;
      image.height = ad.h;
      image.src = ad.src;
      link.appendChild(image);
    } else {
      link.className = "ad-text";
      element("b", ad.headline, link);
      element("span", ad.text, link);
      element("i", ad.action, link);
      element("small", ad.by, link);
    }
    box.replaceChildren(link);
  }

  function report() {
    if (seen.length && navigator.sendBeacon) navigator.sendBeacon("/ads/seen", JSON.stringify(seen.splice(0)));
  }

  // Seen is: half of it on the screen for a second.
  function watch(box, slot, id) {
    var timer;
    new IntersectionObserver(function (entries, observer) {
      clearTimeout(timer);
      if (!entries[entries.length - 1].isIntersecting) return;
      timer = setTimeout(function () { observer.disconnect(); seen.push([id, slot]); }, 1000);
    }, { threshold: 0.5 }).observe(box);
  }

  function place(list) {
    var reports = list.sample && Math.random() * list.sample < 1;
    boxes.forEach(function (around) {
      var slot = around.dataset.ad, box = around.querySelector(".ad-box");
      var found = choose(list.campaigns, slot, [box.clientWidth, box.clientHeight]);
      if (!found) return;
      shown[found.c.id] = 1;
      if (found.c.cap) counts[found.c.id] = (counts[found.c.id] || 0) + 1;
      fill(box, slot, found.ad);
      if (reports && window.IntersectionObserver) watch(box, slot, found.ad.id);
    });
    try { sessionStorage.setItem(KEY, JSON.stringify(counts)); } catch (e) { /* As above. */ }
    if (reports) document.addEventListener("visibilitychange", function () { if (document.hidden) report(); });
  }

  fetch("/ads/running.json", { credentials: "omit" })
    .then(function (answer) { return answer.ok ? answer.json() : null; })
    .then(function (list) { if (list) place(list); })
    .catch(function () { /* What is printed in the slots stays. */ });
})();
