"""What every test folder shares: the hypothesis profiles."""

import os

from hypothesis import HealthCheck, settings

# Shared machines stall: a deadline would fail tests for being slow once. `ci` takes the same
# examples every time, so that a failure there is one that others can see too.
settings.register_profile("dev", deadline=None)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))
