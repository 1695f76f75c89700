// The editor: what was not saved, the preview, pictures, and what is told after a save.

import { Draft } from "./drafts.js";
import { Preview } from "./preview.js";
import { takeFilesInto } from "./uploads.js";

/** Makes the form of a post an editor. */
export function begin(form) {
  const draft = new Draft(form);
  const preview = new Preview(form);
  takeFilesInto(form.elements.markdown, document.querySelector("#pictures"));
  form.addEventListener("draft:written", () => preview.later());
  form.elements.title.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    event.preventDefault();
    form.elements.markdown.focus();
  });
  followSaves(form, draft);
  switchPanes(form);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-drop-draft]")) draft.drop();
  });
}

/** What was on its way when it was saved is saved; what was typed meanwhile is not. */
function followSaves(form, draft) {
  let sent;
  form.addEventListener("htmx:config:request", () => {
    sent = draft.snapshot();
  });
  form.addEventListener("editor:saved", ({ detail }) => {
    draft.saved({ ...sent, ...fillIn(form, detail.filledIn) });
    if (form.dataset.draft === "new") settle(form, detail);
    draft.update();
  });
  document.addEventListener("htmx:after:swap", () => markWrongFields(form));
}

/** What was left empty, the server has chosen. */
function fillIn(form, texts) {
  const filled = Object.entries(texts).filter(([name]) => !form.elements[name].value);
  for (const [name, text] of filled) form.elements[name].value = text;
  return Object.fromEntries(filled);
}

/** The first save of a new post gives it its address. */
function settle(form, { id, action }) {
  form.dataset.draft = id;
  form.action = action;
  form.setAttribute("data-hx-post", action);
  document.title = document.title.replace(/^Untitled/, form.elements.title.value || "Untitled");
  htmx.process(form);
}

function markWrongFields(form) {
  const wrong = [...document.querySelectorAll("#notices [data-field]")].map((it) => it.dataset.field);
  for (const field of form.elements) {
    if (wrong.includes(field.name)) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
  const isHidden = wrong.some((name) => form.elements[name]?.closest("details:not([open])"));
  if (isHidden) form.querySelector(".details").open = true;
}

/** Where there is no room for both, the button shows the text or the preview. */
function switchPanes(form) {
  form.addEventListener("click", (event) => {
    const button = event.target.closest(".preview-button");
    if (!button) return;
    event.preventDefault();
    const shows = form.classList.toggle("shows-preview");
    button.setAttribute("aria-pressed", shows);
    button.textContent = shows ? "Write" : "Preview";
  });
}
