"""What a person sees and types: observers, keys, the escalation question."""
