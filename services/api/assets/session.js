// The log-in. When it has ended, whoever types is asked for it where they are, and what they wanted is done then.

const LOG_IN = "/dashboard/login";

let renewing = null;

/** Sends a request of a script, with the token that changes need; once more, if the log-in had ended and was renewed. */
export async function send(url, options = {}) {
  const response = await sendOnce(url, options);
  if (!(await hasEnded(response))) return response;
  await renew();
  return sendOnce(url, options);
}

function sendOnce(url, options) {
  const headers = { ...options.headers, "X-CSRF-Token": document.body.dataset.csrfToken };
  return fetch(url, { ...options, headers });
}

async function hasEnded(response) {
  return response.status === 401 || (response.status === 403 && isForged(await response.clone().text()));
}

/** Another log-in in another tab makes the token of this page worthless. */
const isForged = (text) => text.includes("csrf_rejected");

/** Brings the page's log-in back; fails if the person closes the question. */
export function renew() {
  renewing ??= begin().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function begin() {
  const session = await fetch("/api/v1/session");
  if (!session.ok) return ask();
  const { csrf_token: token, user } = await session.json();
  return adopt({ token, user });
}

function adopt({ token, user }) {
  if (user !== document.body.dataset.user) {
    // Somebody else: this page shows what is not theirs. What was typed stays with who typed it.
    location.reload();
    return new Promise(() => {});
  }
  document.body.dataset.csrfToken = token;
  for (const field of document.querySelectorAll("input[name=csrf_token]")) field.value = token;
  return Promise.resolve();
}

async function ask() {
  const dialog = document.querySelector("#sign-in");
  await htmx.ajax("GET", LOG_IN, "#sign-in-form");
  dialog.showModal();
  return new Promise((resolve, reject) => {
    const finish = ({ detail }) => {
      dialog.removeEventListener("close", giveUp);
      dialog.close();
      adopt(detail).then(resolve);
    };
    const giveUp = () => {
      document.removeEventListener("session:renewed", finish);
      reject(new Error("You are not logged in. Your text is kept in this browser."));
    };
    document.addEventListener("session:renewed", finish, { once: true });
    dialog.addEventListener("close", giveUp, { once: true });
  });
}

function sendAgain({ sourceElement, request }) {
  if (sourceElement !== request.form) return location.reload();
  // The button may have been replaced meanwhile by one of the same name.
  const { name, value } = request.submitter ?? {};
  const button = [...request.form.elements].find((it) => it.type === "submit" && it.name === name && it.value === value);
  return request.form.requestSubmit(button);
}

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail;
  const { status } = ctx.response;
  if (ctx.request.action.startsWith(LOG_IN)) return;
  if (status !== 401 && !(status === 403 && isForged(ctx.text))) return;
  event.preventDefault();
  renew().then(() => sendAgain(ctx), tell);
});

document.addEventListener("htmx:error", ({ detail }) => {
  if (detail.ctx) tell(new Error("The server can not be reached. What you typed is kept in this browser; try again."));
});

/** Says what went wrong, where errors of forms stand, too. */
export function tell(error) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.setAttribute("role", "alert");
  notice.textContent = error.message;
  document.querySelector("#notices").replaceChildren(notice);
}
