"""What stands in the way of a provider's first call and can be seen without making one."""

import os
import re
import ssl
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent_runner.model.errors import UsageError
from agent_runner.providers.profiles import Profile

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""A token of RFC 9110, section 5.6.2."""


def obstacles(
    profile: Profile, writable: Iterable[str] = (), project: Path | None = None
) -> Iterator[UsageError]:
    """Files and folders that the profile names and that cannot be used; keys are not looked at.

    `writable`: what all that is confined may write, as the settings say it, relative to `project`.
    """
    where = f"providers.{profile.name}"
    if profile.replies is not None and profile.protocol == "replay":
        fault = _fault_of_folder(profile.replies)
        if fault:
            yield UsageError(
                f"the folder of recorded answers, {profile.replies}, {fault}",
                fix="correct the path, or record answers with --record",
                option=f"{where}.replies",
            )
    if profile.program is not None:
        # every run imports this file, and few ask a command
        from agent_runner.providers.commands.presets import preset_of
        from agent_runner.providers.commands.surroundings import require_visible

        try:
            require_visible(preset_of(profile), profile, writable, project)
        except UsageError as error:
            yield error
    if profile.ca_file is not None:
        try:
            trust_own_authorities(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), profile)
        except UsageError as error:
            yield error
    try:
        require_headers(profile)
    except UsageError as error:
        yield error


def require_headers(profile: Profile) -> None:
    """Raise UsageError, which shows no value, where one of the user's headers cannot be sent."""
    where = f"providers.{profile.name}.headers"
    for name, value in profile.headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise UsageError(
                f"{where}: {name!r} is no header's name",
                fix="write letters, digits and hyphens",
                option=where,
            )
        if not (value.isascii() and value.isprintable()):
            raise UsageError(
                f"{where}: the value of {name!r} holds characters that no header can carry",
                fix="write it in plain ASCII on one line",
                option=where,
            )


def trust_own_authorities(context: ssl.SSLContext, profile: Profile) -> None:
    """Add the user's own certificates to `context`. Raises UsageError if they cannot be read."""
    if profile.ca_file is None:
        return
    try:
        if profile.ca_file.exists() and not profile.ca_file.is_file():
            raise ValueError("it is not a file")  # a named pipe would be waited for, for ever
        context.load_verify_locations(cafile=str(profile.ca_file))
    except (OSError, ValueError) as error:  # what ssl raises is an OSError
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"the certificates in {profile.ca_file} cannot be read: {reason}",
            fix="name a PEM file with ca_file",
            option=f"providers.{profile.name}.ca_file",
        ) from error


def _fault_of_folder(folder: Path) -> str:
    """Why nothing can be read in `folder`, as the end of a sentence; "" if it can."""
    try:
        with os.scandir(folder):
            return ""
    except FileNotFoundError:
        return "does not exist"
    except NotADirectoryError:
        return "is not a folder"
    except (OSError, ValueError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
