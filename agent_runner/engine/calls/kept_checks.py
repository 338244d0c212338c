"""What checks said that an agent asked for: kept, as no other look is, since each runs a hook."""

import json

from attrs import define, field

from agent_runner.looking.files import Drafted
from agent_runner.looking.tool import Check, Said
from agent_runner.store.blobs import Blobs


@define
class KeptChecks:
    """What the checks of a reply said: as it was kept, else by running them."""

    blobs: Blobs
    call: str
    run: Check | None
    _kept: list[Said] = field(init=False)
    _said: list[Said] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        kept = json.loads(self.blobs.read(self._name) or b"[]")
        self._kept = [Said(text, outcome, is_error) for text, outcome, is_error in kept]

    def __call__(self, hook: str, drafts: Drafted) -> Said:
        """What the next check says."""
        number = len(self._said)
        if number < len(self._kept):
            said = self._kept[number]
        elif self.run is None:
            said = Said("no check can be run here.", "not run", is_error=True)
        else:
            said = self.run(hook, drafts)
        self._said.append(said)
        return said

    def keep(self) -> None:
        """Keep what is new; durable with the next call's start."""
        if self.run is not None and len(self._said) > len(self._kept):
            plain = [[said.text, said.outcome, said.is_error] for said in self._said]
            self.blobs.write(self._name, json.dumps(plain).encode())

    @property
    def _name(self) -> str:
        return f"{self.call}/checks"
