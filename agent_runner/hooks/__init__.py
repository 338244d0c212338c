"""Running the user's hooks and proposed commands."""
