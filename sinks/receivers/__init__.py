"""Where notifications go: one module per kind of receiver, all of one contract."""
