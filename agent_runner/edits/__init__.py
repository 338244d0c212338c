"""From a reply to changed files: formats, matching, planning, applying."""
