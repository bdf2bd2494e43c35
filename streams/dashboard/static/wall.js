// The wall: few numbers, readable from the other end of the room.

import { duration, number } from "./format.js";
import { node, put } from "./rows.js";
import { text, words } from "./text.js";

const percent = (value) => `${value.toFixed(1)} %`;

export function showWall(context) {
  const { view } = context;
  let cards = null;
  const build = () => {
    view.className = "wall";
    cards = {};
    const make = (name, tone, meaning = "") => {
      const card = node("article", `card card-${tone}`);
      card.title = meaning;
      const value = node("p", "number", "–");
      value.id = `w-${name}`;
      const sub = node("p", "sub");
      card.append(node("h3", "", words(name)), value, sub);
      cards[name] = { value, sub };
      return card;
    };
    view.replaceChildren(
      make("serviceLevel", "open", words("serviceLevelMeaning")),
      make("waitingNow", "soon"),
      make("complianceNow", "open"),
      make("satisfactionNow", "open"),
      make("open", "open", words("openMeaning")),
      make("atRisk", "risk", words("atRiskMeaning")),
      make("overdueOpen", "breach"),
      make("breachedToday", "breach", words("breachedTodayMeaning")),
    );
  };
  const share = (card, one) => {
    if (!one || one.value === null || one.value === undefined) {
      put(card.value, "–");
      put(card.sub, words("noData"));
      return;
    }
    put(card.value, percent(one.value));
    const known = one.low !== null && one.high !== null;
    put(card.sub, known ? text("between", { low: one.low.toFixed(1), high: one.high.toFixed(1), n: number(one.sample) }) : text("sampleOf", { n: number(one.sample) }));
  };
  const headline = () => {
    const content = context.frame?.live.content;
    if (!cards || !content) return;
    put(cards.open.value, number(content.headline.open_tickets));
    put(cards.atRisk.value, number(content.headline.at_risk_tickets));
    put(cards.overdueOpen.value, number(content.headline.overdue_tickets));
    put(cards.breachedToday.value, number(content.headline.breached_today));
  };
  const waits = (found) => {
    const waiting = found.waiting.reduce((sum, row) => sum + row.waiting, 0);
    put(cards.waitingNow.value, number(waiting));
    const longest = Math.min(...found.waiting.map((row) => row.longest_since_ms));
    const wait = waiting ? text("longestWait", { d: duration(context.frame.now - longest) }) : words("nobodyWaits");
    const { there, free } = found.agents;
    put(cards.waitingNow.sub, there ? `${wait} · ${text("agentsFree", { free: number(free), n: number(there) })}` : wait);
  };
  return {
    address: () => "/api/views/wall",
    relabel: build,
    tick(found) {
      headline();
      waits(found);
    },
    show(found) {
      if (!cards) build();
      share(cards.serviceLevel, found.numbers["sl.offered"]);
      share(cards.satisfactionNow, found.numbers.csat);
      share(cards.complianceNow, found.numbers["sla.compliance"]);
      waits(found);
      headline();
    },
  };
}
