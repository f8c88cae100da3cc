// Personal words on pages that are the same for everyone. Nothing here takes part in who may read what.
(function () {
  "use strict";
  var find = function (name) { return document.querySelector("[data-" + name + "]"); };

  function allowance(me) {
    if (!me.limit || me.subscriber) return "";
    var noun = me.limit === 1 ? " free article" : " free articles";
    var when = { month: " this month", week: " this week" }[me.window] || "";
    return me.left + " of " + me.limit + noun + " left" + when;
  }

  function fill(me) {
    var account = find("account"), subscribe = find("subscribe"), slot = find("allowance"), demo = find("demo-reader");
    if (me.signed_in && account) {
      account.textContent = "My account";
      account.href = "/account/";
      if (me.name) account.title = me.name;
    } else if (account && location.pathname !== "/") {
      account.href = "/account/sign-in/?next=" + encodeURIComponent(location.pathname);
    }
    if (me.subscriber && subscribe) subscribe.hidden = true;
    var words = allowance(me);
    if (slot && words) { slot.textContent = words; slot.hidden = false; }
    var code = find("code");
    if (code && me.code) { code.querySelector("code").textContent = me.code; code.hidden = false; }
    if (demo) {
      var who = me.staff ? "an editor" : me.subscriber ? "a subscriber" : me.signed_in ? "a registered reader" : "a visitor";
      demo.textContent = "You are " + who + (words ? " with " + words + "." : ".");
    }
  }

  var known = null;

  function ask(then) {
    fetch("/me.json", { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (me) { if (me) then(me); known = me || known; })
      .catch(function () { /* The page is complete without it. */ });
  }

  ask(fill);

  // A page that the browser kept alive for going back is as old as the visit it was part of: whoever has signed in,
  // paid or signed out since gets it anew.
  window.addEventListener("pageshow", function (event) {
    if (!event.persisted) return;
    ask(function (me) {
      var same = known && ["signed_in", "subscriber", "staff", "name"].every(function (key) { return me[key] === known[key]; });
      if (same) fill(me);
      else location.reload();
    });
  });

  // A link to send is selected whole when it is touched.
  document.querySelectorAll("[data-copy]").forEach(function (field) {
    field.addEventListener("focus", function () { field.select(); });
  });

  // Saving a story without leaving it: the page behind the link has the form, and is there for who has no script.
  document.querySelectorAll("[data-save]").forEach(function (link) {
    var saved = false;
    link.addEventListener("click", function (event) {
      if (saved || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      fetch(link.href, { credentials: "same-origin" }).then(function (answer) {
        return answer.redirected ? null : answer.text();
      }).then(function (text) {
        var page = text && new DOMParser().parseFromString(text, "text/html");
        var form = page && page.querySelector("[data-save-form]");
        if (!form) throw new Error("not signed in");
        if (page.querySelector("[data-saved=yes]")) return null;
        return fetch(link.href, { method: "POST", credentials: "same-origin", body: new URLSearchParams(new FormData(form)) });
      }).then(function (answer) {
        if (answer && !answer.ok) throw new Error("not saved");
        saved = true;
        link.textContent = link.dataset.saved;
        link.href = "/account/saved/";
      }).catch(function () { location.href = link.href; });
    });
  });

  // A front that has changed since it was opened says so; it never reloads under the reader's eyes.
  var fresh = find("watch");
  if (!fresh) return;
  var first = null;
  function look() {
    if (document.visibilityState !== "visible") return;
    fetch(location.pathname, { method: "HEAD", cache: "no-store" }).then(function (answer) {
      var tag = answer.ok && answer.headers.get("ETag");
      if (!tag) return;
      if (first === null) first = tag;
      else if (tag !== first) fresh.hidden = false;
    }).catch(function () { /* Offline: ask again later. */ });
  }
  look();
  setInterval(look, 20000);
  document.addEventListener("visibilitychange", look);
})();
