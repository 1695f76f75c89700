// Walks through the dashboard as its owner does, in Chromium, and fails at the first thing that is not as it should be.
//
// In, on standard input: {"chromium": path, "dashboard": url, "site": url, "setUp": url, "pictures": folder or null}.
// Out: {"cookies": [..], "pages": [..]}: the log-in, and the addresses of every page, for further judges.

import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { chromium: executablePath, dashboard, site, setUp, pictures } = JSON.parse(readFileSync(0, "utf8"));
const NAME = "Olga";
const PASSWORD = "correct horse battery";
const PATIENCE = 30_000;
/** A picture of one dot. */
const DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
const page = await context.newPage();
page.setDefaultTimeout(PATIENCE);

// Errors that the walk provokes are expected; whatever a script or the policy complains about is not.
const complaints = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => {
  const isAnswer = message.text().startsWith("Failed to load resource");
  if (message.type() === "error" && !isAnswer) complaints.push(message.text());
});

async function must(what, condition) {
  if (!(await condition())) throw new Error(`${what}; at ${page.url()}\n${await page.locator("main").innerText()}`);
}

async function until(what, condition) {
  const end = Date.now() + PATIENCE;
  while (!(await condition())) {
    if (Date.now() > end) return must(what, condition);
    await page.waitForTimeout(50);
  }
}

let number = 0;
async function picture(name) {
  number += 1;
  if (pictures) await page.screenshot({ path: `${pictures}/${String(number).padStart(2, "0")}-${name}.png` });
}

const text = () => page.locator("#markdown");
const preview = () => page.frameLocator("#preview").locator("body");
const live = async () => (await (await fetch(`${site}${postPath}`)).text());
const isShown = (locator) => locator.waitFor().then(() => true);
let postPath;

async function step(name, act) {
  try {
    await act();
    await picture(name.replaceAll(" ", "-"));
  } catch (error) {
    throw new Error(`${name}: ${error.message}`);
  }
}

await step("set up", async () => {
  await page.goto(setUp);
  await page.fill("#name", NAME);
  await page.fill("#password", PASSWORD);
  await page.fill("#password_again", PASSWORD);
  await page.click("text=Begin");
  await must("the owner is not welcomed", () => isShown(page.locator(".notice", { hasText: "Welcome" })));
});

await step("log out and in again", async () => {
  await page.goto(`${dashboard}/dashboard/account`);
  await page.click("text=Log out");
  await page.goto(`${dashboard}/dashboard/posts/new`);
  await page.fill("#log-in-name", NAME);
  await page.fill("#log-in-password", "wrong");
  await page.click("button.primary");
  await must("a wrong password is not told", () => isShown(page.locator(".notice.bad")));
  await page.fill("#log-in-password", PASSWORD);
  await page.click("button.primary");
  await page.waitForURL("**/dashboard/posts/new");
});

await step("write and see the preview", async () => {
  await page.fill("#title", "A walk");
  await text().fill("Some *old* text.\n\n");
  await until("the preview shows no emphasis", async () => (await preview().innerHTML()).includes("<em>old</em>"));
  await must("the preview has no style", () => page.frameLocator("#preview").locator("html").evaluate((it) => getComputedStyle(it).backgroundColor !== "rgba(0, 0, 0, 0)"));
});

await step("drop a picture", async () => {
  const transfer = await page.evaluateHandle((dot) => {
    const bytes = Uint8Array.from(atob(dot), (letter) => letter.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "A dot.png", { type: "image/png" }));
    return transfer;
  }, DOT);
  await text().evaluate((it) => it.setSelectionRange(it.value.length, it.value.length));
  await text().dispatchEvent("drop", { dataTransfer: transfer });
  await until("the picture is not in the text", async () => /!\[A dot\]\(\/media\/[^)]+\)/.test(await text().inputValue()));
  await until("the picture is not in the preview", () => preview().locator("img").evaluate((it) => it.naturalWidth === 1).catch(() => false));
});

await step("reload with unsaved text", async () => {
  const before = await text().inputValue();
  await page.reload();
  await must("what was typed is not offered", () => isShown(page.locator(".notice.offer")));
  await must("what was typed is lost", async () => (await text().inputValue()) === before);
});

await step("publish and watch", async () => {
  await text().press("Control+Enter");
  await must("it is not published", () => isShown(page.locator(".bar .status", { hasText: "Published" })));
  await must("the build does not end", () => isShown(page.locator(".build[data-state=succeeded]")));
  postPath = new URL(await page.locator(".bar a", { hasText: "View" }).getAttribute("href")).pathname;
  await must("readers do not see it", async () => (await live()).includes("Some <em>old</em> text."));
  await must("the draft is not forgotten", () => page.evaluate(() => !Object.keys(localStorage).some((it) => it.startsWith("microblog:draft"))));
});

const editor = page.url();

await step("save again after the log-in has ended", async () => {
  await page.click("text=Update");
  await until("the focus is lost", () => page.evaluate(() => document.activeElement.id === "first-choice"));
  await text().fill("Some *new* text.");
  await context.clearCookies();
  await text().press("Control+s");
  await page.locator("#sign-in[open] #log-in-name").fill(NAME);
  await page.fill("#log-in-password", PASSWORD);
  await picture("log-in-in-place");
  await page.click("#sign-in button.primary");
  await until("it is not saved", async () => (await live()).includes("Some <em>new</em> text."));
  await must("the text is lost", async () => (await text().inputValue()) === "Some *new* text.");
});

await step("reload after the log-in has ended", async () => {
  await text().fill("Some *newest* text.");
  await until("the draft is not kept", () => page.evaluate(() => Object.keys(localStorage).some((it) => it.startsWith("microblog:draft"))));
  await context.clearCookies();
  await page.reload();
  await page.fill("#log-in-name", NAME);
  await page.fill("#log-in-password", PASSWORD);
  await page.click("button.primary");
  await page.waitForURL(editor);
  await must("the text is lost", async () => (await text().inputValue()) === "Some *newest* text.");
});

await step("meet an edit of somebody else", async () => {
  const other = await context.newPage();
  await other.goto(editor);
  await other.locator(".notice.offer button").click();
  await other.fill("#markdown", "Text of *somebody else*.");
  await other.press("#markdown", "Control+s");
  await other.locator(".build[data-state=succeeded]").waitFor();
  await other.close();
  await text().fill("Some *newest* text.");
  await text().press("Control+s");
  await must("both texts are not shown", () => isShown(page.locator(".conflict pre", { hasText: "somebody else" })));
  await must("the own text is lost", async () => (await text().inputValue()) === "Some *newest* text.");
  await picture("conflict");
  await page.click("text=Save mine in its place");
  await page.locator(".conflict").waitFor({ state: "detached" });
  await until("it is not saved", async () => (await live()).includes("Some <em>newest</em> text."));
});

await step("be told what is wrong", async () => {
  await page.locator(".details summary").click();
  await page.fill("#slug", "../x");
  await text().press("Control+s");
  await must("the wrong field is not marked", () => isShown(page.locator("#slug[aria-invalid=true]")));
  await page.fill("#slug", "a-walk");
  await text().press("Control+s");
  await page.locator("#slug[aria-invalid=true]").waitFor({ state: "detached" });
});

await step("go back to an earlier release", async () => {
  await page.goto(`${dashboard}/dashboard/releases`);
  const earlier = page.locator("li", { hasText: /^\s*Release 2\b/ });
  await earlier.locator("button").click();
  await must("going back does not end", () => isShown(page.locator(".build[data-state=succeeded]")));
  await must("readers do not see the old text", async () => (await live()).includes("Some <em>old</em> text."));
  await page.reload();
  await must("nobody is told that the site is held", () => isShown(page.locator(".pinned")));
});

await step("go on", async () => {
  await page.goto(`${dashboard}/dashboard/releases`);
  await page.click("text=Unpin");
  await until("readers do not see the newest text", async () => (await live()).includes("Some <em>newest</em> text."));
});

await step("search", async () => {
  await page.goto(`${dashboard}/dashboard/posts`);
  await page.fill("#q", "nothing like it");
  await must("nothing is found, and nobody is told", () => isShown(page.locator(".empty")));
  await page.fill("#q", "walk");
  await must("the post is not found", () => isShown(page.locator("a.row-name", { hasText: "A walk" })));
});

await step("do without scripts", async () => {
  const plain = await browser.newContext({ javaScriptEnabled: false });
  await plain.addCookies(await context.cookies());
  const old = await plain.newPage();
  await old.goto(`${dashboard}/dashboard/posts/new`);
  await old.fill("#title", "By hand");
  await old.fill("#markdown", "Some *plain* text.");
  await old.click("text=Preview");
  await old.frameLocator("#preview").locator("em", { hasText: "plain" }).waitFor();
  await old.press("#title", "Enter");
  await old.locator(".bar .status", { hasText: "Draft" }).waitFor();
  await old.click("text=Publish");
  const address = await old.locator(".bar a", { hasText: "View" }).getAttribute("href");
  postPath = new URL(address).pathname;
  await until("readers do not see it", async () => (await live()).includes("Some <em>plain</em> text."));
  await plain.close();
});

if (complaints.length) throw new Error(`the browser complains: ${complaints.join("\n")}`);
const first = async (path) => {
  await page.goto(`${dashboard}${path}`);
  return page.locator("a.row-name").first().getAttribute("href");
};
const post = new URL(editor).pathname;
const names = ["posts", "posts/new", "media", "builds", "releases", "alerts", "errors", "settings", "users", "account", "login", "setup"];
const pages = [...names.map((name) => `/dashboard/${name}`), post, `${post}/revisions`, await first("/dashboard/builds")];
const session = (await context.cookies()).find(({ name }) => name === "microblog_session");
const cookies = [{ name: session.name, value: session.value, url: dashboard }];
process.stdout.write(JSON.stringify({ cookies, pages: pages.map((path) => dashboard + path) }));
await browser.close();
