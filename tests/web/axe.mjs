// Opens pages in Chromium, lets axe-core look for barriers and looks itself whether they fit screens of many widths.
//
// In, on standard input: {"chromium": path, "urls": [..], "cookies": [..]}; cookies as Playwright takes them.
// Out: [{"url", "setting", "rule", "help", "elements": [..]}]; empty when nothing was found. A page that does not load
// is a finding, too.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENS = { phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 900 } };
const SCHEMES = ["light", "dark"];
// From the smallest phone, over the places where layouts change, to a large screen.
const WIDTHS = [320, 480, 600, 768, 1000, 1130, 1440, 1920];

// Opens the page and gives what the judge finds.
async function judged(context, url, setting, judge) {
  const page = await context.newPage();
  const found = ({ rule, help, elements }) => ({ url, setting, rule, help, elements });
  try {
    const response = await page.goto(url, { waitUntil: "load" });
    if (!response.ok()) return [found({ rule: "status", help: `answered ${response.status()}`, elements: [] })];
    return (await judge(page)).map(found);
  } catch (error) {
    return [found({ rule: "load", help: String(error), elements: [] })];
  } finally {
    await page.close();
  }
}

async function barriers(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  const excerpts = (nodes) => nodes.map((node) => node.html.slice(0, 200));
  return violations.map(({ id, help, nodes }) => ({ rule: id, help, elements: excerpts(nodes) }));
}

// Axe-core does not know whether a page fits its screen: that it need not be scrolled sideways, and nothing is cut off.
async function misfits(page) {
  const found = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 800 });
    const elements = await page.evaluate(outsideElements);
    if (elements.length) found.push({ rule: "misfit", help: `does not fit ${width} pixels`, elements });
  }
  return found;
}

// Runs in the page. What scrolls by itself may hold more than it shows.
function outsideElements() {
  const width = document.documentElement.clientWidth;
  const scrolls = (element) => element && (getComputedStyle(element).overflowX !== "visible" || scrolls(element.parentElement));
  const isOutside = (element) => {
    const { left, right } = element.getBoundingClientRect();
    return (left < -1 || right > width + 1) && !scrolls(element.parentElement);
  };
  return [...document.body.querySelectorAll("*")].filter(isOutside).slice(0, 5).map((it) => it.outerHTML.slice(0, 200));
}

const { chromium: executablePath, urls, cookies = [] } = JSON.parse(readFileSync(0, "utf8"));
const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"],
});

async function judgeAll(setting, options, judge) {
  const context = await browser.newContext(options);
  await context.addCookies(cookies);
  const found = [];
  for (const url of urls) found.push(...(await judged(context, url, setting, judge)));
  await context.close();
  return found;
}

const findings = await judgeAll("any width", {}, misfits);
for (const [screen, viewport] of Object.entries(SCREENS)) {
  for (const colorScheme of SCHEMES) {
    findings.push(...(await judgeAll(`${screen}, ${colorScheme}`, { viewport, colorScheme }, barriers)));
  }
}
await browser.close();
process.stdout.write(JSON.stringify(findings));
