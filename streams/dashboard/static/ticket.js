// One ticket on a page of its own: facts, clocks, and why the clocks say so, step by step.

import { clockName, duration, instant, settings } from "./format.js";
import { emptyNote, panel, tableOf } from "./parts.js";
import { node } from "./rows.js";
import { currentLanguage, text, words } from "./text.js";

export function showTicketPage(context) {
  const { view } = context;
  const path = location.pathname.slice("/tickets/".length);
  const id = decodeURIComponent(path.split("/").slice(2).join("/"));
  let why = null;
  let explains = null;
  const askWhy = async () => {
    try {
      explains ??= (await (await fetch("/api/me")).json()).explains;
      if (!explains) return;
      const how = new URLSearchParams({ lang: currentLanguage(), zone: settings.zone });
      const answer = await fetch(`/api/explain/${path}?${how}`);
      why = answer.ok ? await answer.json() : null;
    } catch {
      why = null;
    }
  };
  return {
    address: () => `/api/tickets/${path}`,
    takes: (status) => status === 404,
    relabel: () => (document.getElementById("view-title").textContent = text("ticketTitle", { id })),
    async show(found, status) {
      document.getElementById("view-title").textContent = text("ticketTitle", { id });
      if (status === 404 || (!found.ticket && !found.clocks)) {
        view.replaceChildren(emptyNote(words("unknownTicket")));
        return;
      }
      await askWhy();
      const now = context.frame.now;
      view.className = "sections ticket-view";
      view.replaceChildren(factsOf(found, now), clocksOf(found, now), ...(why ? why.clocks.map((clock) => explained(clock, now)) : [panel(words("why"), emptyNote(words("whyNot")))]));
    },
  };
}

function factsOf({ ticket, complaint_number: complaint }, now) {
  const list = node("dl", "facts");
  const add = (name, value) => {
    const pair = node("div");
    pair.append(node("dt", "", name), node("dd", "", value));
    list.append(pair);
  };
  if (complaint) add(words("complaintNumber"), complaint);
  for (const [field, name] of Object.entries(words("fields"))) {
    let value = ticket?.[field];
    if (value === null || value === "" || value === undefined) continue;
    if (field.endsWith("_at")) value = instant(Date.parse(value), now);
    else if (field === "status") value = words("statuses")[value] ?? value;
    add(name, String(value));
  }
  return panel(words("ticket"), list);
}

function clocksOf({ clocks }, now) {
  const at = (value) => (value ? Date.parse(value) : null);
  const rows = clocks.map((cycle) => {
    const due = at(cycle.due_at);
    const ended = at(cycle.stopped_at ?? cycle.withdrawn_at);
    const late = cycle.breached && due !== null ? `+${duration((ended ?? now) - due, false)}` : "–";
    return [clockName(cycle.clock), words("states")[cycle.state] ?? cycle.state, instant(at(cycle.started_at), now), instant(due, now), instant(ended, now), late];
  });
  const heads = [["clock"], ["state"], ["startedAt"], ["dueAt"], ["endedAt"], ["lateness", true]].map(([name, isNumber]) => [words(name), isNumber]);
  return panel(words("clocksOf"), rows.length ? tableOf(heads, rows) : emptyNote());
}

// Segments follow each other without a gap; those that count add up to the time used.
function explained(clock, now) {
  const at = (value) => instant(value === null || value === undefined ? null : Date.parse(value), now);
  const [verdict, by, follows] = clock.in_words;
  const line = node("ol", "timeline");
  for (const segment of clock.segments ?? []) {
    const item = node("li", `segment segment-${segment.kind}`);
    item.append(node("strong", "", words("segments")[segment.kind] ?? segment.kind), node("span", "", `${at(segment.from)} – ${at(segment.to)}`));
    if (segment.used_ms) item.append(node("span", "", `${words("used")} ${duration(segment.used_ms)}`));
    const more = [segment.because_in_words, segment.team, segment.agent, segment.calendar].filter(Boolean).join(" · ");
    if (more) item.append(node("span", "note", more));
    line.append(item);
  }
  const said = (clock.said ?? []).map((one) => node("p", "note", text("said", { level: words("levels")[one.level] ?? words("ends")[one.level] ?? one.level, at: at(one.at) })));
  const total = node("p", "note", `${words("total")} ${duration(clock.elapsed_ms)}`);
  const parts = [node("p", "follows", follows), node("p", "note", by), line, total, ...said];
  if (clock.holders?.length > 1) parts.push(holdersOf(clock.holders));
  return panel(`${words("why")}: ${verdict}`, ...parts);
}

function holdersOf(holders) {
  const rows = holders.map((one) => {
    const share = one.share_of_target === null || one.share_of_target === undefined ? "–" : `${Math.round(100 * one.share_of_target)} %`;
    return [[one.team, one.agent].filter(Boolean).join(" / ") || "–", duration(one.held_ms), share, one.held_at_breach ? words("atBreach") : ""];
  });
  return tableOf([[words("holders")], [words("used"), true], [words("ofTarget"), true], [""]], rows);
}
