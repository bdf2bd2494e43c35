// What another policy would have changed: the file that `ticketpulse whatif --json` wrote, read in the browser alone.

import { clockName, number } from "./format.js";
import { emptyNote, panel, setFilters, tableOf } from "./parts.js";
import { node } from "./rows.js";
import { words } from "./text.js";

const percent = (side) => (side?.compliance === null || side?.compliance === undefined ? "–" : `${(100 * side.compliance).toFixed(1)} %`);
const signed = (count, sign) => (count ? `${sign}${number(count)}` : "0");

export function showWhatIf(context) {
  const { view, filters } = context;
  let result = null;
  let wrong = false;
  const pick = node("label", "button", "");
  const file = node("input", "visually-hidden");
  file.type = "file";
  file.accept = "application/json,.json";
  file.addEventListener("change", async () => {
    wrong = false;
    try {
      result = JSON.parse(await file.files[0].text());
      if (!result.clocks || !result.breaches) throw new Error("not a result");
    } catch {
      result = null;
      wrong = true;
    }
    file.value = ""; // the same file again is news, too
    draw();
  });
  function draw() {
    pick.replaceChildren(words("whatIfOpen"), file);
    setFilters(filters, pick);
    view.className = "sections";
    if (!result) {
      view.replaceChildren(emptyNote(words(wrong ? "whatIfWrong" : "whatIfNote")), node("p", "code whatif-command", "ticketpulse whatif --policy NEW.yaml --against OLD.yaml events.jsonl --json result.json"));
      return;
    }
    const clocks = Object.entries(result.clocks).map(([clock, { old, new: new_, added, removed }]) => [clockName(clock), number(new_?.cycles ?? 0), number(old?.breached ?? 0), number(new_?.breached ?? 0), signed(added, "+"), signed(removed, "−"), percent(old), percent(new_)]);
    const heads = [["clock"], ["whatIfCycles", true], ["whatIfOld", true], ["whatIfNew", true], ["whatIfAdded", true], ["whatIfRemoved", true], ["whatIfBefore", true], ["whatIfAfter", true]].map(([name, isNumber]) => [words(name), isNumber]);
    const ranking = (by) => {
      const names = [...new Set([...Object.keys(by.added), ...Object.keys(by.removed)])];
      names.sort((one, other) => (by.added[other] ?? 0) + (by.removed[other] ?? 0) - (by.added[one] ?? 0) - (by.removed[one] ?? 0));
      return names.map((name) => [name || words("noTeam"), signed(by.added[name] ?? 0, "+"), signed(by.removed[name] ?? 0, "−")]);
    };
    const changes = [[words("whatIfAdded"), true], [words("whatIfRemoved"), true]];
    const examples = result.examples.map((one) => [one.ticket_id, clockName(one.clock), words(one.change === "added" ? "whatIfAdded" : "whatIfRemoved"), one.due_at ?? "–", one.team ?? ""]);
    const exampleHeads = ["ticket", "clock", "state", "dueAt", "team"].map((name) => [words(name)]);
    view.replaceChildren(
      panel(words("whatIfByClock"), tableOf(heads, clocks)),
      panel(words("byTeam"), tableOf([[words("team")], ...changes], ranking(result.teams))),
      panel(words("whatIfExamples"), examples.length ? tableOf(exampleHeads, examples) : emptyNote()),
    );
  }
  return { address: () => "/api/me", relabel: draw, show: () => result === null && view.querySelector("table") === null && draw() };
}
