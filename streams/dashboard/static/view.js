// Every page beside the overview: which one is told by the address, and so are its filters.

import { showAlerts } from "./alerts.js";
import { showBoard } from "./board.js";
import { Frame, element } from "./frame.js";
import { node } from "./rows.js";
import { showSections } from "./sections.js";
import { words } from "./text.js";
import { showTicketPage } from "./ticket.js";
import { showWall } from "./wall.js";
import { showWhatIf } from "./whatif.js";

const REFRESH_MS = 2_000;
const page = location.pathname.split("/")[1];
const PAGE = { wall: showWall, board: showBoard, alerts: showAlerts, tickets: showTicketPage, whatif: showWhatIf }[page] ?? showSections;

// The address holds every choice, so that a link shows what its sender saw.
const choices = {
  get: (name) => new URLSearchParams(location.search).get(name) ?? "",
  set(name, value) {
    const search = new URLSearchParams(location.search);
    if (value) search.set(name, value);
    else search.delete(name);
    history.replaceState(null, "", `${location.pathname}${search.size ? `?${search}` : ""}`);
    ask(true);
  },
};

const view = element("view");
let shown = null;
let asking = false;
let askedAt = -Infinity;
let again = false;
let contentSeen = null;

const context = {
  page,
  view,
  choices,
  frame: null,
  filters: element("filters"),
  refresh: () => ask(true),
  announce: (said) => (element("announce").textContent = said),
};
const shownBy = PAGE(context);

async function ask(atOnce = false) {
  if (asking) {
    again ||= atOnce;
    return;
  }
  asking = true;
  askedAt = performance.now();
  try {
    const answer = await fetch(shownBy.address());
    if (answer.status === 401) return location.assign("/session");
    if (!answer.ok && !shownBy.takes?.(answer.status)) throw new Error(String(answer.status));
    shown = await answer.json();
    element("banner").dataset.load = "";
    shownBy.show(shown, answer.status);
  } catch {
    if (shown === null) view.replaceChildren(node("p", "empty", words("loadError")));
  } finally {
    asking = false;
    if (again) {
      again = false;
      ask(true);
    }
  }
}

context.frame = new Frame({
  onNews(content) {
    if (content === contentSeen) return;
    contentSeen = content;
    // Not more often than a person can read, nor than the database likes.
    const wait = askedAt + REFRESH_MS - performance.now();
    if (wait <= 0) ask();
    else setTimeout(() => performance.now() - askedAt >= REFRESH_MS && ask(), wait + 20);
  },
  onTick: () => shown && shownBy.tick?.(shown),
  onColours: () => shown && shownBy.show(shown),
  onLanguage() {
    element("view-title").textContent = words("pageNames")[page] ?? "";
    shownBy.relabel?.();
    ask(true);
  },
});
context.frame.relabel();
ask(true);
// What a quiet source lets grow old: a call that waits, a number of today.
setInterval(() => performance.now() - askedAt > 15_000 && ask(), 5_000);
