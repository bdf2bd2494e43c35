// Tables that change every second without losing the reader's place.
// Everything shown goes through textContent: a ticket id or team name is never markup.

export function node(tag, className, content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (content !== undefined) made.textContent = content;
  return made;
}

export function put(element, content) {
  if (element.textContent !== content) element.textContent = content;
}

export class Rows {
  // build(item) makes a row and returns {row, update(item)}.
  constructor(body, empty, build) {
    this.body = body;
    this.empty = empty;
    this.build = build;
    this.known = new Map();
    this.filled = false;
  }

  show(items, keyOf) {
    const focused = document.activeElement;
    const before = new Map(this.known);
    this.known.clear();
    let place = this.body.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      const entry = before.get(key) ?? this.make(item);
      before.delete(key);
      this.known.set(key, entry);
      entry.item = item;
      entry.update(item);
      if (entry.row === place) place = place.nextElementSibling;
      else this.body.insertBefore(entry.row, place);
    }
    for (const { row } of before.values()) row.remove();
    this.empty.hidden = items.length > 0;
    this.filled = true;
    // Moving a row takes the focus from it.
    if (focused !== document.activeElement && this.body.contains(focused)) focused.focus({ preventScroll: true });
  }

  make(item) {
    const entry = this.build(item);
    if (this.filled) entry.row.classList.add("fresh-row");
    return entry;
  }

  // Between the news only what depends on the clock changes.
  tick() {
    for (const entry of this.known.values()) entry.tick?.(entry.item);
  }
}
