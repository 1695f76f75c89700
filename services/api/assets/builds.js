// Builds as they go on. The server sends the panel anew with everything that happens; after a lost connection the browser
// asks for what came after the last event that it has seen.

import { announce, announcePart } from "./announcing.js";

/** Watches every build on the page that goes on and is not watched yet. */
export function watchBuilds() {
  for (const panel of document.querySelectorAll("[data-watch]")) {
    const place = panel.parentElement;
    if (place.dataset.watched === panel.dataset.watch) continue;
    place.dataset.watched = panel.dataset.watch;
    watch(place, panel.dataset.watch);
  }
}

function watch(place, address) {
  const source = new EventSource(address);
  const show = ({ data }) => {
    if (!place.isConnected || place.dataset.watched !== address) return source.close();
    const isOpen = place.querySelector(".log")?.open;
    place.innerHTML = data;
    place.querySelector(".log").open = isOpen;
    return announcePart(place);
  };
  source.addEventListener("panel", show);
  source.addEventListener("last", (event) => {
    show(event);
    source.close();
  });
  source.addEventListener("error", () => {
    if (source.readyState !== EventSource.CLOSED || !place.isConnected) return;
    announce("The progress can not be followed any more. Load the page again.");
  });
}
