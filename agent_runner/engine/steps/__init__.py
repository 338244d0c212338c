"""One file per state with an effect; each step returns exactly one event."""
