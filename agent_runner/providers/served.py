"""Whether a vendor serves a model at its own address, as far as is known without asking it."""

import re

from agent_runner.ground.suggestions import did_you_mean
from agent_runner.model.errors import UsageError
from agent_runner.providers import catalogue
from agent_runner.providers.catalogue import READY_MADE, ReadyMade


def check_served(name: str, protocol: str, model: str, host: str, entry: ReadyMade) -> None:
    """Raise UsageError for a model that the vendor at `host` does not serve, or not in this way."""
    where = f"providers.{name}"
    if entry.family and not re.match(entry.family, model):
        family = (known for known in catalogue.KNOWN_MODELS if re.match(entry.family, known))
        guess = did_you_mean(model, family)
        other = next((e.name for e in READY_MADE.values() if e.family and e is not entry), "")
        raise UsageError(
            f'provider "{name}" ({host}) does not serve model "{model}"',
            fix=guess or f"choose another model, or another provider such as --provider {other}",
            option=f"{where}.model",
        )
    if not catalogue.serves(protocol, model):
        needed = "responses" if protocol == "chat" else "chat"
        raise UsageError(
            f'model "{model}" is not served through protocol {protocol}',
            fix=f"remove {where}.protocol, or set it to {needed}",
            option=f"{where}.protocol",
        )
