// What several pages are made of: tables, selects, links.

import { node } from "./rows.js";
import { words } from "./text.js";

export const ticketPath = ({ tenant, source, ticket_id: id }) => `/tickets/${[tenant, source, id].map(encodeURIComponent).join("/")}`;

export function ticketLink(item) {
  const link = node("a", "link", item.ticket_id);
  link.href = ticketPath(item);
  link.title = `${item.tenant}/${item.source}/${item.ticket_id}`;
  return link;
}

// heads: [text, is a number]; rows: arrays of text or nodes.
export function tableOf(heads, rows, className = "") {
  const table = node("table", className);
  const head = node("tr");
  for (const [name, isNumber] of heads) {
    const cell = node("th", isNumber ? "num" : "", name);
    cell.scope = "col";
    head.append(cell);
  }
  const thead = node("thead");
  thead.append(head);
  const tbody = node("tbody");
  for (const row of rows) {
    const line = node("tr");
    row.forEach((value, at) => {
      const cell = node("td", heads[at][1] ? "num" : "");
      cell.append(value ?? "");
      line.append(cell);
    });
    tbody.append(line);
  }
  table.append(thead, tbody);
  return table;
}

export function panel(title, ...content) {
  const made = node("section", "panel");
  const head = node("div", "panel-head");
  head.append(node("h3", "", title));
  const scroll = node("div", "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", title);
  scroll.append(...content);
  made.append(head, scroll);
  return made;
}

export const emptyNote = (said = words("noRows")) => node("p", "empty", said);

// A select whose choice stands in the address. options: [value, words].
export function select(name, label, options, choices) {
  const made = node("select", "button");
  made.name = name;
  made.setAttribute("aria-label", label);
  for (const [value, said] of options) {
    const option = node("option", "", said);
    option.value = value;
    made.append(option);
  }
  made.value = choices.get(name);
  if (made.selectedIndex < 0) made.selectedIndex = 0;
  made.addEventListener("change", () => choices.set(name, made.value));
  return made;
}

export function searchBox(label, choices) {
  const made = node("input", "button search");
  made.type = "search";
  made.name = "q";
  made.placeholder = label;
  made.setAttribute("aria-label", label);
  made.value = choices.get("q");
  let waiting;
  made.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => choices.set("q", made.value.trim()), 250);
  });
  return made;
}

// The reader keeps what they hold: a form that is in use is not made anew.
export function setFilters(form, ...fields) {
  if (form.contains(document.activeElement) && form.children.length === fields.length) return;
  form.replaceChildren(...fields);
}
