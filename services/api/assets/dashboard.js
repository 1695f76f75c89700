// Where the scripts of the dashboard begin. Every page works without them; they make it quicker, and keep what was typed.

import "./session.js";
import { announcePart } from "./announcing.js";
import { watchBuilds } from "./builds.js";
import { copy } from "./copying.js";
import { begin } from "./editor.js";
import { takeFilesOnPage } from "./uploads.js";

document.documentElement.classList.add("scripts");

const editor = document.querySelector("#editor");
if (editor) begin(editor);

const chooser = document.querySelector("[data-upload]");
if (chooser) takeFilesOnPage(chooser);

watchBuilds();
document.addEventListener("htmx:after:swap", ({ detail }) => {
  watchBuilds();
  announcePart(detail.ctx.target);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) event.preventDefault();
  else if (form.method === "post" && !form.hasAttribute("data-hx-post")) sendOnce(form, event);
});

/** A second press of the button must not do it twice. */
function sendOnce(form, event) {
  if ("isSent" in form.dataset) event.preventDefault();
  form.dataset.isSent = "";
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.isSent;
});

/** Ctrl+S and Ctrl+Enter, and the same with the command key. */
document.addEventListener("keydown", (event) => {
  const wish = { s: "save", Enter: "publish" }[event.key];
  if (!wish || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  const button = document.querySelector(`[data-key~="${wish}"]`);
  if (!button) return;
  event.preventDefault();
  button.form.requestSubmit(button);
});
