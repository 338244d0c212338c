"""All that a plug-in needs, under names that stay: it imports nothing else of this package.

A plug-in brings a protocol: a way to ask an agent. It is a factory that is called with a `Profile`
and a `Clock` and returns a client, named as an entry point of the group `agent_runner.providers`:

    [project.entry-points."agent_runner.providers"]
    shouting = "my_package:Client"

The client of `protocol: shouting` then stands behind the same interface as those built in
(`AgentClient`): `capabilities`, `generate_completion(prompt, context)` and `aclose()`. One that
leaves `capabilities` out counts as `WORDS`, or, where it has a method
`apply_code_changes(repo_path, instructions)`, as `IN_PLACE`: then that method is called for tasks,
with the task's folder (a `Path`) and all that there is to say (a text).

What comes in:

- `Profile`: the provider as configured. `name`; `model`; `base_url`; `params`, whatever the user
  wrote there; `timeout` in seconds; `key`, whose `secret()` reads the key when it is needed;
  `withheld`, the variables with keys that no program you start may see.
- `Clock`: `now()` in epoch seconds, `monotonic()` in seconds, `await sleep(seconds)`. Wait with it,
  so that your tests can hand in one that does not.
- `Prompt`: `system`, the standing instructions, and `messages`, the last of which is the user's.
  `instructions_of` makes one text of it.
- `Message`: one turn, with `role` (`user` or `assistant`) and `text`.
- `CallContext`: `request`; `root`, the task's folder for clients that work in place; and whom to
  tell: `progress(tokens)`, `keep(bytes)`, `created(id)`.
- `AgentRequest`: `task`, its id; `attempt`, `turn` and `number`, counted from 1;
  `max_output_tokens`.

What goes out:

- `AgentResponse`: `text`, `finish` and `usage`; where the agent changed files itself `edits`, a
  tuple of unified diffs against the files under `root` (empty: it changed nothing); `logs`, lines
  for people.
- `Finish`: how the reply ended. Only `COMPLETE` is a full answer.
- `Usage`: counts of tokens. `input` includes `cached` and `cache_write`, `output` includes
  `reasoning`; `estimated` where nobody counted them, as with `tokens_of`.
- `ReportedLimit`: what the provider said of its limits, with times in epoch seconds.

Where no answer came, raise one of the errors below, with what happened and a `fix`, what to do
next. Which one it is decides what follows: `RateLimitedError(what, retry_after=seconds)` and
`TransientError` are waited for; `UnknownOutcomeError` is asked again and counts as possibly billed;
`CallTooLargeError` is a matter of this task; `AuthError`, `BudgetError` and `FatalError` stop the
run. The factory raises `UsageError` for a configuration that cannot work. Whatever else is raised
is a bug.

A call may be cancelled at every await (anyio's cancellation): end what you started, then let the
exception through. Nothing under `root` may be changed but by the runner.
"""

from collections.abc import Iterable
from pathlib import Path

from agent_runner.ground.clock import Clock
from agent_runner.ground.tokens import tokens_of
from agent_runner.model.agent import (
    AgentRequest,
    AgentResponse,
    Finish,
    Message,
    Prompt,
    ToolAnswer,
    ToolCall,
    ToolSpec,
)
from agent_runner.model.errors import (
    AuthError,
    BudgetError,
    CallTooLargeError,
    FatalError,
    ProviderError,
    RateLimitedError,
    ToolsDeclinedError,
    TransientError,
    UnknownOutcomeError,
    UsageError,
)
from agent_runner.model.usage import ReportedLimit, Usage
from agent_runner.providers.client import (
    IN_PLACE,
    WORDS,
    AgentClient,
    CallContext,
    Capabilities,
    ClientFactory,
    instructions_of,
)
from agent_runner.providers.profiles import Profile
from agent_runner.workspace.git import Repository
from agent_runner.workspace.names import LEAVINGS, Scope, file_names

__all__ = [
    "IN_PLACE",
    "LEAVINGS",
    "WORDS",
    "AgentClient",
    "AgentRequest",
    "AgentResponse",
    "AuthError",
    "BudgetError",
    "CallContext",
    "CallTooLargeError",
    "Capabilities",
    "ClientFactory",
    "Clock",
    "FatalError",
    "Finish",
    "Message",
    "Profile",
    "Prompt",
    "ProviderError",
    "RateLimitedError",
    "ReportedLimit",
    "ToolAnswer",
    "ToolCall",
    "ToolSpec",
    "ToolsDeclinedError",
    "TransientError",
    "UnknownOutcomeError",
    "Usage",
    "UsageError",
    "ignored_files",
    "instructions_of",
    "task_files",
    "tokens_of",
]


def task_files(root: Path) -> list[str]:
    """The files and links below `root` that are a task's, as an agent is shown them.

    Paths relative to `root`, with `/`, sorted: what git does not ignore; without git everything but
    `LEAVINGS` (names of folders and files that tools leave behind, such as `node_modules`). A file
    may be gone by the time it is read. Raises UsageError where git refuses to use its repository.
    """
    return list(file_names(Scope(root)))


def ignored_files(root: Path, names: Iterable[str]) -> set[str]:
    """Those of `names` (relative to `root`, there or not) that git ignores; none without git."""
    repository = Repository.find(root)
    return repository.ignored(names) if repository is not None else set()
