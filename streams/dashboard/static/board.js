// The SLA board: what runs towards a deadline, soonest first, counting down; what breaches within two hours by team.

import { clockName, duration, instant, number } from "./format.js";
import { emptyNote, panel, searchBox, select, setFilters, tableOf, ticketLink } from "./parts.js";
import { node, put } from "./rows.js";
import { text, words } from "./text.js";

export function showBoard(context) {
  const { view, choices, filters } = context;
  let counting = [];
  const tick = () => {
    const now = context.frame.now;
    for (const { cell, item } of counting) {
      const rest = item.due_ms - now;
      put(cell, item.breached || rest < 0 ? `+${duration(-rest, context.frame.slow)}` : duration(rest, context.frame.slow));
      cell.dataset.risk = String(item.is_at_risk);
      cell.dataset.late = String(item.breached || rest < 0);
    }
  };
  return {
    address() {
      const search = new URLSearchParams();
      for (const name of ["team", "tier", "clock", "q"]) if (choices.get(name)) search.set(name, choices.get(name));
      return `/api/board?${search}`;
    },
    tick,
    show(found) {
      setFilters(
        filters,
        searchBox(words("search"), choices),
        select("team", words("team"), [["", words("allTeams")], ...found.choices.teams.filter(Boolean).map((one) => [one, one])], choices),
        select("tier", words("tier"), [["", words("allTiers")], ...found.choices.tiers.filter(Boolean).map((one) => [one, one])], choices),
        select("clock", words("clock"), [["", words("allClocks")], ...found.choices.clocks.map((one) => [one, clockName(one)])], choices),
      );
      counting = [];
      const now = context.frame.now;
      const rows = found.rows.map((item) => {
        const cell = node("span", "countdown");
        counting.push({ cell, item });
        const state = node("span", "chip", words("states")[item.state] ?? item.state);
        return [ticketLink(item), clockName(item.clock), item.team_name || words("noTeam"), item.agent_name, item.priority_name, item.tier_name, instant(item.due_ms, now), cell, state];
      });
      const heads = [["ticket"], ["clock"], ["group"], ["agent"], ["priority"], ["tier"], ["dueAt"], ["remaining", true], ["state"]].map(([name, isNumber]) => [words(name), isNumber]);
      const promises = panel(words("running"), rows.length ? tableOf(heads, rows, "board") : emptyNote());
      if (found.rows.length >= found.rows_max) promises.append(node("p", "note", text("moreRows", { n: number(found.rows_max) })));
      const soon = found.soon.map((item) => [item.team_name || words("noTeam"), number(item.clocks), instant(item.first_due_ms, now)]);
      const soonHeads = [[words("team")], [words("promises"), true], [words("first")]];
      view.className = "board-view";
      const left = panel(words("soonByTeam"), soon.length ? tableOf(soonHeads, soon) : emptyNote(words("nothingSoon")));
      const scrolled = view.querySelector(".scroll:last-of-type")?.scrollTop ?? 0;
      view.replaceChildren(left, promises);
      promises.querySelector(".scroll").scrollTop = scrolled;
      tick();
    },
  };
}
