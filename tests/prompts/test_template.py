"""Templates: what they fill in, and every mistake with its place."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_runner.model.errors import InputError, Problem
from agent_runner.prompts.build import check_template, load_template
from agent_runner.prompts.template import parse_template

NAMES = ("a", "b", "title")


def rendered(text: str, **values: str) -> str:
    return parse_template(text, "t.md", NAMES, ("metadata",)).render(values)


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_template(text, "t.md", NAMES, ("metadata",))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("plain", {}, "plain"),
        ("{{a}}-{{ b }}", {"a": "1", "b": "2"}, "1-2"),
        ("{{ a }}", {}, ""),
        ("{{ a }}", {"a": "{{ b }}", "b": "no"}, "{{ b }}"),
        ("{{#if a}}x{{/if}}y", {"a": "1"}, "xy"),
        ("{{#if a}}x{{/if}}y", {"a": ""}, "y"),
        ("{{#if a}}x{{else}}z{{/if}}y", {}, "zy"),
        ("{{#if a}}1{{#if b}}2{{else}}3{{/if}}4{{/if}}", {"a": "t"}, "134"),
        ("{{#if a}}1{{else}}{{#if b}}2{{/if}}5{{/if}}", {"b": "t"}, "25"),
        ("1\n  {{#if a}}  \n2\n{{/if}}\n3\n", {"a": "t"}, "1\n2\n3\n"),
        ("1\n{{#if a}}\n2\n{{else}}\n4\n{{/if}}", {}, "1\n4\n"),
        ("1\n{{! a\nlong comment }}\n2", {}, "1\n2"),
        ("1 {{! short }}2", {}, "1 2"),
        (r"\{{ a }}", {"a": "1"}, "{{ a }}"),
        ("{ a } }} {", {}, "{ a } }} {"),
        ("1\r\n{{#if a}}\r\n2\r\n{{/if}}\r\n", {"a": "t"}, "1\n2\n"),
        ("{{ metadata.any-key }}|{{ metadata.x }}", {"metadata.any-key": "v"}, "v|"),
    ],
)
def test_it_is_filled_in(text: str, values: dict[str, str], expected: str) -> None:
    assert rendered(text, **values) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x\n  {{ titel }}", "t.md:2:3: there is no value called `titel` (did you mean"),
        ("{{#if c}}{{/if}}", "t.md:1:1: there is no value called `c`"),
        ("a{{#if a}}b", "t.md:1:2: `{{#if a}}` is not closed (add {{/if}})"),
        ("{{/if}}", "t.md:1:1: `{{/if}}` without"),
        ("\n{{else}}", "t.md:2:1: `{{else}}` without"),
        ("{{#if a}}{{else}}{{else}}{{/if}}", "t.md:1:18: `{{else}}` without"),
        ("é {{ a\n}}", "t.md:1:3: `{{` is not closed on its line (to print braces, write \\{{)"),
        ("{{ }}", "t.md:1:1: `{{}}` means nothing here"),
        ("{{ a b }}", "t.md:1:1: `{{a b}}` means nothing here"),
        ("{{#each a}}", "t.md:1:1: `{{#each a}}` means nothing"),
        ("${{ secrets.KEY }}", "t.md:1:2: there is no value called `secrets.KEY`"),
        ("{{ metadata. }}", "t.md:1:1: there is no value called `metadata.`"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, expected: str) -> None:
    assert problems(text)[0].startswith(expected)


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems("{{ x }}\n{{ y }}\n{{/if}}\n{{#if a}}")) == 4


@given(st.lists(st.sampled_from(["{{", "}}", "#if a", "else", "/if", " a ", "\n", "\\", "!"])))
def test_any_text_is_a_template_or_has_mistakes(parts: list[str]) -> None:
    text = "".join(parts)
    wrong: tuple[Problem, ...] = ()
    try:
        template = parse_template(text, "t.md", NAMES)
    except InputError as error:
        wrong = error.problems
    else:
        assert "{{#if" not in template.render({"a": "1"}) or "\\{{" in text
    lines = text.split("\n")
    assert all(lines[p.line - 1][p.column - 1 :].startswith("{{") for p in wrong)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe", "not UTF-8 text (byte 0)"),
        (b" \n", "is empty"),
        (b"a" * ((1 << 20) + 1), "larger than"),
        (b"{{ nope }}", "no value called `nope`"),
    ],
)
def test_a_file_that_is_no_template_says_so(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "t.md"
    file.write_bytes(content)
    (problem,) = check_template(file)
    assert isinstance(problem, Problem)
    assert expected in str(problem)
    assert str(problem).startswith(str(file))


def test_a_missing_template_says_so(tmp_path: Path) -> None:
    (problem,) = check_template(tmp_path / "none.md")
    assert "cannot be read: No such file" in str(problem)


def test_a_right_template_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.md"
    file.write_bytes(b"\xef\xbb\xbf{{ title }}")
    assert check_template(file) == ()
    assert load_template(file).render({"title": "T"}) == "T"
