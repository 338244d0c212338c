"""Loading, merging and checking the configuration."""

from agent_runner.config.environment import Variable, environment_variables
from agent_runner.config.loading import (
    Loaded,
    check_all,
    load_settings,
    survey_settings,
)
from agent_runner.config.reference import options_table, render_example, with_table
from agent_runner.config.show import settings_lines, settings_lines_with_origins

__all__ = [
    "Loaded",
    "Variable",
    "check_all",
    "environment_variables",
    "load_settings",
    "options_table",
    "render_example",
    "settings_lines",
    "settings_lines_with_origins",
    "survey_settings",
    "with_table",
]
