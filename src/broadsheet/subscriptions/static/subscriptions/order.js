// The total follows what is chosen. Without this script the buttons ask the server just the same.
(function () {
  "use strict";
  var form = document.querySelector("[data-order]");
  if (!form) return;
  var country = form.querySelector("#country"), india = form.querySelector("[data-india]"), asked = 0;

  function showIndia() {
    if (country && india) india.hidden = country.value !== "IN";
  }

  function follow() {
    var mine = ++asked, sent = new FormData(form);  // no button: it only asks
    return fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(sent), credentials: "same-origin" })
      .then(function (answer) { return answer.ok && !answer.redirected ? answer.text() : null; })
      .then(function (text) {
        if (text === null || mine !== asked) return;
        var page = new DOMParser().parseFromString(text, "text/html");
        ["bill", "coupon-field"].forEach(function (id) {
          var fresh = page.getElementById(id), old = document.getElementById(id);
          if (!fresh || !old || (id === "coupon-field" && old.contains(document.activeElement) && !pressed)) return;
          old.innerHTML = fresh.innerHTML;
        });
        // The button that was pressed is a new one now: whoever uses the keyboard goes on beside it.
        if (pressed) form.querySelector("#coupon").focus();
        pressed = false;
        var due = document.querySelector("#bill .bill-due tr:last-child"), said = document.querySelector("[data-said]");
        if (due && said) said.textContent = due.cells[0].textContent + ": " + due.cells[1].textContent;
      })
      .catch(function () { /* The buttons still ask the server. */ });
  }

  var pressed = false;
  form.addEventListener("change", function (event) {
    if (event.target === country) showIndia();
    if (event.target.hasAttribute("data-total")) follow();
  });
  form.addEventListener("click", function (event) {
    if (!event.target.hasAttribute || !event.target.hasAttribute("data-update")) return;
    event.preventDefault();
    pressed = true;
    follow();
  });
  showIndia();
})();
