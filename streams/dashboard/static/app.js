// The live operations view.

import { BreachChart } from "./chart.js";
import { clockName, day, duration, instant, number, percent, time, timeWithSeconds, wallTime } from "./format.js";
import { Live } from "./live.js";
import { Rows, node, put } from "./rows.js";
import { showLetters, showTicket } from "./sheet.js";
import { currentLanguage, switchLanguage, text, words } from "./text.js";

const element = (id) => document.getElementById(id);
const HOUR_MS = 3_600_000;
const FAST = 30; // from this speed on, seconds are a flicker

const live = new Live(() => render());
const chart = new BreachChart();
let now = Date.now();
const slow = () => (live.clock?.speed ?? 1) < FAST;

// --- tables ---

function ticketCell(item) {
  const cell = node("td", "ticket");
  const button = node("button", "link", item.ticket_id);
  button.type = "button";
  button.title = `${item.tenant}/${item.source}/${item.ticket_id}`;
  button.addEventListener("click", () => showTicket(item));
  cell.append(button);
  return cell;
}

function rowOf(...cells) {
  const row = node("tr");
  row.append(...cells);
  return row;
}

const teamName = (name) => name || words("noTeam");
const cycleKey = (item) => JSON.stringify([item.tenant, item.source, item.ticket_id, item.clock, item.cycle_id]);

function setTeam(cell, name) {
  put(cell, teamName(name));
  cell.title = teamName(name);
}

const breaches = new Rows(element("breaches"), element("breaches-empty"), (first) => {
  const [clock, due, breach, late, team, state] = ["clock-name", "due-at", "breach-at", "late num", "team", "state"].map((name) => node("td", name));
  const chip = node("span", "chip");
  state.append(chip);
  const tick = (item) => put(late, item.due_ms === null ? "–" : `+${duration((item.ended_ms ?? now) - item.due_ms, slow())}`);
  const update = (item) => {
    put(clock, clockName(item.clock));
    put(due, instant(item.due_ms, now));
    put(breach, instant(item.breach_ms, now));
    setTeam(team, item.team_name);
    put(chip, words("states")[item.state] ?? item.state);
    chip.dataset.open = String(item.state === "running" || item.state === "paused");
    tick(item);
  };
  return { row: rowOf(ticketCell(first), clock, due, breach, late, team, state), update, tick };
});

const due = new Rows(element("due"), element("due-empty"), (first) => {
  const ticket = ticketCell(first);
  const clock = node("span", "under");
  ticket.append(clock);
  const [team, at, left] = ["team", "due-at", "left num"].map((name) => node("td", name));
  const tick = (item) => {
    const rest = item.due_ms - now;
    put(left, rest <= 0 ? words("dueNow") : duration(rest, slow()));
    left.dataset.risk = String(item.is_at_risk || rest <= 0);
  };
  const update = (item) => {
    put(clock, clockName(item.clock));
    setTeam(team, item.team_name);
    put(at, instant(item.due_ms, now));
    tick(item);
  };
  return { row: rowOf(ticket, team, at, left), update, tick };
});

let mostOpen = 1;
const teams = new Rows(element("teams"), element("teams-empty"), () => {
  const name = node("th", "team");
  name.scope = "row";
  const bar = node("td", "bar-cell");
  const track = node("div", "track");
  const parts = ["overdue", "risk", "open"].map((kind) => node("span", `part part-${kind}`));
  track.append(...parts);
  bar.append(track);
  const [open, risk, overdue] = ["num", "num risk", "num overdue"].map((kind) => node("td", kind));
  const update = (item) => {
    setTeam(name, item.team_name);
    put(open, number(item.open_tickets));
    put(risk, number(item.at_risk_tickets));
    put(overdue, number(item.overdue_tickets));
    risk.dataset.some = String(item.at_risk_tickets > 0);
    overdue.dataset.some = String(item.overdue_tickets > 0);
    const late = Math.min(item.overdue_tickets, item.open_tickets);
    const warned = Math.min(item.at_risk_tickets, item.open_tickets - late);
    [late, warned, item.open_tickets - late - warned].forEach((count, index) => {
      parts[index].style.width = `${(100 * count) / mostOpen}%`;
    });
  };
  return { row: rowOf(name, bar, open, risk, overdue), update };
});

// --- what is shown ---

function renderClock() {
  const reading = live.nowMs();
  if (reading === null) return;
  now = reading;
  put(element("clock-time"), slow() ? timeWithSeconds(now) : time(now));
  put(element("clock-date"), day(now));
  const badge = element("clock-virtual");
  badge.hidden = !live.clock.virtual;
  put(badge, text("virtual", { speed: number(live.clock.speed) }));
}

function renderHeadline({ headline, teams: rows, next_due: nextDue, breaches_by_minute: minutes }) {
  put(element("n-open"), number(headline.open_tickets));
  put(element("n-risk"), number(headline.at_risk_tickets));
  put(element("n-soon"), number(headline.due_soon_tickets));
  put(element("n-today"), number(headline.breached_today));
  put(element("n-total"), number(headline.breached_total));
  const holding = rows.filter((row) => row.open_tickets > 0 && row.team_name).length;
  put(element("s-open"), holding === 1 ? words("inOneTeam") : text("inTeams", { n: number(holding) }));
  put(element("s-risk"), text("ofOpen", { p: percent(headline.at_risk_tickets, headline.open_tickets) }));
  put(element("s-total"), text("stillOpen", { n: number(headline.overdue_tickets) }));
  const since = now - HOUR_MS;
  const lastHour = minutes.reduce((sum, [at, count]) => (at > since ? sum + count : sum), 0);
  put(element("s-today"), text("lastHour", { n: number(lastHour) }));
  renderNext(nextDue);
}

function renderNext(nextDue) {
  const next = nextDue[0];
  const said = !next ? words("nothingSoon") : next.due_ms <= now ? words("dueNow") : text("nextIn", { d: duration(next.due_ms - now, slow()) });
  put(element("s-soon"), said);
}

function renderLetters({ dead_letters: letters }) {
  const total = letters.reduce((sum, row) => sum + row.messages, 0);
  const pill = element("letters");
  pill.hidden = false;
  pill.disabled = total === 0;
  pill.dataset.some = String(total > 0);
  put(element("letters-text"), total === 0 ? words("lettersNone") : total === 1 ? words("lettersOne") : text("letters", { n: number(total) }));
}

const MARKS = { live: "●", stale: "▲", waiting: "○" };
let announced = "";

function renderFreshness() {
  const { name, why } = live.state();
  document.body.dataset.state = name;
  put(element("fresh-mark"), MARKS[name]);
  put(element("fresh-state"), words(name));
  const asOf = live.fresh?.as_of_ms;
  const known = asOf !== null && asOf !== undefined;
  const at = known ? wallTime(asOf) : "";
  put(element("fresh-detail"), known ? freshDetail(at, name) : words("waitingDetail"));
  const banner = bannerText(name, why, known, at);
  put(element("banner"), banner);
  element("banner").hidden = banner === "";
  const saying = banner || words(name);
  if (`${name} ${why}` !== announced) {
    announced = `${name} ${why}`;
    element("announce").textContent = saying;
  }
}

function freshDetail(at, name) {
  const parts = [text("asOf", { at })];
  if (live.clock?.virtual) parts.push(words("realTime"));
  if (name === "stale") parts.push(text("ago", { d: duration(live.ageMs()) }));
  return parts.join(" · ");
}

function bannerText(name, why, known, at) {
  if (why === "connection") return known ? text("bannerConnection", { at }) : words("bannerConnectionNone");
  if (name !== "stale") return "";
  if (why === "database") return known ? text("bannerDatabase", { at }) : words("bannerDatabaseNone");
  const d = duration(live.ageMs());
  if (why === "partitions") return text("bannerPartitions", { n: live.fresh.partitions_behind, all: live.fresh.partitions, d, at });
  return text("bannerPipeline", { d, at });
}

function render() {
  renderClock();
  renderFreshness();
  const content = live.content;
  if (!content) return;
  renderHeadline(content);
  renderLetters(content);
  mostOpen = Math.max(1, ...content.teams.map((row) => row.open_tickets));
  teams.show(content.teams.filter((row) => row.open_tickets > 0), (row) => row.team_name);
  breaches.show(content.latest_breaches, cycleKey);
  due.show(content.next_due, cycleKey);
  chart.show(content, now, live.clock.speed);
}

function tick() {
  renderClock();
  renderFreshness();
  if (!live.content) return;
  breaches.tick();
  due.tick();
  renderNext(live.content.next_due);
}

// --- language and colours ---

function relabel() {
  document.documentElement.lang = currentLanguage();
  for (const item of document.querySelectorAll("[data-text]")) item.textContent = words(item.dataset.text);
  for (const item of document.querySelectorAll("[data-title]")) item.title = words(item.dataset.title);
  for (const item of document.querySelectorAll("[data-label]")) item.setAttribute("aria-label", words(item.dataset.label));
  const language = element("language");
  language.textContent = words("otherLanguage");
  language.lang = currentLanguage() === "en" ? "zh-CN" : "en";
  language.setAttribute("aria-label", words("toOtherLanguage"));
  relabelTheme();
  chart.rebuild();
  render();
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme ?? (systemDark.matches ? "dark" : "light")) === "dark";

function relabelTheme() {
  const button = element("theme");
  button.textContent = isDark() ? words("light") : words("dark");
  button.setAttribute("aria-label", isDark() ? words("toLight") : words("toDark"));
}

element("theme").addEventListener("click", () => {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("ticketpulse.theme", theme);
  } catch {
    // Then it holds for this visit only.
  }
  relabelTheme();
  chart.rebuild();
});
systemDark.addEventListener("change", () => {
  relabelTheme();
  chart.rebuild();
});
element("language").addEventListener("click", () => {
  switchLanguage();
  relabel();
});
element("letters").addEventListener("click", () => showLetters(live.content?.dead_letters ?? []));


relabel();
setInterval(tick, 250);
setInterval(() => live.content && chart.show(live.content, now, live.clock.speed), 1000);
