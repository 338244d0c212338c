"""Protocols of other packages, through real entry points of a package on the path."""

import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from agent_runner.model.errors import UsageError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers import catalogue
from agent_runner.providers.client import IN_PLACE, WORDS, CallContext, Capabilities
from agent_runner.providers.profiles import plugged_in, resolve
from agent_runner.providers.registry import make_client
from tests.providers.one_call import PROMPT, StillClock, ask, request_for, run

CODE = """
from agent_runner.model.agent import AgentResponse
from agent_runner.providers.client import Capabilities

class Client:
    def __init__(self, profile, clock):
        self.profile = profile
    async def generate_completion(self, prompt, context):
        return AgentResponse("from the plug-in " + self.profile.params["tail"])
    async def aclose(self):
        pass

class Changing(Client):
    async def apply_code_changes(self, repo_path, instructions):
        return AgentResponse(instructions, edits=(str(repo_path),))

class Declaring(Client):
    capabilities = Capabilities(looks=True, in_place=True)
    async def generate_completion(self, prompt, context):
        return AgentResponse("", edits=(str(context.root),))
"""
ENTRY_POINTS = """[agent_runner.providers]
shouting = shouting_plugin:Client
changing = shouting_plugin:Changing
declaring = shouting_plugin:Declaring
broken = no_such_module:Client
"""


@pytest.fixture(autouse=True)
def installed(tmp_path: Path) -> Iterator[None]:
    """A package as pip leaves it."""
    (tmp_path / "shouting_plugin.py").write_text(CODE)
    metadata = tmp_path / "shouting-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    sys.path.insert(0, str(tmp_path))
    plugged_in.cache_clear()
    yield
    sys.path.remove(str(tmp_path))
    plugged_in.cache_clear()
    sys.modules.pop("shouting_plugin", None)


def test_a_protocol_of_another_package_is_used_by_name() -> None:
    own = ProviderSettings(protocol="shouting", params={"tail": "!"})
    profile = resolve("mine", Settings(providers={"mine": own}), {})
    assert ask(profile).answer.text == "from the plug-in !"


@pytest.mark.parametrize(
    ("protocol", "can"),
    [
        ("shouting", WORDS),
        ("changing", IN_PLACE),
        ("declaring", Capabilities(looks=True, in_place=True)),
    ],
)
def test_what_its_client_can_do_is_data_whether_or_not_it_declares_it(
    protocol: str, can: Capabilities
) -> None:
    client = make_client(resolve(protocol, Settings(), {}), StillClock())
    assert client.capabilities == can


@pytest.mark.parametrize(
    ("protocol", "text"), [("changing", "Be brief.\n\nSay grün."), ("declaring", "")]
)
def test_one_that_works_in_place_is_given_the_folder(protocol: str, text: str) -> None:
    client = make_client(resolve(protocol, Settings(), {}), StillClock())
    context = CallContext(request_for(), root=Path("/work/task"))
    response = run(lambda: client.generate_completion(PROMPT, context))
    assert (response.text, response.edits) == (text, ("/work/task",))
    run(client.aclose)


def test_one_that_works_in_place_answers_a_check_in_words() -> None:
    own = ProviderSettings(protocol="changing", params={"tail": "?"})
    profile = resolve("mine", Settings(providers={"mine": own}), {})
    assert ask(profile).answer.text == "from the plug-in ?"


def test_it_needs_no_configuration() -> None:
    assert resolve("shouting", Settings(), {}).protocol == "shouting"


def test_a_slip_in_its_name_is_noticed() -> None:
    own = ProviderSettings(protocol="shuoting")
    with pytest.raises(UsageError) as caught:
        resolve("mine", Settings(providers={"mine": own}), {})
    assert 'did you mean "shouting"' in caught.value.fix


def test_a_plug_in_that_cannot_be_loaded_is_named() -> None:
    profile = resolve("broken", Settings(), {})
    with pytest.raises(UsageError, match="no_such_module"):
        make_client(profile, StillClock())


@pytest.mark.parametrize("protocol", sorted({*catalogue.PROTOCOLS} - {"command"}))
def test_every_built_in_protocol_makes_a_client_that_answers_in_words(protocol: str) -> None:
    own = ProviderSettings(
        protocol=protocol, base_url="http://localhost:1/api", model="m", replies=Path("answers")
    )
    profile = resolve("mine", Settings(providers={"mine": own}), {})
    client = make_client(profile, StillClock())
    assert client.capabilities == attrs.evolve(WORDS, tools=protocol != "replay")
    run(client.aclose)


def test_a_command_works_in_a_copy() -> None:
    own = ProviderSettings(protocol="command", command=(sys.executable,))
    profile = resolve("mine", Settings(providers={"mine": own}), {})
    client = make_client(profile, StillClock())
    assert client.capabilities.in_copy
    run(client.aclose)
