"""What every room stands on: clock, durable writes, globs, redaction, the token ruler."""
