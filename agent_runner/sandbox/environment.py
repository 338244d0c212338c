"""Variables by which a command would find what could work for it outside of its confinement."""

from collections.abc import Mapping

WITHOUT_SOCKETS: Mapping[str, None] = dict.fromkeys(
    (
        *("SSH_AUTH_SOCK", "SSH_AGENT_PID", "GPG_AGENT_INFO", "GNOME_KEYRING_CONTROL"),
        *("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS", "XDG_RUNTIME_DIR"),
        *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "TMUX", "STY"),
        *("DOCKER_HOST", "CONTAINER_HOST", "PODMAN_HOST"),
    )
)
"""Left out for every confined command: agents for keys, message buses, screens, containers."""

_SECRET_ENDINGS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIALS")
_SECRET_NAMES = frozenset({"DATABASE_URL", "KUBECONFIG", "NETRC", "PGPASSFILE", "KRB5CCNAME"})


def looks_secret(name: str) -> bool:
    """Whether a variable of that name usually holds a key or leads to one."""
    upper = name.upper()
    return upper.endswith(_SECRET_ENDINGS) or upper in _SECRET_NAMES
