// Every word of the page, in both languages.

const EN = {
  skip: "Skip to the numbers",
  headline: "Headline numbers",
  open: "Open tickets",
  openShort: "Open",
  atRisk: "At risk",
  dueSoon: "Due within 2 hours",
  breachedToday: "Breached today",
  breachedTotal: "Breached in total",
  openMeaning: "Tickets still to be worked on",
  atRiskMeaning: "Tickets with a clock that has reached its first warning mark and is not overdue",
  dueSoonMeaning: "Tickets with a running clock that is due within two hours, by the pipeline's clock",
  breachedTodayMeaning: "Clock cycles that breached today, by the pipeline's clock; excluded and retracted ones don't count",
  breachedTotalMeaning: "Clock cycles that breached; excluded and retracted ones don't count",
  inTeams: "in {n} teams",
  inOneTeam: "in 1 team",
  ofOpen: "{p} of open tickets",
  nextIn: "next in {d}",
  dueNow: "due now",
  nothingSoon: "nothing ahead",
  lastHour: "{n} in the last hour",
  stillOpen: "{n} tickets overdue and open",
  perBucket: { 60: "Breaches per minute", 300: "Breaches per 5 minutes", 900: "Breaches per 15 minutes", 7200: "Breaches per 2 hours" },
  range: "Period shown",
  ranges: { h1: "1 h", h6: "6 h", h24: "24 h", d7: "7 d" },
  rangesLong: { h1: "the last hour", h6: "the last 6 hours", h24: "the last 24 hours", d7: "the last 7 days" },
  chartTotal: "{n} in {range}",
  chartAt: "{at} · {n}",
  chartSummary: "{title}, {range}: {n} in all, at most {max}",
  noBreachesHere: "No breaches in this period",
  byTeam: "Open by team",
  team: "Team",
  share: "Share",
  noTeam: "(no team)",
  overdue: "Overdue",
  inTime: "In time",
  noOpen: "No open tickets",
  latest: "Latest breaches",
  ticket: "Ticket",
  clock: "Clock",
  dueAt: "Due",
  breachAt: "Breach",
  lateness: "Lateness",
  group: "Assignment group",
  state: "State",
  noBreaches: "No breaches",
  nextDue: "Next due",
  remaining: "Remaining",
  nothingDue: "Nothing is running towards a deadline",
  close: "Close",
  states: { running: "open, running", paused: "open, paused", met: "met", breached: "ended late", void: "excluded", no_target: "no target" },
  statuses: { new: "new", open: "open", pending: "pending", on_hold: "on hold", solved: "solved", closed: "closed" },
  live: "Live",
  stale: "Stale",
  waiting: "Waiting",
  asOf: "data as of {at}",
  realTime: "real time",
  ago: "{d} ago",
  waitingDetail: "no data from the pipeline yet",
  bannerPipeline: "Stale: nothing has been heard from the pipeline for {d}. These numbers are as of {at}.",
  bannerPartitions: "Stale: {n} of {all} partitions have not been heard of for {d}. Their tickets are as of {at}.",
  bannerDatabase: "Stale: the database does not answer. These numbers are as of {at}.",
  bannerConnection: "Stale: the connection to the server is lost; trying again. These numbers are as of {at}.",
  bannerConnectionNone: "The connection to the server is lost; trying again.",
  bannerDatabaseNone: "The database does not answer; trying again.",
  virtual: "Virtual clock · {speed}× real time",
  letters: "{n} dead letters",
  lettersOne: "1 dead letter",
  lettersNone: "0 dead letters",
  lettersTitle: "Dead letters",
  lettersNote: "Messages that could not be processed. Nothing is lost: the original bytes are kept.",
  reason: "Reason",
  count: "Count",
  dark: "Dark",
  light: "Light",
  toDark: "Switch to dark colours",
  toLight: "Switch to light colours",
  otherLanguage: "中文",
  toOtherLanguage: "切换到中文",
  ticketTitle: "Ticket {id}",
  loading: "Loading…",
  loadFailed: "This ticket can't be loaded now.",
  fields: { tenant: "Tenant", source: "Source", status: "Status", ticket_type: "Type", priority: "Priority", tier: "Tier", channel: "Channel", team: "Team", agent: "Agent", created_at: "Created", last_event_at: "Last event", reopen_count: "Reopened", reassignment_count: "Reassigned", policy_version: "Policy" },
  endedAt: "Ended",
  startedAt: "Started",
  units: { d: "{n} d", h: "{n} h", min: "{n} min", s: "{n} s", less: "< 1 min" },
};

const ZH = {
  skip: "跳到数据",
  headline: "关键指标",
  open: "未结工单",
  openShort: "未结",
  atRisk: "预警",
  dueSoon: "2 小时内到期",
  breachedToday: "今日逾期",
  breachedTotal: "累计逾期",
  openMeaning: "尚需处理的工单",
  atRiskMeaning: "已到首个预警点且尚未逾期的工单",
  dueSoonMeaning: "按系统时钟两小时内到期且正在计时的工单",
  breachedTodayMeaning: "按系统时钟今天发生的逾期；已剔除和已撤销的不计",
  breachedTotalMeaning: "累计发生的逾期；已剔除和已撤销的不计",
  inTeams: "分布在 {n} 个部门",
  inOneTeam: "分布在 1 个部门",
  ofOpen: "占未结工单 {p}",
  nextIn: "最近一个：{d}后",
  dueNow: "现在到期",
  nothingSoon: "暂无临期",
  lastHour: "最近一小时 {n}",
  stillOpen: "{n} 张工单逾期未结",
  perBucket: { 60: "每分钟逾期数", 300: "每 5 分钟逾期数", 900: "每 15 分钟逾期数", 7200: "每 2 小时逾期数" },
  range: "显示时段",
  ranges: { h1: "1 小时", h6: "6 小时", h24: "24 小时", d7: "7 天" },
  rangesLong: { h1: "最近 1 小时", h6: "最近 6 小时", h24: "最近 24 小时", d7: "最近 7 天" },
  chartTotal: "{range}共 {n}",
  chartAt: "{at} · {n}",
  chartSummary: "{title}，{range}：共 {n}，最高 {max}",
  noBreachesHere: "该时段没有逾期",
  byTeam: "各部门未结工单",
  team: "部门",
  share: "占比",
  noTeam: "（未分配）",
  overdue: "逾期",
  inTime: "正常",
  noOpen: "没有未结工单",
  latest: "最新逾期",
  ticket: "工单号",
  clock: "时限",
  dueAt: "到期时间",
  breachAt: "逾期时间",
  lateness: "超时",
  group: "责任部门",
  state: "状态",
  noBreaches: "没有逾期",
  nextDue: "即将到期",
  remaining: "剩余",
  nothingDue: "没有正在计时的时限",
  close: "关闭",
  states: { running: "未结，计时中", paused: "未结，已暂停", met: "按时", breached: "超时完成", void: "已剔除", no_target: "无时限" },
  statuses: { new: "新建", open: "处理中", pending: "待回复", on_hold: "挂起", solved: "已解决", closed: "已关闭" },
  live: "实时",
  stale: "数据过期",
  waiting: "等待数据",
  asOf: "数据截至 {at}",
  realTime: "实际时间",
  ago: "{d}前",
  waitingDetail: "尚未收到数据",
  bannerPipeline: "数据过期：已有 {d} 未收到处理进度，以下数字截至 {at}。",
  bannerPartitions: "数据过期：{all} 个分区中有 {n} 个已 {d} 没有进度，其工单数据截至 {at}。",
  bannerDatabase: "数据过期：数据库没有响应，以下数字截至 {at}。",
  bannerConnection: "数据过期：与服务器的连接已断开，正在重连，以下数字截至 {at}。",
  bannerConnectionNone: "与服务器的连接已断开，正在重连。",
  bannerDatabaseNone: "数据库没有响应，正在重试。",
  virtual: "虚拟时钟 · {speed} 倍速",
  letters: "{n} 条死信",
  lettersOne: "1 条死信",
  lettersNone: "0 条死信",
  lettersTitle: "死信",
  lettersNote: "无法处理的消息。内容没有丢失：原始字节已保留。",
  reason: "原因",
  count: "数量",
  dark: "深色",
  light: "浅色",
  toDark: "切换到深色",
  toLight: "切换到浅色",
  otherLanguage: "English",
  toOtherLanguage: "Switch to English",
  ticketTitle: "工单 {id}",
  loading: "加载中…",
  loadFailed: "暂时无法加载该工单。",
  fields: { tenant: "租户", source: "来源系统", status: "状态", ticket_type: "工单类型", priority: "优先级", tier: "客户分级", channel: "渠道", team: "责任部门", agent: "责任人", created_at: "创建时间", last_event_at: "最近事件", reopen_count: "重开次数", reassignment_count: "转派次数", policy_version: "策略版本" },
  endedAt: "结束时间",
  startedAt: "开始时间",
  units: { d: "{n} 天", h: "{n} 小时", min: "{n} 分", s: "{n} 秒", less: "不到 1 分钟" },
};

const TEXTS = { en: EN, "zh-CN": ZH };
const KEY = "ticketpulse.language";

let language = first();

function first() {
  try {
    const remembered = localStorage.getItem(KEY);
    if (remembered in TEXTS) return remembered;
  } catch {
    // Storage may be forbidden.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

export const currentLanguage = () => language;

export function switchLanguage() {
  language = language === "en" ? "zh-CN" : "en";
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // Then it holds for this visit only.
  }
}

export const words = (key) => TEXTS[language][key];

export function text(key, values = {}) {
  return fill(words(key), values);
}

export const fill = (template, values) =>
  template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
