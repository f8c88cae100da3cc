// What a chart gains from a pointer and a keyboard. Without this file every range and comparison is a page of its own.
(function () {
  "use strict";
  var SVG = "http://www.w3.org/2000/svg", MINUS = "\u2212";
  var MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  function made(name, attributes) {
    var one = document.createElementNS(SVG, name);
    Object.keys(attributes).forEach(function (key) { one.setAttribute(key, attributes[key]); });
    return one;
  }

  function day(text) {
    var parts = text.split("-");
    return Number(parts[2]) + " " + MONTHS[parts[1] - 1] + " " + parts[0];
  }

  function fixed(number, places) {
    return number.toLocaleString("en-IN", { minimumFractionDigits: places, maximumFractionDigits: places });
  }

  function percent(number) {
    var text = fixed(Math.abs(number), 2);
    return (text === "0.00" ? "" : number < 0 ? MINUS : "+") + text + "\u00a0%";
  }

  function many(number) {
    if (number >= 1e7) return fixed(number / 1e7, 1) + " crore";
    if (number >= 1e5) return fixed(number / 1e5, 1) + " lakh";
    return fixed(number, 0);
  }

  // One chart: two drawings of it, of which the style sheet shows one.
  function follow(section) {
    var stage = section.querySelector("[data-stage]"), source = section.querySelector("[data-figures]");
    var readout = section.querySelector("[data-readout]");
    if (!stage || !source || !readout) return;
    var data = JSON.parse(source.textContent), still = Array.from(readout.childNodes), at = data.at.length - 1;
    var views = Array.prototype.map.call(stage.querySelectorAll("svg[data-frame]"), function (svg) {
      var numbers = svg.getAttribute("data-frame").split(" ").map(Number);
      var line = made("path", { "class": "chart-follow", visibility: "hidden" });
      var point = made("circle", { "class": "chart-point", r: 4.5, visibility: "hidden" });
      svg.append(line, point);
      return { svg: svg, left: numbers[0], top: numbers[1], right: numbers[2], bottom: numbers[3], low: numbers[4],
        high: numbers[5], count: numbers[6], line: line, point: point };
    });

    function change(place) { return (data.close[place] / data.first - 1) * 100; }

    function told(place) {
      var parts = [day(data.day[place]), fixed(data.close[place], data.decimals)];
      if (data.first !== null) parts.push(percent(change(place)));
      if (data.compared && data.other[place] !== null) parts.push("the other " + percent(data.other[place]));
      if (data.volume && data.volume[place]) parts.push("volume " + many(data.volume[place]));
      return parts;
    }

    function show(place) {
      at = Math.max(0, Math.min(place, data.at.length - 1));
      var value = data.compared ? change(at) : data.close[at];
      views.forEach(function (view) {
        var x = view.left + (view.right - view.left) * data.at[at] / Math.max(view.count - 1, 1);
        var y = view.bottom - (view.bottom - view.top) * (value - view.low) / (view.high - view.low);
        view.line.setAttribute("d", "M" + x + " " + view.top + "V" + view.bottom);
        view.point.setAttribute("cx", x);
        view.point.setAttribute("cy", y);
        view.line.setAttribute("visibility", "visible");
        view.point.setAttribute("visibility", "visible");
      });
      var parts = told(at), first = document.createElement("strong");
      readout.textContent = "";
      first.textContent = parts[0];
      readout.append(first);
      parts.slice(1).forEach(function (words, place) {
        var span = document.createElement("span");
        span.textContent = words;
        if (place === 1 && data.first !== null) span.className = "moved " + (change(at) < 0 ? "down" : "up");
        readout.append(span);
      });
      stage.setAttribute("aria-valuenow", at);
      stage.setAttribute("aria-valuetext", parts.join(", "));
    }

    function rest() {
      views.forEach(function (view) {
        view.line.setAttribute("visibility", "hidden");
        view.point.setAttribute("visibility", "hidden");
      });
      readout.replaceChildren.apply(readout, still);
    }

    function under(event) {
      var view = views.filter(function (one) { return one.svg.getBoundingClientRect().width > 0; })[0];
      if (!view) return;
      var box = view.svg.getBoundingClientRect(), width = view.svg.viewBox.baseVal.width;
      var x = (event.clientX - box.left) * width / box.width;
      var wanted = (x - view.left) / (view.right - view.left) * (view.count - 1);
      var low = 0, high = data.at.length - 1;
      while (low < high) {
        var middle = (low + high) >> 1;
        if (data.at[middle] < wanted) low = middle + 1; else high = middle;
      }
      if (low > 0 && wanted - data.at[low - 1] < data.at[low] - wanted) low -= 1;
      show(low);
    }

    stage.addEventListener("pointermove", under);
    stage.addEventListener("pointerdown", under);
    stage.addEventListener("pointerleave", function () { if (document.activeElement !== stage) rest(); });
    stage.tabIndex = 0;
    stage.setAttribute("role", "slider");
    stage.setAttribute("aria-label", "A day on the chart");
    stage.setAttribute("aria-valuemin", 0);
    stage.setAttribute("aria-valuemax", data.at.length - 1);
    stage.setAttribute("aria-valuenow", at);
    stage.setAttribute("aria-valuetext", told(at).join(", "));
    stage.addEventListener("focus", function () { if (stage.matches(":focus-visible")) show(at); });
    stage.addEventListener("blur", rest);
    stage.addEventListener("keydown", function (event) {
      var steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -20, PageUp: 20 };
      if (event.key === "Home") show(0);
      else if (event.key === "End") show(data.at.length - 1);
      else if (steps[event.key]) show(at + steps[event.key]);
      else if (event.key === "Escape") rest();
      else return;
      event.preventDefault();
    });

    // A letter and its story light up together; a letter that is pressed leads to it.
    section.querySelectorAll("[data-story]").forEach(function (item) {
      var marks = section.querySelectorAll('[data-mark="' + item.getAttribute("data-story") + '"]');
      function light(on) {
        item.classList.toggle("is-lit", on);
        marks.forEach(function (mark) { mark.classList.toggle("is-lit", on); });
      }
      [item].concat(Array.from(marks)).forEach(function (one) {
        one.addEventListener("pointerenter", function () { light(true); });
        one.addEventListener("pointerleave", function () { light(false); });
      });
      marks.forEach(function (mark) {
        mark.addEventListener("click", function () { item.querySelector("a").focus(); });
      });
    });
  }

  var asked = 0;

  // Another range or comparison takes this chart's place. Whatever fails is left to the link itself.
  function fetched(address, focus) {
    var url = new URL(address, location.href), mine = ++asked;
    url.searchParams.set("part", "chart");
    return fetch(url, { credentials: "same-origin" }).then(function (answer) {
      if (!answer.ok) throw new Error(String(answer.status));
      return answer.text();
    }).then(function (text) {
      if (mine !== asked) return;
      var section = new DOMParser().parseFromString(text, "text/html").querySelector("[data-chart]");
      if (!section) throw new Error("no chart");
      section = document.importNode(section, true);
      document.querySelector("[data-chart]").replaceWith(section);
      url.searchParams.delete("part");
      history.replaceState(null, "", url);
      start(section);
      var again = section.querySelector(focus);
      if (again) again.focus();
    }).catch(function () { if (mine === asked) location.assign(address); });
  }

  function start(section) {
    follow(section);
    section.addEventListener("click", function (event) {
      var link = event.target.closest("a[data-range]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      fetched(link.href, link.hasAttribute("data-alone") ? "#with" : 'a[data-range="' + link.getAttribute("data-range") + '"]');
    });
    var form = section.querySelector("[data-compare]");
    if (form) form.addEventListener("submit", function (event) {
      event.preventDefault();
      fetched("?" + new URLSearchParams(new FormData(form)), "#with");
    });
  }

  var first = document.querySelector("[data-chart]");
  if (first) start(first);
})();
