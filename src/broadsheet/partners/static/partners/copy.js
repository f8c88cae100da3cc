// Puts the code on the clipboard. Without a script the code is there to be marked by hand.
"use strict";
{
  const button = document.querySelector("[data-copy]");
  const code = document.querySelector("[data-code]");
  const said = document.querySelector("[data-copied]");
  if (button && code && navigator.clipboard) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent.trim());
        said.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(code);
        said.textContent = "Marked: copy it by hand";
      }
    });
  }
}
