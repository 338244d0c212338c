"""`python -m agent_runner.config` brings the example and the table of options up to date.

For developers, at the top of the repository, after a change of an option.
"""

from pathlib import Path

from agent_runner.config.reference import render_example, with_table


def main() -> None:
    """Write `example.config.yml`, and the table in `docs/configuration.md`."""
    Path("example.config.yml").write_text(render_example(), encoding="utf-8")
    docs = Path("docs/configuration.md")
    docs.write_text(with_table(docs.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
