"""What a model may look at and draft through tools, before it replies with its changes."""
