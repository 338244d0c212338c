"""What a hook sees of the environment: everything but provider keys, and who it runs for."""

from collections.abc import Collection, Mapping

from agent_runner.model.hooks import Hook

_OURS = "AGENT_RUNNER_"
_KEY = "API_KEY"


def environment(
    base: Mapping[str, str], hook: Hook, key_names: Collection[str], told: Mapping[str, str]
) -> dict[str, str]:
    """`base` without what holds keys (unless `hook.pass_keys`), then the hook's own, then `told`.

    Keys that are configured as `AGENT_RUNNER_..._API_KEY` are among them without being named.
    """
    if hook.pass_keys:
        kept = dict(base)
    else:
        hidden = set(key_names)
        kept = {name: value for name, value in base.items() if not _is_key(name, hidden)}
    return {**kept, **hook.env, **told}


def _is_key(name: str, hidden: Collection[str]) -> bool:
    return name in hidden or (name.startswith(_OURS) and name.endswith(_KEY))
