"""Tells files that look like secrets, which no agent is ever shown. In doubt a file is one."""

import re
from functools import lru_cache

from agent_runner.ground.globs import Globs

_NAMES = Globs(
    (
        *(".env*", "*.env", ".envrc", ".flaskenv", "env.local"),
        *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk", "*.der"),
        *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.gpg", "*.asc", "*.age"),
        *("credentials*", ".credentials*", "client_secret*", "service[-_]account*.json"),
        *("secrets.*", "secret.*", ".secrets*", "*.secret", "*.secrets", ".vault*", "vault-*"),
        *(".netrc", "_netrc", ".pgpass", ".my.cnf", ".htpasswd", ".git-credentials", ".pypirc"),
        *("kubeconfig*", "*.kubeconfig", ".kube", ".dockercfg", "**/.docker/config.json"),
        *(".aws", ".ssh", ".gnupg", ".azure", "gcloud", "*.tfstate*", "*.tfvars"),
    )
)
_CODE = re.compile(r"\.(py|pyi|js|ts|go|rs|java|rb|c|h|cpp|cs|md|rst)$")
"""Source and prose that is merely about secrets: `secrets.py`, `credentials.md`."""

_MAY_BE_ABOUT = Globs(("credentials*", "client_secret*", "secrets.*", "secret.*", "vault-*"))

_TOKEN = re.compile(
    r"(_auth(Token)?|_password|npmAuthToken|npmAuthIdent|password)\s*[=:]\s*[^\s$]"
    r"|://[^/\s:@$]+:[^/\s:@$]+@",
    re.IGNORECASE,
)
_TOKEN_FILES = Globs((".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf", ".pip", "nuget.config"))
PRIVATE_KEY = re.compile(r"^-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----\s*$", re.MULTILINE)
"""The line with which the text of a private key begins."""


@lru_cache(maxsize=100_000)  # every prompt asks for all files there are
def looks_secret(path: str) -> bool:
    """Whether the name alone says that the file holds a secret. Case does not matter."""
    lower = path.lower()
    if not _NAMES.covers(lower):
        return False
    return not (_CODE.search(lower) and _MAY_BE_ABOUT.covers(lower))


def holds_secret(path: str, text: str) -> bool:
    """Whether the text holds a private key, or an access token where tools keep theirs."""
    if PRIVATE_KEY.search(text):
        return True
    return may_hold_token(path) and bool(_TOKEN.search(text))


@lru_cache(maxsize=100_000)
def may_hold_token(path: str) -> bool:
    """Whether tools keep access tokens in files of that name, beside much that is none."""
    return _TOKEN_FILES.covers(path.lower())
