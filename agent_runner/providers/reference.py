"""`python -m agent_runner.providers.reference` renews the docs' table of ready-made providers.

For developers, at the top of the repository, after a change of an entry in the catalogue.
"""

from pathlib import Path

from agent_runner.providers.catalogue import READY_MADE, ReadyMade

_BEGIN, _END = "<!-- ready-made:begin -->\n", "<!-- ready-made:end -->"
_HEAD = "| name | protocol | address | key | note |\n|---|---|---|---|---|\n"


def with_ready_made(text: str) -> str:
    """The page with the table between its two marks as the catalogue gives it."""
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    rows = "".join(map(_row, READY_MADE.values()))
    return f"{before}{_BEGIN}{_HEAD}{rows}{_END}{after}"


def _row(entry: ReadyMade) -> str:
    names = ", ".join(f"`{name}`" for name in (entry.name, *entry.aliases))
    file = "command" if entry.protocol == "command" else "replies"
    settable = (*entry.base_urls, "base_url") if entry.base_urls else (file,)
    address = f"`{entry.base_url}`" if entry.base_url else " or ".join(f"`{s}`" for s in settable)
    model = f"model `{entry.model}` unless set" if entry.model and entry.key_needed else ""
    note = "; ".join(filter(None, (model, entry.about)))
    return f"| {names} | {entry.protocol or 'by model'} | {address} | {_key(entry)} | {note} |\n"


def _key(entry: ReadyMade) -> str:
    """Its variables; how a key is sent only where that differs from the provider's own way."""
    keys = ", else ".join(
        f"`{key.name}`" if key.auth is entry.auth else f"`{key.name}` (sent as {key.auth})"
        for key in entry.keys
    )
    return keys if entry.key_needed else f"{keys}, if it wants one" if keys else "none"


def main() -> None:
    """Write the table in `docs/providers.md`."""
    page = Path("docs/providers.md")
    page.write_text(with_ready_made(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
