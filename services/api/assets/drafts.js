// What was typed and not saved: kept in this browser, for each post and each person, until it is saved or dropped.

const NOT_TYPED = ["csrf_token", "version", "do", "overwrite"];
const DELAY = 300;

const typed = (form) => [...form.elements].filter((it) => it.name && it.type !== "file" && !NOT_TYPED.includes(it.name));
const read = (form) => Object.fromEntries(typed(form).map((it) => [it.name, it.value]));
const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The unsaved text of an editor. */
export class Draft {
  #form;
  #state;
  #saved;
  #timer;

  constructor(form) {
    this.#form = form;
    this.#saved = "isUnsaved" in form.dataset ? null : read(form);
    this.#offer();
    form.addEventListener("input", () => this.#later());
    window.addEventListener("pagehide", () => this.#keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.#keep());
    if (!this.#saved) this.#keep();
  }

  get #key() {
    return `microblog:draft:${document.body.dataset.user}:${this.#form.dataset.draft}`;
  }

  get #version() {
    return this.#form.elements.version.value;
  }

  /** What is in the form now; to be given back to `saved` once that is saved. */
  snapshot() {
    return read(this.#form);
  }

  /** These texts are on the server now. What was typed since is not. */
  saved(texts) {
    localStorage.removeItem(this.#key);
    this.#saved = texts;
  }

  /** Looks anew whether there is anything that is not saved, and keeps it. */
  update() {
    this.#keep();
  }

  /** Forgets what was not saved. */
  drop() {
    this.#saved = read(this.#form);
    localStorage.removeItem(this.#key);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), DELAY);
  }

  #keep() {
    clearTimeout(this.#timer);
    const texts = read(this.#form);
    const isSaved = same(texts, this.#saved);
    this.#tell(isSaved ? "" : "Not saved yet");
    try {
      if (isSaved) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify({ texts, version: this.#version, at: Date.now() }));
    } catch {
      this.#tell("Not saved yet, and this browser keeps no copy");
    }
  }

  #tell(text) {
    const state = document.querySelector("#draft-state");
    if (state && state.textContent !== text) state.textContent = text;
  }

  /** Text that was left unsaved comes back by itself where the post is as it was then; otherwise it is offered. */
  #offer() {
    const kept = this.#kept();
    if (!kept || !this.#saved || same(kept.texts, this.#saved)) return;
    const at = new Date(kept.at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    if (kept.version === this.#version) {
      this.#write(kept.texts);
      this.#tell("Not saved yet");
      this.#ask(`What you typed until ${at} was not saved. It is back in the editor.`, "Drop it", () => {
        this.#write(this.#saved);
        this.drop();
        this.#tell("");
      });
    } else {
      const text = `You have text from ${at} that was not saved. The post was changed since then.`;
      this.#ask(text, "Put my text into the editor", () => this.#write(kept.texts));
    }
  }

  #kept() {
    try {
      return JSON.parse(localStorage.getItem(this.#key));
    } catch {
      return null;
    }
  }

  #write(texts) {
    for (const field of typed(this.#form)) field.value = texts[field.name] ?? field.value;
    this.#form.dispatchEvent(new Event("draft:written", { bubbles: true }));
  }

  #ask(question, answer, act) {
    const notice = document.createElement("p");
    notice.className = "notice offer";
    notice.append(question, " ");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = answer;
    button.addEventListener("click", () => {
      act();
      notice.remove();
    });
    notice.append(button);
    document.querySelector("#notices").append(notice);
    // The question stands above the text; the browser would scroll back to where one was.
    history.scrollRestoration = "manual";
  }
}
