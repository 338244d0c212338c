"""From a task to the text that is sent."""
