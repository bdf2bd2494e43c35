// Breaches over the pipeline's time, drawn by uPlot on a canvas.

import { text, words } from "./text.js";
import { dayShort, number, settings, time } from "./format.js";

const HOUR = 3600;
const RANGES = {
  h1: { seconds: HOUR, bucket: 60, from: "breaches_by_minute" },
  h6: { seconds: 6 * HOUR, bucket: 300, from: "breaches_by_minute" },
  h24: { seconds: 24 * HOUR, bucket: 900, from: "breaches_by_minute" },
  d7: { seconds: 7 * 24 * HOUR, bucket: 7200, from: "breaches_by_hour" },
};
const KEY = "ticketpulse.range";
const element = (id) => document.getElementById(id);

// Canvas needs colours, not variables: the browser resolves them on a probe.
const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);
function ink(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

export class BreachChart {
  constructor() {
    this.range = null;
    this.plot = null;
    this.last = null;
    this.hovered = null;
    this.host = element("chart");
    this.buildRanges();
    new ResizeObserver(() => this.resize()).observe(this.host);
  }

  buildRanges() {
    for (const name of Object.keys(RANGES)) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "range";
      button.dataset.range = name;
      button.addEventListener("click", () => this.choose(name, true));
      element("ranges").append(button);
    }
  }

  choose(name, remember) {
    this.range = name;
    if (remember) {
      try {
        localStorage.setItem(KEY, name);
      } catch {
        // Then it holds for this visit only.
      }
    }
    this.relabel();
    if (this.last) this.show(this.last.content, this.last.nowMs, this.last.speed);
  }

  // A fast clock crosses an hour within seconds, so it is shown from further away.
  firstRange(speed) {
    try {
      const remembered = localStorage.getItem(KEY);
      if (remembered in RANGES) return remembered;
    } catch {
      // Storage may be forbidden.
    }
    if (speed < 30) return "h1";
    if (speed < 300) return "h6";
    return speed < 1200 ? "h24" : "d7";
  }

  relabel() {
    for (const button of element("ranges").children) {
      const name = button.dataset.range;
      button.textContent = words("ranges")[name];
      button.setAttribute("aria-pressed", String(name === this.range));
    }
    if (this.range) element("chart-title").textContent = words("perBucket")[RANGES[this.range].bucket];
  }

  // New colours or words: build anew.
  rebuild() {
    this.plot?.destroy();
    this.plot = null;
    this.relabel();
    if (this.last) this.show(this.last.content, this.last.nowMs, this.last.speed);
  }

  show(content, nowMs, speed) {
    this.last = { content, nowMs, speed };
    if (!this.range) this.choose(this.firstRange(speed), false);
    const { seconds, bucket, from } = RANGES[this.range];
    const end = (Math.floor(nowMs / 1000 / bucket) + 1) * bucket;
    const start = end - seconds;
    const counts = new Map();
    let total = 0;
    for (const [startMs, breaches] of content[from]) {
      const at = Math.floor(startMs / 1000 / bucket) * bucket;
      if (at < start || at >= end) continue;
      counts.set(at, (counts.get(at) ?? 0) + breaches);
      total += breaches;
    }
    const xs = [];
    const past = [];
    const current = [];
    for (let at = start; at < end; at += bucket) {
      xs.push(at);
      const last = at + bucket >= end;
      past.push(last ? null : (counts.get(at) ?? 0));
      current.push(last ? (counts.get(at) ?? 0) : null);
    }
    this.bounds = [start, end];
    this.total = total;
    this.max = Math.max(0, ...counts.values());
    this.draw([xs, past, current]);
    this.say();
  }

  draw(data) {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return;
    if (!this.plot) this.plot = new uPlot(this.options(width, height), data, this.host);
    else this.plot.setData(data);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (this.plot && width && height) this.plot.setSize({ width, height });
    else if (this.last) this.show(this.last.content, this.last.nowMs, this.last.speed);
  }

  say() {
    const range = words("rangesLong")[this.range];
    const title = element("chart-title").textContent;
    element("chart-empty").hidden = this.total > 0;
    this.host.setAttribute("aria-label", text("chartSummary", { title, range, n: number(this.total), max: number(this.max) }));
    const index = this.hovered;
    const readout = element("chart-readout");
    if (index === null || index === undefined || !this.plot) {
      readout.textContent = text("chartTotal", { n: number(this.total), range });
      return;
    }
    const [xs, past, current] = this.plot.data;
    if (xs[index] === undefined) return;
    const at = xs[index] * 1000;
    const until = at + RANGES[this.range].bucket * 1000;
    const label = `${dayShort(at)} ${time(at)}–${time(until)}`;
    readout.textContent = text("chartAt", { at: label, n: number(past[index] ?? current[index] ?? 0) });
  }

  options(width, height) {
    const family = getComputedStyle(document.body).fontFamily;
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const font = `${Math.round(0.78 * rem)}px ${family}`;
    const muted = ink("muted");
    const grid = { stroke: ink("grid"), width: 1 };
    const bars = uPlot.paths.bars({ size: [0.78, 60], align: 1, radius: 0.12 });
    return {
      width,
      height,
      padding: [0.6 * rem, 1.5 * rem, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), settings.zone),
      scales: {
        x: { time: true, range: () => this.bounds },
        y: { range: (_plot, _min, max) => [0, Math.max(4, Math.ceil((max ?? 0) * 1.12))] },
      },
      series: [
        {},
        { paths: bars, fill: ink("breach-fill"), width: 0, points: { show: false } },
        { paths: bars, fill: ink("breach-fill-now"), width: 0, points: { show: false } },
      ],
      axes: [
        { stroke: muted, font, size: 2 * rem, gap: 6, space: 5.2 * rem, grid: { show: false }, ticks: { ...grid, size: 5 }, border: { ...grid, show: true }, values: (_plot, splits) => splits.map((at, index) => this.tick(at, splits[index - 1])) },
        { stroke: muted, font, size: 2.8 * rem, gap: 6, space: 2.2 * rem, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000], grid, ticks: { show: false }, values: (_plot, splits) => splits.map(number) },
      ],
      hooks: {
        setCursor: [
          (plot) => {
            const { left } = plot.cursor;
            this.hovered = left === null || left < 0 ? null : Math.min(plot.data[0].length - 1, Math.floor(((left / plot.bbox.width) * devicePixelRatio) * plot.data[0].length));
            this.say();
          },
        ],
      },
    };
  }

  // The day stands where it begins or changes.
  tick(at, before) {
    const ms = at * 1000;
    if (before === undefined) return time(ms) === "00:00" ? dayShort(ms) : time(ms);
    if (dayShort(ms) !== dayShort(before * 1000)) return time(ms) === "00:00" ? dayShort(ms) : `${dayShort(ms)} ${time(ms)}`;
    return time(ms);
  }
}

