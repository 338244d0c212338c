"""One file for each state that has an effect, and nothing else; a step returns one event."""
