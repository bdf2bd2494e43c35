"""Every number that people read, declared once: its formula, its source, and how ClickHouse gives it."""
