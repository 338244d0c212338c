"""One call to the agent, from who is asked and what, to what is stored and settled."""
