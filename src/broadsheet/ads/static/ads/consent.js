// Nothing of a third party is loaded before the reader says yes here, and nothing is stored before they say either.
(function () {
  "use strict";
  var tag = document.currentScript.dataset.tag, box = document.querySelector("[data-consent]");
  var again = document.querySelector("[data-consent-again]");

  function chosen() {
    var found = /(?:^|; )ads=(yes|no)/.exec(document.cookie);
    return found ? found[1] : navigator.globalPrivacyControl ? "no" : "";
  }

  function keep(choice) {
    document.cookie = "ads=" + choice + "; Path=/; Max-Age=15552000; SameSite=Lax" + (location.protocol === "https:" ? "; Secure" : "");
  }

  function load() {
    var script = document.createElement("script");
    script.src = tag;
    script.async = true;
    document.head.appendChild(script);
  }

  function choose(choice) {
    var before = chosen();
    keep(choice);
    box.hidden = true;
    if (again) again.focus({ preventScroll: true });
    if (choice === "yes" && before !== "yes") load();
    else if (choice === "no" && before === "yes") location.reload(); // what is loaded can only be left behind
  }

  box.querySelectorAll("[data-choice]").forEach(function (button) {
    button.addEventListener("click", function () { choose(button.dataset.choice); });
  });
  if (again) {
    again.hidden = false;
    again.addEventListener("click", function () { box.hidden = false; box.querySelector("button").focus(); });
  }
  var choice = chosen();
  if (choice === "yes") load();
  else if (!choice) box.hidden = false;
})();
