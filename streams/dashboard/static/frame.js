// What every page has: clock, freshness, language, colours, the way to the other pages.

import { day, duration, number, time, timeWithSeconds, wallTime } from "./format.js";
import { Live } from "./live.js";
import { node, put } from "./rows.js";
import { currentLanguage, switchLanguage, text, words } from "./text.js";

export const element = (id) => document.getElementById(id);
const FAST = 30; // from this speed on, seconds are a flicker
export const PAGES = ["", "wall", "board", "alerts", "service", "calls", "satisfaction", "people", "complaints", "customers", "quality", "whatif"];
const MARKS = { live: "●", stale: "▲", waiting: "○" };

export class Frame {
  // onNews: new content; onTick: four times a second; onColours: light or dark; onLanguage: other words.
  constructor({ onNews, onTick, onColours, onLanguage }) {
    this.handlers = { onNews, onTick, onColours, onLanguage };
    this.now = Date.now();
    this.announced = "";
    this.live = new Live(() => this.hear());
    this.systemDark = matchMedia("(prefers-color-scheme: dark)");
    element("theme").addEventListener("click", () => this.switchTheme());
    this.systemDark.addEventListener("change", () => this.colours());
    element("language").addEventListener("click", () => {
      switchLanguage();
      this.relabel();
    });
    addEventListener("keydown", (event) => this.key(event));
    setInterval(() => this.tick(), 250);
  }

  get slow() {
    return (this.live.clock?.speed ?? 1) < FAST;
  }

  hear() {
    this.clock();
    this.freshness();
    if (this.live.content) this.handlers.onNews(this.live.content);
  }

  tick() {
    this.clock();
    this.freshness();
    if (this.live.content) this.handlers.onTick?.(this.live.content);
  }

  clock() {
    const reading = this.live.nowMs();
    if (reading === null) return;
    this.now = reading;
    put(element("clock-time"), this.slow ? timeWithSeconds(this.now) : time(this.now));
    put(element("clock-date"), day(this.now));
    const badge = element("clock-virtual");
    badge.hidden = !this.live.clock.virtual;
    put(badge, text("virtual", { speed: number(this.live.clock.speed) }));
  }

  freshness() {
    const { live } = this;
    const { name, why } = live.state();
    document.body.dataset.state = name;
    put(element("fresh-mark"), MARKS[name]);
    put(element("fresh-state"), words(name));
    const asOf = live.fresh?.as_of_ms;
    const known = asOf !== null && asOf !== undefined;
    const at = known ? wallTime(asOf) : "";
    put(element("fresh-detail"), known ? this.freshDetail(at, name) : words("waitingDetail"));
    const banner = this.bannerText(name, why, known, at);
    put(element("banner"), banner);
    element("banner").hidden = banner === "";
    const saying = banner || words(name);
    if (`${name} ${why}` !== this.announced) {
      this.announced = `${name} ${why}`;
      element("announce").textContent = saying;
    }
  }

  freshDetail(at, name) {
    const parts = [text("asOf", { at })];
    if (this.live.clock?.virtual) parts.push(words("realTime"));
    if (name === "stale") parts.push(text("ago", { d: duration(this.live.ageMs()) }));
    return parts.join(" · ");
  }

  bannerText(name, why, known, at) {
    const { live } = this;
    if (why === "connection") return known ? text("bannerConnection", { at }) : words("bannerConnectionNone");
    if (name !== "stale") return "";
    if (why === "database") return known ? text("bannerDatabase", { at }) : words("bannerDatabaseNone");
    const d = duration(live.ageMs());
    if (why === "partitions") return text("bannerPartitions", { n: live.fresh.partitions_behind, all: live.fresh.partitions, d, at });
    return text("bannerPipeline", { d, at });
  }

  // --- language, colours, pages ---

  relabel() {
    document.documentElement.lang = currentLanguage();
    for (const item of document.querySelectorAll("[data-text]")) item.textContent = words(item.dataset.text);
    for (const item of document.querySelectorAll("[data-title]")) item.title = words(item.dataset.title);
    for (const item of document.querySelectorAll("[data-label]")) item.setAttribute("aria-label", words(item.dataset.label));
    const language = element("language");
    language.textContent = words("otherLanguage");
    language.lang = currentLanguage() === "en" ? "zh-CN" : "en";
    language.setAttribute("aria-label", words("toOtherLanguage"));
    this.pages();
    this.colours();
    this.handlers.onLanguage?.();
    this.hear();
  }

  pages() {
    const here = location.pathname.split("/")[1];
    element("nav").replaceChildren(
      ...PAGES.map((page, at) => {
        const link = node("a", "nav-link", words("pageNames")[page || "overview"]);
        link.href = `/${page}`;
        if (page === here) link.setAttribute("aria-current", "page");
        if (at < 9) link.title = text("pageKey", { key: String(at + 1) });
        return link;
      }),
    );
  }

  // 1 to 9: the pages; /: the search. Not while somebody writes, or with a key held for something else.
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key >= "1" && event.key <= "9" && PAGES[event.key - 1] !== undefined) location.assign(`/${PAGES[event.key - 1]}`);
    else if (event.key === "/" && document.querySelector("input[type=search]")) {
      event.preventDefault();
      document.querySelector("input[type=search]").focus();
    }
  }

  isDark() {
    return (document.documentElement.dataset.theme ?? (this.systemDark.matches ? "dark" : "light")) === "dark";
  }

  colours() {
    const button = element("theme");
    button.textContent = this.isDark() ? words("light") : words("dark");
    button.setAttribute("aria-label", this.isDark() ? words("toLight") : words("toDark"));
    this.handlers.onColours?.();
  }

  switchTheme() {
    const theme = this.isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("ticketpulse.theme", theme);
    } catch {
      // Then it holds for this visit only.
    }
    this.colours();
  }
}
