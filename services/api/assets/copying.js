// Copies what a button offers.

/** Copies the text of the button, and says so on it. */
export async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(button, "Copied");
  } catch {
    // Browsers allow it on encrypted pages and on this machine only.
    window.prompt("Copy this:", button.dataset.copy);
  }
}

function say(button, text) {
  const before = button.innerHTML;
  button.textContent = text;
  button.disabled = true;
  setTimeout(() => {
    button.innerHTML = before;
    button.disabled = false;
  }, 1500);
}
