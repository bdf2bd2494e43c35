// Numbers, instants and durations as people write them.

import { currentLanguage, fill, words } from "./text.js";

export const settings = JSON.parse(document.documentElement.dataset.settings);

const formats = new Map();

function instantFormat(name, options, zone) {
  const key = `${currentLanguage()} ${name} ${zone ?? ""}`;
  if (!formats.has(key)) {
    const locale = currentLanguage() === "en" ? "en-GB" : "zh-CN";
    formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: zone }));
  }
  return formats.get(key);
}

const TIME = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const SECONDS = { ...TIME, second: "2-digit" };
const DAY = { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZoneName: "short" };
const DAY_SHORT = { day: "numeric", month: "short" };
const DAY_KEY = { day: "numeric", month: "numeric", year: "numeric" };

export const time = (ms) => instantFormat("time", TIME, settings.zone).format(ms);
export const timeWithSeconds = (ms) => instantFormat("seconds", SECONDS, settings.zone).format(ms);
export const day = (ms) => instantFormat("day", DAY, settings.zone).format(ms);
export const dayShort = (ms) => instantFormat("dayShort", DAY_SHORT, settings.zone).format(ms);
// Freshness is about the reader's own clock, so it is shown in the reader's own zone.
export const wallTime = (ms) => instantFormat("wall", SECONDS, undefined).format(ms);

const dayKey = (ms) => instantFormat("dayKey", DAY_KEY, settings.zone).format(ms);

// The time alone when it is today, else with its day.
export function instant(ms, nowMs) {
  if (ms === null || ms === undefined) return "–";
  return dayKey(ms) === dayKey(nowMs) ? time(ms) : `${dayShort(ms)} ${time(ms)}`;
}

const numbers = { en: new Intl.NumberFormat("en"), "zh-CN": new Intl.NumberFormat("zh-CN") };

export const number = (value) => numbers[currentLanguage()].format(value);

export function percent(part, whole) {
  if (!whole) return "0 %";
  const value = (100 * part) / whole;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}

// The two largest units; no seconds on a fast clock, they would only flicker.
export function duration(ms, withSeconds = true) {
  const units = words("units");
  const total = Math.floor(Math.max(0, ms) / 1000);
  const parts = { d: Math.floor(total / 86400), h: Math.floor(total / 3600) % 24, min: Math.floor(total / 60) % 60, s: total % 60 };
  const say = (name) => fill(units[name], { n: parts[name] });
  if (parts.d) return parts.d >= 10 || !parts.h ? say("d") : `${say("d")} ${say("h")}`;
  if (parts.h) return parts.min ? `${say("h")} ${say("min")}` : say("h");
  if (!withSeconds) return parts.min ? say("min") : units.less;
  if (parts.min) return parts.min >= 10 ? say("min") : `${say("min")} ${fill(units.s, { n: String(parts.s).padStart(2, "0") })}`;
  return say("s");
}

export function clockName(code) {
  const labels = settings.clockLabels[code];
  const label = labels && (labels[currentLanguage()] ?? labels.en);
  return label ?? code.charAt(0).toUpperCase() + code.slice(1).replaceAll("_", " ");
}
