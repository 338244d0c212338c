"""Proxies and certificates that the environment names: used, left out, and mistakes named."""

import gc
import socket
import sys
from pathlib import Path

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import TransientError, UsageError
from agent_runner.model.settings import ProviderSettings, Settings
from agent_runner.providers.profiles import resolve
from agent_runner.providers.proxies import proxy_for
from tests.providers import dialects
from tests.providers.one_call import ask, profile_for
from tests.providers.server import Request, Wire, answer, serving
from tests.providers.socks import REFUSED, socks_proxy

FAR = "http://models.example.com/v1"
FINE = answer(dialects.CHAT.whole(("fine",), "stop"))


def test_an_address_is_asked_by_the_proxy() -> None:
    with serving(FINE) as proxy:
        profile = profile_for("chat", FAR, env={"http_proxy": proxy.url}, stream=False)
        assert ask(profile).answer.finish is Finish.COMPLETE
    assert proxy.requests[0].path == f"{FAR}/chat/completions"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_this_machine_is_asked_directly(host: str) -> None:
    env = {"HTTP_PROXY": "http://192.0.2.1:9", "ALL_PROXY": "nonsense"}
    assert proxy_for(f"http://{host}:8080/v1", env) is None


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:1"}, "https_proxy"),
        ({"HTTPS_PROXY": "http://b:1", "ALL_PROXY": "http://c:1"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "c:1"}, "ALL_PROXY"),
        ({"http_proxy": "http://a:1"}, None),
        ({"https_proxy": "", "HTTPS_PROXY": "http://b:1"}, None),
        ({}, None),
    ],
)
def test_which_variable_counts(env: dict[str, str], variable: str | None) -> None:
    found = proxy_for("https://models.example.com", env)
    assert (found.variable if found else None) == variable


@pytest.mark.parametrize(
    ("listed", "exempt"),
    [
        ("models.example.com", True),
        ("example.com", True),
        (".example.com", True),
        ("*.example.com", True),
        ("a, b,models.example.com:443", True),
        ("*", True),
        ("MODELS.EXAMPLE.COM", True),
        ("models.example.com:80", False),
        ("ample.com", False),
        ("other.com", False),
        ("", False),
    ],
)
def test_no_proxy(listed: str, exempt: bool) -> None:
    env = {"HTTPS_PROXY": "http://a:1", "NO_PROXY": listed}
    assert (proxy_for("https://models.example.com/v1", env) is None) is exempt


@pytest.mark.parametrize(
    ("listed", "exempt"),
    [("10.0.0.0/8", True), ("10.1.2.3", True), ("fd00::/8", False), ("11.0.0.0/8", False)],
)
def test_no_proxy_by_number(listed: str, exempt: bool) -> None:
    env = {"ALL_PROXY": "http://a:1", "no_proxy": listed}
    assert (proxy_for("http://10.1.2.3:80/v1", env) is None) is exempt


@pytest.mark.parametrize(
    "value", ["nonsense://x", "http://", "http://a:port", "ftp://a:1", "http://a b", "http://[::1"]
)
def test_nonsense_is_named_before_any_call(value: str) -> None:
    with pytest.raises(UsageError, match="HTTP_PROXY") as caught:
        profile_for("chat", FAR, env={"HTTP_PROXY": value})
    assert "http://host:port" in caught.value.fix


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_an_address_is_asked_by_a_socks_proxy(scheme: str) -> None:
    """The proxy looks the name up: nothing of it is asked of this machine's own network."""
    with serving(FINE) as server, socks_proxy(server.url) as proxy:
        env = {"ALL_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"}
        profile = profile_for("chat", FAR, env=env, stream=False)
        assert ask(profile).answer.finish is Finish.COMPLETE
    assert proxy.asked == [("models.example.com", 80)]
    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].headers["host"] == "models.example.com"


def test_a_socks_proxy_may_want_a_password() -> None:
    with serving(FINE) as server, socks_proxy(server.url, login=("u", "pass word")) as proxy:
        env = {"all_proxy": f"socks5://u:pass%20word@127.0.0.1:{proxy.port}"}
        assert ask(profile_for("chat", FAR, env=env, stream=False)).error is None
    assert proxy.logins == [("u", "pass word")]


# httpcore 1.0 leaves the connection to the collector where a SOCKS proxy refuses
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("login", [None, ("u", "another")])
def test_a_socks_proxy_that_refuses_is_said(login: tuple[str, str] | None) -> None:
    with socks_proxy("", login=login, outcome=REFUSED) as proxy:
        env = {"ALL_PROXY": f"socks5://u:secret-pass@127.0.0.1:{proxy.port}"}
        said = repr(ask(profile_for("chat", FAR, env=env)).failure)
    gc.collect()  # now, and not in a test that allows no warning
    assert said.startswith(TransientError.__name__)
    assert f"socks5://127.0.0.1:{proxy.port} (ALL_PROXY)" in said
    assert "secret-pass" not in said


def test_this_machine_is_not_asked_by_socks() -> None:
    with serving(FINE) as server, socks_proxy("") as proxy:
        env = {"ALL_PROXY": f"socks5://127.0.0.1:{proxy.port}"}
        profile = profile_for("chat", f"{server.url}/v1", env=env, stream=False)
        assert ask(profile).error is None
    assert proxy.asked == []


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks_says_what_is_missing(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)  # as if it were not installed
    with pytest.raises(UsageError, match="ALL_PROXY") as caught:
        profile_for("chat", FAR, env={"ALL_PROXY": f"{scheme}://127.0.0.1:9"})
    assert "httpx[socks]" in caught.value.fix


def test_a_dead_proxy_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    env = {"http_proxy": f"http://user:secret-pass@127.0.0.1:{port}"}
    error = ask(profile_for("chat", FAR, env=env)).failure
    assert isinstance(error, TransientError)
    assert f"http://127.0.0.1:{port} (http_proxy)" in str(error)
    assert "secret-pass" not in str(error)


def test_a_proxy_that_refuses_is_said() -> None:
    def refuse(wire: Wire, _request: Request) -> None:
        wire.head(502, {"content-length": "0"})
        wire.close()

    with serving(refuse) as proxy:
        env = {"HTTPS_PROXY": proxy.url}
        error = ask(profile_for("chat", FAR.replace("http:", "https:"), env=env)).failure
    assert isinstance(error, TransientError)
    assert "HTTPS_PROXY" in str(error)
    assert proxy.requests[0].method == "CONNECT"


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_certificates_that_are_not_there(variable: str) -> None:
    with pytest.raises(UsageError, match=variable):
        profile_for("chat", "https://127.0.0.1:9/v1", env={variable: "/no/such/file.pem"})
    profile_for("chat", "http://127.0.0.1:9/v1", env={variable: "/no/such/file.pem"})


def test_certificates_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("no certificate")
    for file in ("a.pem", "none.pem"):
        own = ProviderSettings(base_url="https://a", model="m", ca_file=tmp_path / file)
        with pytest.raises(UsageError, match=r"providers.p.ca_file"):
            resolve("p", Settings(providers={"p": own}), {})
