"""Repositories made by chance, each with one function that is wrong and is used in three places."""

import random
from pathlib import Path

from tests.workspace.repos import Repo

WRONG = "    return a - 1  # off by one\n"
RIGHT = "    return a  # off by one\n"

_WORDS = ("load", "parse", "node", "edge", "user", "config", "value", "render", "queue", "path")


def made(root: Path, seed: int) -> tuple[Repo, str, dict[str, str]]:
    """A repository with a function that is wrong, used in several packages; its name; all files."""
    dice = random.Random(seed)
    repo, name = Repo.created(root), f"{dice.choice(_WORDS)}_{dice.choice(_WORDS)}_{seed}"
    files: dict[str, str] = {}
    for number in range(dice.randrange(30, 120)):
        folder = "/".join(dice.choice(_WORDS) for _ in range(dice.randrange(4)))
        lines = [
            f"def {dice.choice(_WORDS)}_{number}_{line}(a):\n    return a + {line}\n"
            for line in range(dice.choice([1, 5, 300]))
        ]
        files[f"{folder}/m{number}.py".lstrip("/")] = "\n\n".join(lines)
    places = dice.sample(sorted(files), 4)
    files[places[0]] += f"\n\ndef {name}(a):\n{WRONG}"
    for place in places[1:]:
        files[place] += f"\n\nprint({name}(2))\n"
    for path, text in files.items():
        repo.write(path, text)
    repo.commit_all(f"Begin with {name}")
    return repo, name, files
