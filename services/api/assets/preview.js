// The preview beside the text: the site's own page, brought up to date while one types.

const PAUSE = 350;
/** The server takes a limited number of requests a minute from authors. */
const LEAST_INTERVAL = 900;

/** Keeps the preview of a form up to date. */
export class Preview {
  #form;
  #frame = document.querySelector("#preview");
  #state = document.querySelector("#preview-state");
  #timer;
  #last = 0;
  #isRunning = false;
  #isStale = false;
  #head;

  constructor(form) {
    this.#form = form;
    this.#frame.addEventListener("load", () => this.#holdLinks());
    form.addEventListener("input", () => this.later());
    this.#refresh();
  }

  /** Brings it up to date as soon as the typing pauses. */
  later() {
    clearTimeout(this.#timer);
    const pause = Math.max(PAUSE, this.#last + LEAST_INTERVAL - Date.now());
    this.#timer = setTimeout(() => this.#refresh(), pause);
  }

  async #refresh() {
    if (this.#isRunning) {
      this.#isStale = true;
      return;
    }
    this.#isRunning = true;
    this.#last = Date.now();
    try {
      await this.#load();
    } catch {
      this.#state.textContent = "The preview waits: the server can not be reached.";
    }
    this.#isRunning = false;
    if (this.#isStale) this.later();
    this.#isStale = false;
  }

  async #load() {
    const body = new URLSearchParams(new FormData(this.#form));
    if (!body.get("title").trim() && !body.get("markdown").trim()) {
      this.#state.textContent = "The page appears here as you write.";
      this.#show("");
      return;
    }
    const headers = { "HX-Request": "true" };
    const response = await fetch(this.#form.dataset.preview, { method: "POST", body, headers });
    const html = await response.text();
    if (response.ok) {
      this.#state.textContent = "";
      this.#show(html);
    } else if (response.status === 401) {
      this.#state.textContent = "The preview waits: your log-in has ended. Save, and you are asked for it.";
    } else {
      this.#state.textContent = `The preview waits. ${parsed(html).body.querySelector("p")?.textContent ?? ""}`;
    }
    if (response.status === 429) this.later();
  }

  /** Puts a page into the frame. With the same head only the body is exchanged, so that nothing flickers or scrolls. */
  #show(html) {
    const page = parsed(html);
    const shown = this.#frame.contentDocument;
    const head = page.head.querySelector("link[rel=stylesheet]")?.href;
    if (this.#head && head === this.#head) {
      shown.documentElement.lang = page.documentElement.lang;
      shown.body.replaceWith(shown.adoptNode(page.body));
    } else {
      this.#frame.srcdoc = html;
    }
    this.#head = head;
  }

  /** A link would lead the preview away from what one writes. */
  #holdLinks() {
    this.#frame.contentDocument?.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[href]");
      if (!link) return;
      event.preventDefault();
      const target = link.getAttribute("href");
      if (target.startsWith("#")) {
        this.#frame.contentDocument.getElementById(decodeURIComponent(target.slice(1)))?.scrollIntoView();
      }
    });
  }
}

const parsed = (html) => new DOMParser().parseFromString(html, "text/html");
