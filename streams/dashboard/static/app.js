// The live operations view.

import { BreachChart } from "./chart.js";
import { clockName, duration, instant, number, percent } from "./format.js";
import { Frame, element } from "./frame.js";
import { Rows, node, put } from "./rows.js";
import { showLetters, showTicket } from "./sheet.js";
import { text, words } from "./text.js";

const HOUR_MS = 3_600_000;

const chart = new BreachChart();
const frame = new Frame({ onNews: render, onTick: tick, onColours: () => chart.rebuild() });
const slow = () => frame.slow;

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
  const tick = (item) => put(late, item.due_ms === null ? "–" : `+${duration((item.ended_ms ?? frame.now) - item.due_ms, slow())}`);
  const update = (item) => {
    put(clock, clockName(item.clock));
    put(due, instant(item.due_ms, frame.now));
    put(breach, instant(item.breach_ms, frame.now));
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
    const rest = item.due_ms - frame.now;
    put(left, rest <= 0 ? words("dueNow") : duration(rest, slow()));
    left.dataset.risk = String(item.is_at_risk || rest <= 0);
  };
  const update = (item) => {
    put(clock, clockName(item.clock));
    setTeam(team, item.team_name);
    put(at, instant(item.due_ms, frame.now));
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
  const since = frame.now - HOUR_MS;
  const lastHour = minutes.reduce((sum, [at, count]) => (at > since ? sum + count : sum), 0);
  put(element("s-today"), text("lastHour", { n: number(lastHour) }));
  renderNext(nextDue);
}

function renderNext(nextDue) {
  const next = nextDue[0];
  const said = !next ? words("nothingSoon") : next.due_ms <= frame.now ? words("dueNow") : text("nextIn", { d: duration(next.due_ms - frame.now, slow()) });
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

function render(content) {
  renderHeadline(content);
  renderLetters(content);
  mostOpen = Math.max(1, ...content.teams.map((row) => row.open_tickets));
  teams.show(content.teams.filter((row) => row.open_tickets > 0), (row) => row.team_name);
  breaches.show(content.latest_breaches, cycleKey);
  due.show(content.next_due, cycleKey);
  chart.show(content, frame.now, frame.live.clock.speed);
}

function tick(content) {
  breaches.tick();
  due.tick();
  renderNext(content.next_due);
}

element("letters").addEventListener("click", () => showLetters(frame.live.content?.dead_letters ?? []));

frame.relabel();
setInterval(() => frame.live.content && chart.show(frame.live.content, frame.now, frame.live.clock.speed), 1000);
