"""The policy that the examples are about; it has no mistakes."""

SHOP = """\
policy: shop
effective_from: 2026-01-01T00:00:00Z
calendars:
  office:
    zone: Europe/Berlin
    weekly: {mon: ["09:00-17:00"], tue: ["09:00-17:00"]}
    holidays: [2026-12-25]
  always: {always: true}
calendar: office
clocks:
  reply:
    start: created
    stop: {type: message, author: agent}
    at_risk: 80%
  resolution:
    start: created
    stop: [solved, closed]
    pause_statuses: pending
rules:
  - id: gold
    match: {tier: gold}
    targets: {reply: 1h, resolution: {by: priority, P1: 4h, else: 8h}}
  - id: others
    targets: {reply: 4h, resolution: {working_days: 2, cut_off: 17:00}}
"""
