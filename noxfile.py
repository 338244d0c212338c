"""Every check of the project, each one command: `nox -s NAME`; `nox -l` lists them."""

import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False
nox.options.stop_on_first_error = False
nox.options.sessions = ["lint", "typing", "imports", "tests"]

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml(ROOT / "pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)
CHECKED_WHOLLY = "agent_runner/model/*,agent_runner/engine/*"
PYTEST = ("pytest", "-n", "auto", "--dist", "worksteal")
"""The tests on all cores. They share nothing, so whoever is idle takes the next one."""


@nox.session
def lint(session: nox.Session) -> None:
    """Every rule of ruff, and the layout that `format` gives."""
    session.install(*_groups("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def format(session: nox.Session) -> None:  # noqa: A001  # the session's name is the function's
    """Lay the code out, and mend what ruff can mend safely."""
    session.install(*_groups("lint"))
    session.run("ruff", "check", "--fix-only")
    session.run("ruff", "format")


@nox.session
def typing(session: nox.Session) -> None:
    """Strict types, in the tests and here too."""
    session.install("--editable", ".", *_groups("dev"))
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """The rooms import one way only."""
    session.install(*_groups("imports"))
    session.run("lint-imports")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on every supported Python that is installed here. Arguments go to pytest.

    All but the oldest read YAML with the parser in C, as the extra has it.
    """
    extra = "[fast]" if session.python != PYTHONS[0] else ""
    session.install("--editable", f".{extra}", *_groups("test"))
    session.run(*PYTEST, *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The quick tests with the oldest versions that pyproject.toml allows, on the oldest Python."""
    session.install("--editable", ".", *_groups("test"))
    wanted = PYPROJECT["project"]["dependencies"]
    session.install(*(re.sub(r">=([^,;]+).*", r"==\1", each) for each in wanted))
    session.run(*PYTEST, "-m", "not (slow or crash or long)", *session.posargs)


@nox.session
def cover(session: nox.Session) -> None:
    """The tests again with branch coverage, which is complete in the model and the engine."""
    session.install("--editable", ".", *_groups("test", "cover"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", *PYTEST, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")
    session.run("coverage", "report", f"--include={CHECKED_WHOLLY}", "--fail-under=100")


@nox.session
def crash(session: nox.Session) -> None:
    """The long enumerations: killed at every system call, power cuts. Minutes; some need root."""
    session.install("--editable", ".", *_groups("test"))
    session.run(*PYTEST, "-m", "long", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Mistakes of durability, made in a copy of the program: the tests named for each notice it."""
    session.install("--editable", ".", *_groups("test"))
    session.run("python", "-m", "tests.mutants", *session.posargs)


@nox.session
def explore(session: nox.Session) -> None:
    """The properties with examples that nobody tried before, ten times as many as usual.

    EXPLORE_TIMES=100 asks for more. What fails is kept as an `@example` of the property.
    """
    session.install("--editable", ".", *_groups("test"))
    explore = {"HYPOTHESIS_PROFILE": "explore"}
    session.run(*PYTEST, "-m", "hypothesis", *session.posargs, env=explore)


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, or those named: Markdown and JSON; `--docs` renews docs/performance.md."""
    session.install("--editable", ".[fast]", "nox", *_groups("test"))  # nox: a peer, for its start
    session.run("python", "-m", "tests.bench", str(_empty_folder(session)), *session.posargs)


@nox.session
def llama(session: nox.Session) -> None:
    """The real llama.cpp takes our requests, in all three protocols; its model is made up here."""
    session.install("--editable", ".", "xllamacpp", "gguf", "numpy", *_groups("test"))
    pytest = ("python", "-m", "pytest", "tests/providers/test_llama_cpp.py")
    session.run("python", "-m", "tests.providers.tiny_llama", *pytest, *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The site, where no link leads nowhere; then every block, and what is generated into pages."""
    session.install("--editable", ".", *_groups("test", "docs"))
    site = _empty_folder(session)
    session.run("sphinx-build", "-q", "-n", "-W", "--keep-going", "-c", "docs", ".", str(site))
    session.log(f"the site begins at {site / 'docs' / 'index.html'}")
    session.run(*PYTEST, "tests/docs", "tests/examples", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Source archive and wheel, and the demo from the wheel alone; then what the README types."""
    session.install(*_groups("build"))
    made = _empty_folder(session)
    session.run("python", "-m", "build", "--outdir", str(made / "dist"), silent=True)
    session.run("twine", "check", "--strict", *map(str, (made / "dist").iterdir()))
    (wheel,) = (made / "dist").glob("*.whl")
    programs = made / "venv" / "bin"
    session.run("python", "-m", "venv", str(made / "venv"))
    pip = (str(programs / "python"), "-m", "pip")
    session.run(*pip, "install", "--quiet", str(wheel), external=True)
    (made / "empty").mkdir()
    with session.chdir(made / "empty"):
        session.run(str(programs / "agent-runner"), "demo", external=True)
    home = {"HOME": str(made / "home")}
    readme = (ROOT / "README.md").read_text()
    (install,) = re.findall(r"<!-- install:begin -->\n```sh\n([^`]+)```", readme)
    session.run("sh", "-e", "-c", install, env=home, external=True)
    session.run("sh", "-c", "$HOME/.local/bin/agent-runner --version", env=home, external=True)
    session.run(
        "sh", "-c", "test -s $HOME/.local/share/man/man1/agent-runner.1", env=home, external=True
    )


@nox.session
def demo(session: nox.Session) -> None:
    """The demo, from this checkout, in a new folder."""
    session.install(".")
    session.run("agent-runner", "demo", str(_empty_folder(session) / "demo"))


def _groups(*names: str) -> tuple[str, ...]:
    """What the dependency groups of pyproject.toml ask for."""
    return nox.project.dependency_groups(PYPROJECT, *names)


def _empty_folder(session: nox.Session) -> Path:
    """The session's own temporary folder, with nothing in it from an earlier time."""
    folder = Path(session.create_tmp()).absolute()
    shutil.rmtree(folder)
    folder.mkdir()
    return folder
