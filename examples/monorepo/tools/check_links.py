"""Every link between the pages of a folder leads to a page: `check_links.py FOLDER`."""

import re
import sys
from pathlib import Path

folder = Path(sys.argv[1])
broken = [
    f"{page}: {link} leads nowhere"
    for page in sorted(folder.glob("*.md"))
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    if not (page.parent / link).is_file()
]
print("\n".join(broken) or "all links lead somewhere")
sys.exit(bool(broken))
