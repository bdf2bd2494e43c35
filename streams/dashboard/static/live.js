// The connection: events in, and the pipeline's clock running between them.

import { settings } from "./format.js";

const SILENCE_MS_MAX = 15_000;
const RETRY_MS = 3_000;
const PAGE_MS_MIN = 5_000;

export class Live {
  constructor(onNews) {
    this.onNews = onNews;
    this.content = null;
    this.fresh = null;
    this.clock = null;
    this.connected = false;
    this.heardAt = 0;
    this.open();
    setInterval(() => this.watch(), 1000);
  }

  open() {
    this.source?.close();
    this.openedAt = performance.now();
    this.source = new EventSource("/api/stream");
    this.source.addEventListener("hello", (event) => {
      // Not at once after loading: during a rolling upgrade two versions may answer in turn.
      if (JSON.parse(event.data) !== settings.build) setTimeout(() => location.reload(), Math.max(0, PAGE_MS_MIN - performance.now()));
    });
    this.source.addEventListener("live", (event) => this.hear(event));
    this.source.addEventListener("pulse", (event) => this.hear(event));
    this.source.onerror = () => {
      this.connected = false;
      this.onNews();
    };
  }

  hear(event) {
    const said = JSON.parse(event.data);
    this.connected = true;
    this.heardAt = performance.now();
    this.fresh = said.fresh;
    this.setClock(said.clock);
    if (said.content) this.content = said.content;
    this.onNews();
  }

  // A silent connection is a lost one; and a browser gives up after some answers, we don't.
  watch() {
    const now = performance.now();
    if (this.connected && now - this.heardAt > SILENCE_MS_MAX) {
      this.connected = false;
      this.onNews();
    }
    const idle = now - Math.max(this.openedAt, this.heardAt);
    if (this.connected) return;
    if (this.source.readyState === EventSource.CLOSED ? idle > RETRY_MS : idle > SILENCE_MS_MAX) {
      this.askWhy();
      this.open();
    }
  }

  // EventSource doesn't tell a refused token from a dead server.
  async askWhy() {
    try {
      const answer = await fetch("/api/live", { method: "HEAD" });
      if (answer.status === 401) location.assign("/session");
    } catch {
      // The server is not there; the next attempt will see.
    }
  }

  // The network's delay times the speed would make the clock jitter: small corrections are left out.
  setClock(said) {
    const drift = this.clock ? Math.abs(said.now_ms - this.nowMs()) : Infinity;
    if (!this.clock || said.speed !== this.clock.speed || drift > 1500 * Math.max(1, said.speed)) {
      this.clock = { ...said, heardAt: performance.now() };
    }
  }

  nowMs() {
    if (!this.clock) return null;
    return this.clock.now_ms + (performance.now() - this.clock.heardAt) * this.clock.speed;
  }

  ageMs() {
    if (this.fresh?.age_ms === null || this.fresh === null) return null;
    return this.fresh.age_ms + (performance.now() - this.heardAt);
  }

  // live, stale, waiting; and why.
  state() {
    if (!this.connected) return this.heardAt ? { name: "stale", why: "connection" } : { name: "waiting", why: performance.now() - this.openedAt > RETRY_MS ? "connection" : "start" };
    if (this.fresh.trouble) return { name: "stale", why: "database" };
    if (this.fresh.state === "stale") {
      return { name: "stale", why: this.fresh.partitions_behind < this.fresh.partitions ? "partitions" : "pipeline" };
    }
    return { name: this.fresh.state, why: "start" };
  }
}
