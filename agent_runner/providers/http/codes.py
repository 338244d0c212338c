"""Error codes and types of the providers, by what they mean, in lower case.

From Anthropic's and OpenAI's documentation and SDKs, and from the documentation and source of
compatible servers (LiteLLM, llama.cpp, OpenRouter, Azure), as of November 2026. A code that is not
here is judged by the call's status.
"""

import re

BUDGET = frozenset(
    {
        # OpenAI, under type `insufficient_quota`, with 429 for most and 400 for the last
        "credit_balance_exhausted",
        "insufficient_quota",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
        "billing_hard_limit_reached",
        # Anthropic, with 402 or 429: tier and contract caps last to the end of the month
        "billing_error",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "linked_organization_billing_unavailable",
        "linked_organization_spend_limit_reached",
    }
)
"""Credit, quota or a spend cap is used up: no waiting of ours mends that."""

BUDGET_WORDS = re.compile(
    r"credit balance is too low|reached (?:your|its|the) specified .{0,20}usage limits"
    r"|billing hard limit",
    re.IGNORECASE,
)
"""The same in words: Anthropic reports low credit and one's own spend limit as a plain 400."""

TOO_LARGE = frozenset(
    {
        "context_length_exceeded",
        "exceed_context_size_error",
        "request_too_large",
        "request_body_too_large_after_decoding",
        "string_above_max_length",
    }
)
"""The prompt, or the whole request, can never fit."""

TOO_LARGE_WORDS = re.compile(
    r"prompt is too long|maximum context length|exceeds? (?:the )?(?:model's )?context (?:limit|"
    r"window|length|size)|context window of \d|request too large for",
    re.IGNORECASE,
)
"""The same in words. OpenAI says "request too large" under 429, where it would be waited for."""

AUTH = frozenset(
    {"authentication_error", "invalid_api_key", "permission_error", "organization_on_hold"}
)
"""The key is missing, wrong or not allowed."""

LIMIT = frozenset(
    {"rate_limit_error", "rate_limit_exceeded", "throttling_error", "slow_down", "429"}
)
"""A limit that passes; `429` is what LiteLLM writes as a code."""

PASSING = frozenset(
    {
        "api_error",
        "overloaded_error",
        "server_error",
        "server_is_overloaded",
        "service_unavailable_error",
        "timeout_error",
    }
)
"""The server is in trouble; the same call may work soon."""

INVALID = frozenset(
    {
        "bad_request",
        "invalid_request",
        "invalid_request_error",
        "model_not_found",
        "not_found_error",
        "unsupported_parameter",
        "unsupported_value",
    }
)
"""The request itself is wrong: asked again it would fail again."""

DECLINED = frozenset({"content_filter", "content_policy_violation", "invalid_prompt"})
"""A filter turned the prompt away: a refusal of this task."""
