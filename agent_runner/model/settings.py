"""Every option there is, with its default and one line on it.

A field made with `option()` (`options.py`) is an option of the configuration file: its name is the
key, its type says what is accepted, its metadata holds the line of documentation and how the text
is read. Everything else that lists options (`example.config.yml`, the docs, the environment
variables) is made from these classes, and the room `config` loads, merges and checks by them.
"""

import enum
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from agent_runner.model.hooks import Hook, SandboxRule
from agent_runner.model.options import Reading, group, option


class CommandsRule(enum.StrEnum):
    """Whether commands that a reply proposes may run; `ALLOW`: those in `ApplySettings.allow`."""

    NEVER = "never"
    ASK = "ask"
    ALLOW = "allow"


class OnEscalation(enum.StrEnum):
    """What a run does with a task that needs a person."""

    ASK = "ask"
    STOP = "stop"
    CONTINUE = "continue"


class ConversationRule(enum.StrEnum):
    """Whether an attempt after a failed one goes on with its conversation."""

    CONTINUE = "continue"
    FRESH = "fresh"


class TestsChanged(enum.StrEnum):
    """What follows where a task changed what judges it: both results told, a person, nothing."""

    __test__ = False  # pytest would take the class for a test

    TELL = "tell"
    ESCALATE = "escalate"
    OFF = "off"


class NothingChanged(enum.StrEnum):
    """What becomes of a task whose checks pass although it changed nothing."""

    ESCALATE = "escalate"
    PASS = "pass"  # noqa: S105  # no password


class BaselineRule(enum.StrEnum):
    """When the post-hooks run once before the first paid call of a task."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


class CommitRule(enum.StrEnum):
    """What git commits by itself."""

    OFF = "off"
    TASK = "task"
    ATTEMPT = "attempt"


class BranchRule(enum.StrEnum):
    """On which branch git commits."""

    OFF = "off"
    RUN = "run"
    TASK = "task"


class WindowKind(enum.StrEnum):
    """How a limit's window moves: with the calendar, or with the calls."""

    CALENDAR = "calendar"
    ROLLING = "rolling"


class CachedTokens(enum.StrEnum):
    """Whether input that a provider reads from its cache counts towards limits on tokens."""

    COUNT = "count"
    FREE = "free"


class ToolUse(enum.StrEnum):
    """How a model is given tools.

    AUTO: as its protocol allows. NATIVE: by the protocol's own fields. TEXT: as requests in the
    words of its reply. OFF: not at all.
    """

    AUTO = "auto"
    NATIVE = "native"
    TEXT = "text"
    OFF = "off"


class EditFormat(enum.StrEnum):
    """The form in which a model is asked to write its edits; every other form is read all the same.

    AUTO: what its family was trained on. REPLACE: the tool `edit_file`. PATCH: the tool
    `apply_patch`. BLOCKS: SEARCH/REPLACE blocks in the reply. WHOLE: whole files in the reply.
    """

    AUTO = "auto"
    REPLACE = "replace"
    PATCH = "patch"
    BLOCKS = "blocks"
    WHOLE = "whole"


@frozen
class Price:
    """What one model costs, in US dollars per million tokens; no price for cached ones: `input`."""

    input: float = option(0.0, "dollars per million input tokens", reading=Reading.NOT_NEGATIVE)
    output: float = option(0.0, "dollars per million output tokens", reading=Reading.NOT_NEGATIVE)
    cached: float | None = option(
        None,
        "dollars per million input tokens read from the provider's cache",
        reading=Reading.NOT_NEGATIVE,
    )
    cache_write: float | None = option(
        None,
        "dollars per million input tokens written to the provider's cache",
        reading=Reading.NOT_NEGATIVE,
    )
    long_prompt: int | None = option(
        None,
        "input tokens above which the whole call costs more; null: never",
        reading=Reading.POSITIVE,
        example="272000",
    )
    long_input: float = option(
        1.0, "how many times the input of such a call costs", reading=Reading.NOT_NEGATIVE
    )
    long_output: float = option(
        1.0, "how many times the output of such a call costs", reading=Reading.NOT_NEGATIVE
    )


@frozen
class ProviderSettings:
    """One provider: a wire protocol with its address, model and key."""

    protocol: str | None = option(
        None, "wire protocol: anthropic, responses, chat, command, or a plug-in's name"
    )
    command: tuple[str, ...] = option(
        (), "words of an agent's command, such as [my-agent, --print] (protocol command)"
    )
    base_url: str | None = option(None, "address of the API")
    model: str | None = option(None, "model name, as the provider spells it")
    api_key_env: str | None = option(None, "name of the environment variable that holds the key")
    api_key: str | None = option(
        None, "the key itself; a variable is safer", reading=Reading.SECRET
    )
    auth: str | None = option(
        None, "how the key is sent: bearer, x-api-key, api-key; null: as the protocol does"
    )
    ca_file: Path | None = option(
        None, "certificates to trust in addition to the usual ones (PEM)", reading=Reading.PATH
    )
    headers: Mapping[str, str] = option({}, "further HTTP headers")
    params: Mapping[str, Any] = option(
        {}, "further fields of the request body, as the provider names them"
    )
    timeout: float = option(
        600.0,
        "longest time without a word before a call counts as lost; pings are no words",
        reading=Reading.TIMEOUT,
    )
    total_timeout: float = option(
        3600.0, "longest time that a call may take in all", reading=Reading.TIMEOUT
    )
    stream: bool = option(True, "receive the answer as it is written")
    background: bool = option(
        False, "let the provider keep the answer, to fetch it after a crash (protocol responses)"
    )
    replies: Path | None = option(
        None, "folder of recorded answers (provider replay)", reading=Reading.PATH
    )
    tools: ToolUse = option(
        ToolUse.AUTO,
        "how tools are offered: native (the protocol's own), text (requests in the reply), off;"
        " auto: native where the protocol has tools",
    )
    edit_format: EditFormat = option(
        EditFormat.AUTO,
        "how edits are asked for: replace and patch (tools), blocks and whole (text);"
        " auto: by the model's family",
    )
    fallback: tuple[str, ...] = option(
        (), "providers asked in its place, in this order, while it is down or at a limit for long"
    )


@frozen
class LimitSettings:
    """Limits of one provider: requests and tokens as counts, cost in dollars; None: no limit."""

    max_requests_minute: int | None = option(None, "most calls a minute", reading=Reading.POSITIVE)
    max_requests_hour: int | None = option(None, "most calls an hour", reading=Reading.POSITIVE)
    max_requests_day: int | None = option(None, "most calls a day", reading=Reading.POSITIVE)
    max_requests_week: int | None = option(None, "most calls a week", reading=Reading.POSITIVE)
    max_tokens_minute: int | None = option(
        None, "most tokens (input and output) a minute", reading=Reading.POSITIVE
    )
    max_tokens_hour: int | None = option(
        None, "most tokens (input and output) an hour", reading=Reading.POSITIVE
    )
    max_tokens_day: int | None = option(
        None, "most tokens (input and output) a day", reading=Reading.POSITIVE
    )
    max_tokens_week: int | None = option(
        None, "most tokens (input and output) a week", reading=Reading.POSITIVE
    )
    max_cost_minute: float | None = option(
        None, "most dollars a minute (needs prices)", reading=Reading.POSITIVE
    )
    max_cost_hour: float | None = option(
        None, "most dollars an hour (needs prices)", reading=Reading.POSITIVE
    )
    max_cost_day: float | None = option(
        None, "most dollars a day (needs prices)", reading=Reading.POSITIVE
    )
    max_cost_week: float | None = option(
        None, "most dollars a week (needs prices)", reading=Reading.POSITIVE
    )
    cached_tokens: CachedTokens | None = option(
        None,
        "input read from the provider's cache under the limits of tokens: count or free;"
        " null: as the provider's own limits do",
    )
    models: Mapping[str, "LimitSettings"] = option(
        {}, "the same limits for single models, in addition to those above"
    )


@frozen
class WindowSettings:
    """Where the windows of limits begin and end."""

    window: WindowKind = option(
        WindowKind.CALENDAR, "calendar (hours, days, weeks of the clock) or rolling"
    )
    timezone: str | None = option(None, "time zone of the windows (IANA name); null: the machine's")
    week_starts: str = option("monday 00:00", "when a calendar week begins: weekday and time")


@frozen
class BudgetSettings:
    """Caps per run and per task; None means no cap."""

    max_cost_run: float | None = option(None, "most dollars a run", reading=Reading.POSITIVE)
    max_calls_run: int | None = option(None, "most calls a run", reading=Reading.POSITIVE)
    max_tokens_run: int | None = option(None, "most tokens a run", reading=Reading.POSITIVE)
    max_cost_task: float | None = option(None, "most dollars a task", reading=Reading.POSITIVE)
    max_calls_task: int | None = option(None, "most calls a task", reading=Reading.POSITIVE)
    max_tokens_task: int | None = option(None, "most tokens a task", reading=Reading.POSITIVE)
    cached_tokens: CachedTokens = option(
        CachedTokens.COUNT,
        "input read from a provider's cache under budgets of tokens: count or free",
    )


@frozen
class RetrySettings:
    """How a call that brought no answer is tried again. Times in seconds."""

    max_tries: int = option(
        9, "unanswered calls in a row before the run stops", reading=Reading.AT_LEAST_ONE
    )
    first_wait: float = option(
        1.0, "wait before the second try; doubled each time", reading=Reading.DURATION
    )
    max_backoff: float = option(60.0, "longest wait between two tries", reading=Reading.DURATION)
    max_wait: float = option(
        300.0,
        "longest wait that the run waits out; a longer one stops it",
        reading=Reading.DURATION,
    )


@frozen
class Defaults:
    """Hooks of tasks that name none."""

    pre_hooks: tuple[str, ...] = option(
        (), "hooks before the agent, for tasks that name none", example="[test-env]"
    )
    post_hooks: tuple[str, ...] = option(
        (), "hooks that judge, for tasks that name none", example="[unit-tests]"
    )


@frozen
class ApplySettings:
    """What a reply may change."""

    commands: CommandsRule | None = option(
        None, "commands a reply proposes: never, ask, allow; null: ask on a terminal"
    )
    allow: tuple[str, ...] = option(
        (), "commands allowed without asking, as patterns of words (commands: allow)"
    )
    command_timeout: float = option(
        600.0, "time-out of a proposed command", reading=Reading.TIMEOUT
    )
    sandbox: SandboxRule = option(SandboxRule.OFF, "proposed commands: auto, off, as for hooks")
    network: bool = option(False, "let sandboxed commands reach the network")
    protect: tuple[str, ...] = option((), "globs that no task may change")
    may_change: tuple[str, ...] = option(
        (), "globs of scripts, CI definitions and git hooks that tasks may change; protect wins"
    )
    ignored_files: bool = option(False, "let a reply change files that git ignores")


@frozen
class SandboxSettings:
    """What all sandboxed hooks and commands may do beside writing the task's files."""

    writable: tuple[str, ...] = option(
        (),
        "further files and folders they may write, from the task's folder on, ~: your home folder",
        example="[~/.cache/go-build]",
    )
    readable: tuple[str, ...] = option(
        (),
        "globs of the task's files that look like secrets and that they may read",
        example="[.env.test]",
    )
    masked: tuple[str, ...] = option(
        (),
        "further files and folders they cannot read, beside those in which programs keep keys",
        example="[~/work/customers]",
    )


@frozen
class GitSettings:
    """What the runner does with git, where there is git."""

    commit: CommitRule = option(CommitRule.OFF, "commit what a task changed: off, task, attempt")
    message: str = option(
        "{title}", "first line of the commit message; {id}, {title} and {attempt} are filled in"
    )
    branch: BranchRule = option(
        BranchRule.OFF,
        "commit on a branch of its own, agent-runner/LIST or agent-runner/TASK: off, run, task",
    )
    include_modified: bool = option(
        False, "also commit files that you had modified before the task began"
    )
    commit_timeout: float = option(
        300.0, "time-out of one commit with the hooks that git runs", reading=Reading.TIMEOUT
    )


@frozen
class PromptSettings:
    """What the agent is shown."""

    max_tokens: int = option(
        60_000,
        "most tokens of one prompt, the conversation so far included; what was shown first gives"
        " way",
        reading=Reading.AT_LEAST_ONE,
    )
    max_turns: int = option(
        30,
        "how often in one attempt the agent may ask to see something; 0: never",
        reading=Reading.NOT_NEGATIVE,
    )
    hide: tuple[str, ...] = option(
        (), "globs of files that no agent is shown, beside those that look like secrets"
    )
    system_template: Path | None = option(
        None, "your own template of the system text, in place of ours", reading=Reading.PATH
    )


@frozen
class NotifySettings:
    """Commands that are run when something happens.

    Each is given a line of JSON on standard input, and AGENT_RUNNER_* variables.
    """

    escalated: str | None = option(None, "a task needs a person")
    finished: str | None = option(None, "the run ended with nothing left to do")
    limit: str | None = option(None, "the run stopped at a limit")
    crashed_and_resumed: str | None = option(None, "a run went on after one that ended uncleanly")
    timeout: float = option(30.0, "time-out of a notify command", reading=Reading.TIMEOUT)


@frozen
class Settings:
    """The merged configuration of a run."""

    provider: str | None = option(None, "which provider to ask", example="claude")
    model: str | None = option(None, "model for this run, in place of the provider's own")
    providers: Mapping[str, ProviderSettings] = option({}, "providers by name")
    rate_limits: Mapping[str, LimitSettings] = option({}, "limits by provider name")
    limits: WindowSettings = group(WindowSettings, "where the windows of limits begin and end")
    budget: BudgetSettings = group(BudgetSettings, "caps per run and per task")
    prices: Mapping[str, Price] = option({}, "prices by model name, for costs")
    retry: RetrySettings = group(RetrySettings, "what happens when a call brings no answer")
    hooks: Mapping[str, Hook] = option({}, "hooks by id")
    defaults: Defaults = group(Defaults, "hooks of tasks that name none")
    test_command: str | None = option(
        None, "shorthand: a post-hook named test, before the default ones"
    )
    max_attempts_per_task: int = option(
        3, "attempts before a person is asked", reading=Reading.AT_LEAST_ONE
    )
    max_consecutive_failures: int = option(
        5,
        "post-hook failures of a task in a row before a person is asked",
        reading=Reading.AT_LEAST_ONE,
    )
    max_no_progress: int = option(
        2,
        "attempts in a row without progress before a person is asked",
        reading=Reading.AT_LEAST_ONE,
    )
    max_edit_retries: int = option(
        2,
        "corrections of a reply that does not apply, before it counts as an attempt",
        reading=Reading.NOT_NEGATIVE,
    )
    max_unusable_replies: int = option(
        2, "unusable replies that are asked for again", reading=Reading.NOT_NEGATIVE
    )
    max_escalations_in_row: int = option(
        3, "escalated tasks in a row before the run stops", reading=Reading.AT_LEAST_ONE
    )
    max_minutes_task: float | None = option(
        None,
        "most minutes a task is worked on before a person is asked; waits for limits do not count",
        reading=Reading.POSITIVE,
    )
    max_minutes_run: float | None = option(
        None, "most minutes a run takes before it stops and saves", reading=Reading.POSITIVE
    )
    max_output_tokens: int = option(
        16_000, "most tokens of one answer; reserved before the call", reading=Reading.AT_LEAST_ONE
    )
    stop_on_first_failure: bool = option(False, "stop and ask at the first post-hook failure")
    on_escalation: OnEscalation = option(
        OnEscalation.ASK, "ask on a terminal, stop the run, or continue with other tasks"
    )
    take_back_failed: bool = option(
        True,
        "take a failed task's changes back before the run continues with others"
        " (on_escalation: continue)",
    )
    summary_failures: int = option(
        3, "failures and attempts shown when a person is asked", reading=Reading.AT_LEAST_ONE
    )
    baseline: BaselineRule = option(
        BaselineRule.AUTO, "run the post-hooks before the first call: auto, always, never"
    )
    conversation: ConversationRule = option(
        ConversationRule.CONTINUE,
        "after red post-hooks: continue the conversation, or begin a fresh one for each attempt",
    )
    tests_changed: TestsChanged = option(
        TestsChanged.TELL,
        "judge a task that changed tests by those of before, too, and: tell, escalate; off",
    )
    nothing_changed: NothingChanged = option(
        NothingChanged.ESCALATE,
        "a task that changed nothing, and whose post-hooks were green before: escalate, pass",
    )
    skip_if_green: bool = option(
        False, "pass a task without a call if its post-hooks pass before it"
    )
    apply: ApplySettings = group(ApplySettings, "what a reply may change")
    sandbox: SandboxSettings = group(SandboxSettings, "what sandboxed hooks and commands may do")
    git: GitSettings = group(GitSettings, "what is done with git")
    template: Path | None = option(None, "your own prompt template", reading=Reading.PATH)
    prompt: PromptSettings = group(PromptSettings, "what the agent is shown")
    notify: NotifySettings = group(NotifySettings, "commands run when something happens")
    trust: tuple[str, ...] = option(
        (),
        "folders whose projects may send keys where they want; in your own file only",
    )
    ledger: bool = option(
        True, "share the use of limits between your projects through ~/.agent-runner/"
    )
