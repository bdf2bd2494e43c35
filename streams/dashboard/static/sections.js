// Pages made of sections: numbers, tables and a chart each, as the server words them.

import { emptyNote, panel, select, setFilters, tableOf } from "./parts.js";
import { node } from "./rows.js";
import { currentLanguage, text, words } from "./text.js";

const COLOURS = ["open-fill", "breach-fill", "risk-fill"];
const TICKS_MAX = 12;

export function showSections({ page, view, choices, filters }) {
  const query = () => {
    const search = new URLSearchParams({ lang: currentLanguage(), range: choices.get("range") || "today" });
    for (const name of ["scope", "zone"]) if (choices.get(name)) search.set(name, choices.get(name));
    return search;
  };
  const relabel = () => {
    const periods = Object.entries(words("periods"));
    const range = select("range", words("range"), periods, choices);
    const csv = node("a", "button", words("csv"));
    csv.href = `/api/views/${page}.csv?${query()}`;
    csv.download = "";
    const fields = [range, csv];
    if (choices.get("scope")) {
      const all = node("button", "button", `${choices.get("scope")} ✕`);
      all.type = "button";
      all.addEventListener("click", () => choices.set("scope", ""));
      fields.unshift(all);
    }
    setFilters(filters, ...fields);
  };
  return {
    address: () => `/api/views/${page}?${query()}`,
    relabel,
    show(found) {
      relabel();
      view.className = "sections";
      view.replaceChildren(...found.sections.map((section) => sectionOf(section, choices)));
    },
  };
}

function sectionOf(section, choices) {
  const content = [];
  if (section.chart) content.push(chartOf(section));
  if (section.rows.length) {
    const heads = section.columns.map((column) => [column.label, column.number]);
    const rows = section.rows.map((row) => row.map((cell, at) => cellOf(cell, section.columns[at], choices)));
    content.push(tableOf(heads, rows));
  } else content.push(emptyNote(section.empty));
  const made = panel(section.title, ...content);
  made.dataset.section = section.name;
  return made;
}

// A team or queue narrows the page to itself.
function cellOf(cell, column, choices) {
  const narrows = ["team", "queue"].includes(column.name) && cell.value && !choices.get("scope");
  if (narrows) {
    const button = node("button", "link", cell.text);
    button.type = "button";
    button.addEventListener("click", () => choices.set("scope", `${column.name}=${cell.value}`));
    return button;
  }
  if (cell.text === "" && column.number) return node("span", "muted", "–");
  return node("span", cell.tone, cell.text);
}

const probe = document.createElement("span");
probe.hidden = true;
document.documentElement.append(probe);
function ink(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function chartOf({ title, chart }) {
  const host = node("div", "chart section-chart");
  host.setAttribute("role", "img");
  const names = chart.series.map((one) => one.label).join(", ");
  host.setAttribute("aria-label", text("chartLabel", { title, series: names, from: chart.labels[0], to: chart.labels.at(-1) }));
  const legend = node("p", "legend");
  chart.series.forEach((one, at) => {
    const key = node("span", `key key-${COLOURS[at]}`, one.label);
    legend.append(key);
  });
  const wrap = node("div");
  wrap.append(legend, host);
  requestAnimationFrame(() => host.isConnected && draw(host, chart));
  return wrap;
}

function draw(host, chart) {
  const several = chart.series.length > 1;
  const grid = { stroke: ink("grid"), width: 1 };
  const every = Math.ceil(chart.labels.length / TICKS_MAX);
  const bars = (at) => uPlot.paths.bars({ size: [several ? 0.38 : 0.7, 60], align: several ? (at === 0 ? -1 : 1) : 0, gap: 1 });
  const options = {
    width: Math.max(200, host.clientWidth),
    height: host.clientHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, chart.labels.length - 0.4] }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.08 : 1] } },
    axes: [
      {
        stroke: ink("muted"),
        grid: { show: false },
        ticks: grid,
        splits: () => chart.labels.map((_, at) => at).filter((at) => at % every === 0),
        values: (_plot, splits) => splits.map((at) => chart.labels[at] ?? ""),
      },
      { stroke: ink("muted"), grid, ticks: grid, size: 56 },
    ],
    series: [{}, ...chart.series.map((one, at) => ({ label: one.label, fill: ink(COLOURS[at]), stroke: ink(COLOURS[at]), width: 0, points: { show: false }, paths: bars(at) }))],
  };
  new uPlot(options, [chart.labels.map((_, at) => at), ...chart.series.map((one) => one.values)], host);
}
