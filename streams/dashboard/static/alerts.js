// Alerts: what is open, and what is done about it.

import { clockName, duration, instant } from "./format.js";
import { emptyNote, panel, searchBox, select, setFilters, tableOf, ticketLink } from "./parts.js";
import { node } from "./rows.js";
import { text, words } from "./text.js";

const ACKNOWLEDGED_MINUTES = 30;
const SILENCED_MINUTES = 60;

export function showAlerts(context) {
  const { view, choices, filters } = context;
  let me = null;
  let found = null;
  const pending = new Map(); // key → action that was sent, until the list tells of it
  fetch("/api/me").then(async (answer) => {
    me = answer.ok ? await answer.json() : null;
    if (found) show(found);
  });

  async function act(item, action, minutes) {
    try {
      const answer = await fetch("/api/alerts/actions", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ key: item.key, action, minutes }),
      });
      if (!answer.ok) throw new Error((await answer.json()).detail);
      pending.set(item.key, { action, at: performance.now() });
      context.announce(text("acted", { what: `${item.ticket_id}, ${words("actions")[action]}` }));
      show(found);
    } catch (error) {
      context.announce(text("actFailed", { why: error.message }));
    }
    context.refresh();
    setTimeout(context.refresh, 1500);
  }

  function handling(item) {
    const now = context.frame.now;
    const cell = node("div", "handling");
    const sent = pending.get(item.key);
    if (sent && (item.action === sent.action || performance.now() - sent.at > 10_000)) pending.delete(item.key);
    const action = pending.get(item.key)?.action ?? item.action;
    const held = item.until_ms === null || item.until_ms > now;
    const at = item.action_ms === null ? "" : instant(item.action_ms, now);
    const acknowledged = action === "acknowledge" && held;
    const silenced = action === "silence" && held;
    if (acknowledged) cell.append(node("span", "note", text("acknowledgedBy", { who: item.actor || me?.actor || "", at })));
    if (silenced) cell.append(node("span", "note", text("silencedBy", { who: item.actor || me?.actor || "", at: instant(item.until_ms, now) })));
    if (me?.may_act) {
      const offer = (label, ...what) => {
        const button = node("button", "button", label);
        button.type = "button";
        button.dataset.holds = `${item.key} ${cell.querySelectorAll("button").length}`;
        button.addEventListener("click", () => act(item, ...what));
        cell.append(button);
      };
      if (!acknowledged) offer(words("acknowledge"), "acknowledge", ACKNOWLEDGED_MINUTES);
      else offer(words("release"), "release");
      if (!silenced) offer(words("silence"), "silence", SILENCED_MINUTES);
    }
    return cell;
  }

  function show(answer) {
    found = answer;
    const now = context.frame.now;
    setFilters(
      filters,
      searchBox(words("search"), choices),
      select("level", words("level"), [["", words("allLevels")], ...Object.entries(words("levels"))], choices),
    );
    const rows = found.rows.map((item) => {
      const level = node("span", `chip chip-${item.level}`, words("levels")[item.level] ?? item.level);
      const late = item.due_ms === null ? "–" : item.due_ms > now ? `−${duration(item.due_ms - now, false)}` : `+${duration(now - item.due_ms, false)}`;
      return [level, ticketLink(item), clockName(item.clock), item.team_name || words("noTeam"), item.agent_name, instant(item.due_ms, now), late, handling(item)];
    });
    const heads = [[words("level")], [words("ticket")], [words("clock")], [words("group")], [words("agent")], [words("dueAt")], [words("lateness"), true], [words("handling")]];
    const log = found.actions.map((one) => [instant(one.at_ms, now), words("actions")[one.action] ?? one.action, one.key.split(":")[1] ?? one.key, one.actor, one.until_ms === null ? "" : instant(one.until_ms, now), one.reason]);
    const logHeads = ["at", "action", "alert", "who", "until", "because"].map((name) => [words(name)]);
    view.className = "sections";
    const held = document.activeElement?.dataset.holds;
    const content = [panel(words("pageNames").alerts, rows.length ? tableOf(heads, rows, "alerts") : emptyNote(words("noAlerts")))];
    if (me && !me.may_act) content.unshift(node("p", "note", words("mayNot")));
    if (log.length) content.push(panel(words("actionLog"), tableOf(logHeads, log)));
    view.replaceChildren(...content);
    // Rows made anew would take the focus from a reader who goes by keyboard.
    if (held) view.querySelector(`[data-holds="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  return {
    address() {
      const search = new URLSearchParams();
      for (const name of ["team", "level", "q"]) if (choices.get(name)) search.set(name, choices.get(name));
      return `/api/alerts?${search}`;
    },
    show,
  };
}
