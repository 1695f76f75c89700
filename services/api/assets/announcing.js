// Tells those who do not see the page what has changed on it.

/** Tells it, once. */
export function announce(text) {
  const announcer = document.querySelector("#announcer");
  if (announcer.textContent !== text) announcer.textContent = text;
}

/** Tells what a part of the page has to say about itself. */
export function announcePart(part) {
  const words = part?.querySelector?.("[data-announce]");
  if (words) announce(words.textContent);
}
