// The sheet over the page: one ticket with its clocks, or the dead letters by reason.

import { clockName, duration, instant, number } from "./format.js";
import { currentLanguage, text, words } from "./text.js";
import { node } from "./rows.js";

const sheet = document.getElementById("sheet");
const title = document.getElementById("sheet-title");
const body = document.getElementById("sheet-body");

function open(heading, ...content) {
  title.textContent = heading;
  body.replaceChildren(...content);
  if (!sheet.open) sheet.showModal();
}

// A click beside the sheet closes it, as people expect.
sheet.addEventListener("click", (event) => {
  if (event.target === sheet) sheet.close();
});

export function showLetters(letters) {
  const rows = letters.map(({ reason, messages, labels }) => [labels?.[currentLanguage()] ?? reason, reason, number(messages)]);
  const table = tableOf([words("reason"), "", words("count")], rows, ["", "code", "num"]);
  open(words("lettersTitle"), node("p", "note", words("lettersNote")), table);
}

export async function showTicket({ tenant, source, ticket_id: id }) {
  const heading = text("ticketTitle", { id });
  open(heading, node("p", "note", words("loading")));
  const path = [tenant, source, id].map(encodeURIComponent).join("/");
  try {
    const response = await fetch(`/api/tickets/${path}`);
    if (!response.ok) throw new Error(String(response.status));
    const found = await response.json();
    if (title.textContent === heading) open(heading, facts(found), clocks(found));
  } catch {
    if (title.textContent === heading) open(heading, node("p", "note", words("loadFailed")));
  }
}

function facts({ ticket, clock }) {
  const list = node("dl", "facts");
  if (!ticket) return list;
  const names = words("fields");
  for (const [field, name] of Object.entries(names)) {
    let value = ticket[field];
    if (value === null || value === "" || value === undefined) continue;
    if (field.endsWith("_at")) value = instant(Date.parse(value), clock.now_ms);
    else if (field === "status") value = words("statuses")[value] ?? value;
    const pair = node("div");
    pair.append(node("dt", "", name), node("dd", "", String(value)));
    list.append(pair);
  }
  return list;
}

function clocks({ clocks: cycles, clock }) {
  const now = clock.now_ms;
  const at = (value) => (value ? Date.parse(value) : null);
  const rows = cycles.map((cycle) => {
    const due = at(cycle.due_at);
    const ended = at(cycle.stopped_at ?? cycle.withdrawn_at);
    const late = cycle.breached && due !== null ? `+${duration((ended ?? now) - due, false)}` : "–";
    return [clockName(cycle.clock), words("states")[cycle.state] ?? cycle.state, instant(at(cycle.started_at), now), instant(due, now), instant(ended, now), late];
  });
  const heads = ["clock", "state", "startedAt", "dueAt", "endedAt", "lateness"].map(words);
  return tableOf(heads, rows, ["", "", "", "", "", "num"]);
}

function tableOf(heads, rows, classes) {
  const table = node("table", "sheet-table");
  const head = node("tr");
  heads.forEach((name, index) => {
    const cell = node("th", classes[index], name);
    cell.scope = "col";
    head.append(cell);
  });
  const thead = node("thead");
  thead.append(head);
  const tbody = node("tbody");
  for (const row of rows) {
    const line = node("tr");
    row.forEach((value, index) => line.append(node("td", classes[index], value)));
    tbody.append(line);
  }
  table.append(thead, tbody);
  const scroll = node("div", "scroll");
  scroll.append(table);
  return scroll;
}
