// Opens pages in Chromium, lets axe-core look for barriers, and writes what it finds as JSON.
//
// In, on standard input: {"chromium": path, "urls": [..], "cookies": [..]}; cookies as Playwright takes them.
// Out: [{"url", "setting", "rule", "impact", "help", "elements": [..]}]; empty when nothing was found. A page that does
// not load is a finding, too.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const SCREENS = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 900 } };
const SCHEMES = ["light", "dark"];

const finding = (url, setting, rule, impact, help, elements) => ({ url, setting, rule, impact, help, elements });

async function checkPage(context, url, setting) {
  const page = await context.newPage();
  try {
    const response = await page.goto(url, { waitUntil: "load" });
    if (!response.ok()) return [finding(url, setting, "status", "critical", `answered ${response.status()}`, [])];
    await page.evaluate(readFileSync(AXE, "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
    const found = violations.map(({ id, impact, help, nodes }) =>
      finding(url, setting, id, impact, help, nodes.map((node) => node.html.slice(0, 200))));
    return found.concat(await wideElements(page, url, setting));
  } catch (error) {
    return [finding(url, setting, "load", "critical", String(error), [])];
  } finally {
    await page.close();
  }
}

// A page that scrolls sideways is a barrier that axe-core does not know.
async function wideElements(page, url, setting) {
  const elements = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const isWide = (element) => element.getBoundingClientRect().right > clientWidth + 1;
    return [...document.body.querySelectorAll("*")].filter(isWide).slice(0, 5).map((element) => element.outerHTML.slice(0, 200));
  });
  return elements.length ? [finding(url, setting, "sideways", "serious", "the page scrolls sideways", elements)] : [];
}

const { chromium: executablePath, urls, cookies = [] } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
});
const findings = [];
for (const [screen, viewport] of Object.entries(SCREENS)) {
  for (const colorScheme of SCHEMES) {
    const context = await browser.newContext({ viewport, colorScheme });
    await context.addCookies(cookies);
    for (const url of urls) findings.push(...(await checkPage(context, url, `${screen}, ${colorScheme}`)));
    await context.close();
  }
}
await browser.close();
process.stdout.write(JSON.stringify(findings));
