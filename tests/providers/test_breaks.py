"""Every way in which a connection fails, and whether that may have been billed."""

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from agent_runner.model.agent import Finish
from agent_runner.model.errors import FatalError, TransientError, UnknownOutcomeError
from tests.providers import dialects
from tests.providers.dialects import Spoken
from tests.providers.one_call import KEY, ask, profile_for
from tests.providers.server import STREAMED, Request, Wire, answer, serving, stream

each = pytest.mark.parametrize("spoken", dialects.ALL, ids=lambda spoken: spoken.protocol)
ends = pytest.mark.parametrize(
    "end",
    [Wire.last_chunk, Wire.close, Wire.reset, Wire.wait_for_client_to_leave],
    ids=["orderly", "fin", "reset", "stall"],
)


@each
@ends
def test_a_stream_without_its_end_is_cut(spoken: Spoken, end: Callable[[Wire], None]) -> None:
    events = spoken.events(("so far", "NEVER"), spoken.complete)
    before = events[: next(at for at, event in enumerate(events) if b"NEVER" in event)]
    with serving(stream(*before, end=end)) as server:
        asked = ask(profile_for(spoken.protocol, server.url, timeout=0.3))
    reply = asked.answer
    assert (reply.finish, reply.text) == (Finish.CUT, "so far")
    assert reply.detail
    assert reply.usage.estimated
    assert reply.usage.output > 0
    assert asked.kept == b"".join(before)


@each
@ends
def test_a_stream_cut_right_before_its_terminal_event_is_cut(
    spoken: Spoken, end: Callable[[Wire], None]
) -> None:
    """All the text came, and still it is no success."""
    with serving(stream(*spoken.events(("all",), spoken.complete)[:-1], end=end)) as server:
        reply = ask(profile_for(spoken.protocol, server.url, timeout=0.3)).answer
    assert (reply.finish, reply.text) == (Finish.CUT, "all")


@each
def test_a_stream_cut_within_its_terminal_event_is_cut(spoken: Spoken) -> None:
    *before, last = spoken.events(("all",), spoken.complete)
    with serving(stream(*before, last[:-3])) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.finish is Finish.CUT


@each
@ends
def test_headers_and_then_nothing_is_an_unknown_outcome(
    spoken: Spoken, end: Callable[[Wire], None]
) -> None:
    with serving(stream(b": ping\n\n", end=end, headers={spoken.request_id: "req_9"})) as server:
        error = ask(profile_for(spoken.protocol, server.url, timeout=0.3)).failure
    assert isinstance(error, UnknownOutcomeError)
    assert (error.status, error.request_id) == (200, "req_9")


@each
@pytest.mark.parametrize(
    "end", [Wire.close, Wire.reset, Wire.wait_for_client_to_leave], ids=["fin", "reset", "silence"]
)
def test_no_answer_at_all_is_an_unknown_outcome(
    spoken: Spoken, end: Callable[[Wire], None]
) -> None:
    with serving(lambda wire, _request: end(wire)) as server:
        error = ask(profile_for(spoken.protocol, server.url, timeout=0.3)).failure
    assert isinstance(error, UnknownOutcomeError)
    assert "may have been billed" in str(error)
    assert len(server.requests) == 1, "a call that may have been billed was sent again"


PING = b'event: ping\ndata: {"type": "ping"}\n\n'


@each
@pytest.mark.parametrize("words", [(), ("so far",)], ids=["none", "some"])
def test_signs_of_life_are_no_words(spoken: Spoken, words: tuple[str, ...]) -> None:
    def alive(wire: Wire) -> None:
        while not server.left.wait(0.05):
            wire.chunk(PING)

    events = spoken.events((*words, "NEVER"), spoken.complete)
    begun = next(at for at, piece in enumerate(events) if b"NEVER" in piece)
    pieces = events[:begun] if words else (b": hello\n\n",)
    with serving(stream(*pieces, end=alive)) as server:
        asked = ask(profile_for(spoken.protocol, server.url, timeout=0.4))
    if words:
        assert (asked.answer.finish, asked.answer.text) == (Finish.CUT, "so far")
        assert "no word" in asked.answer.detail
    else:
        assert isinstance(asked.failure, UnknownOutcomeError)


def test_a_call_has_an_end_though_words_come() -> None:
    def talking(wire: Wire) -> None:
        while not server.left.wait(0.05):
            wire.chunk(dialects.data_only({"choices": [{"delta": {"content": "and "}}]}))

    with serving(stream(end=talking)) as server:
        error = ask(profile_for("chat", server.url, total_timeout=0.5)).failure
    assert isinstance(error, UnknownOutcomeError)
    assert "total_timeout" in error.fix


def test_blanks_keep_a_line_open_and_are_no_answer() -> None:
    def script(wire: Wire, _request: Request) -> None:
        wire.head(200, {"content-type": "application/json", "transfer-encoding": "chunked"})
        while not server.left.wait(0.05):
            wire.chunk(b" \n")

    with serving(script) as server:
        asked = ask(profile_for("chat", server.url, timeout=0.4, stream=False))
    assert asked.reply is None or asked.reply.finish is Finish.CUT


@each
def test_half_a_whole_answer_is_cut(spoken: Spoken) -> None:
    def script(wire: Wire, _request: Request) -> None:
        wire.head(200, {"content-type": "application/json", "content-length": "5000"})
        wire.send(b'{"id": "half')
        wire.close()

    with serving(script) as server:
        reply = ask(profile_for(spoken.protocol, server.url, stream=False)).answer
    assert reply.finish is Finish.CUT


@each
def test_an_answer_in_the_old_form_of_http_ends_with_its_connection(spoken: Spoken) -> None:
    def script(wire: Wire, _request: Request) -> None:
        wire.head(200, {"content-type": STREAMED["content-type"], "connection": "close"})
        wire.send(b"".join(spoken.events(("all",), spoken.complete)))
        wire.close()

    with serving(script) as server:
        assert ask(profile_for(spoken.protocol, server.url)).answer.finish is Finish.COMPLETE


@each
def test_a_refused_connection_was_certainly_not_billed(spoken: Spoken) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = ask(profile_for(spoken.protocol, url)).failure
    assert isinstance(error, TransientError)
    assert "connection refused" in str(error)


def test_an_unknown_host_was_certainly_not_billed() -> None:
    error = ask(profile_for("chat", "http://nowhere.invalid/v1")).failure
    assert isinstance(error, TransientError)
    assert "nowhere.invalid" in str(error)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that signs itself, with its key in the same folder."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_an_untrusted_certificate_stops_before_the_key_is_sent(tls: ssl.SSLContext) -> None:
    with serving(answer({}), tls=tls) as server:
        error = ask(profile_for("chat", server.url)).failure
    assert isinstance(error, FatalError)
    assert "certificate" in str(error)
    assert "ca_file" in error.fix
    assert server.requests == []


def test_a_ca_file_makes_a_certificate_trusted(tls: ssl.SSLContext, certificate: Path) -> None:
    with serving(answer(dialects.CHAT.whole(("ok",), "stop")), tls=tls) as server:
        reply = ask(profile_for("chat", server.url, ca_file=certificate)).answer
    assert reply.text == "ok"


def test_tls_spoken_to_a_server_without_it() -> None:
    with serving(answer({})) as server:
        url = server.url.replace("http:", "https:")
        assert isinstance(ask(profile_for("chat", url)).failure, TransientError)


@each
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_takes_the_key_to_another_host(spoken: Spoken, status: int) -> None:
    with serving(answer(b"")) as stranger:
        location = {"location": f"{stranger.url}/v1/elsewhere?k={KEY}"}
        with serving(answer(b"", status=status, headers=location)) as server:
            error = ask(profile_for(spoken.protocol, server.url)).failure
    assert isinstance(error, FatalError)
    assert stranger.requests == []
    assert KEY not in str(error) + error.fix


def test_a_redirect_within_the_host_is_followed_with_method_and_body() -> None:
    spoken = dialects.CHAT
    there = answer(b"", status=308, headers={"location": "/v2/chat/completions"})
    with serving(there, answer(spoken.whole(("moved",), "stop"))) as server:
        assert ask(profile_for("chat", server.url)).answer.text == "moved"
    assert server.requests[1].path == "/v2/chat/completions"
    assert server.requests[1].raw == server.requests[0].raw


def test_a_redirect_in_circles_ends() -> None:
    with serving(answer(b"", status=307, headers={"location": "/again"})) as server:
        assert "in circles" in str(ask(profile_for("chat", server.url)).failure)


def test_a_web_page_is_no_answer() -> None:
    with serving(answer(b"<html>", headers={"content-type": "text/html"})) as server:
        error = ask(profile_for("chat", server.url)).failure
    assert isinstance(error, FatalError)
    assert "base_url" in error.fix


def test_the_connection_is_probed_so_that_no_network_drops_it() -> None:
    """An answer that is thought about for minutes must not die on an idle connection."""
    from agent_runner.providers.http.connection import _keep_alive

    with socket.socket() as probe:
        for level, name, value in _keep_alive():
            probe.setsockopt(level, name, value)
        assert probe.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
