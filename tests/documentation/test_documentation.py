"""Every example in the README and in the documentation runs."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
from docutils.core import publish_doctree
from sybil import Sybil
from sybil.parsers.rest import DocTestParser, PythonCodeBlockParser

import reg

ROOT = Path(__file__).parents[2]
# These run in environments of their own, with the distributions that they are about.
ELSEWHERE = {ROOT / "docs/backends/user.rst", *(ROOT / "docs/examples").rglob("*.rst")}
PAGES = [ROOT / "README.rst", *sorted({*(ROOT / "docs").rglob("*.rst")} - ELSEWHERE)]
EXAMPLES = Sybil(
    parsers=[
        DocTestParser(optionflags=doctest.ELLIPSIS),
        PythonCodeBlockParser(),
    ]
)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_of_a_page_run(page):
    reg.implicit.clear()  # the state of a new program; conftest restores the former one
    for example in EXAMPLES.parse(page).examples():
        example.evaluate()


@pytest.mark.parametrize("name", ["README.rst", "docs/index.rst", "docs/tutorial.rst"])
def test_a_page_that_shows_how_to_begin_has_examples(name):
    assert list(EXAMPLES.parse(ROOT / name).examples())


def test_a_wrong_example_is_noticed(tmp_path):
    page = tmp_path / "page.rst"
    page.write_text(">>> 1 + 1\n3\n")
    (example,) = EXAMPLES.parse(page).examples()
    with pytest.raises(Exception, match="Expected:"):
        example.evaluate()


def test_the_readme_has_the_command_by_which_the_package_is_tested():
    command = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert f"$ {command}\n" in (ROOT / "README.rst").read_text()


def test_the_design_page_names_each_module_of_the_core_with_its_subject():
    page = (ROOT / "docs" / "design.rst").read_text()
    named = re.findall(r"``(\w+)``", "".join(re.findall(r"^   \* - .*", page, re.MULTILINE)))
    modules = [path.stem for path in (ROOT / "reg").glob("[!_]*.py")]
    modules += [path.stem for path in (ROOT / "reg").glob("_[!_]*.py")]
    assert sorted(modules) == sorted(named)


def test_the_links_of_the_readme_lead_to_files_of_the_repository():
    targets = re.findall(r"<([^<>:]+)>`_", (ROOT / "README.rst").read_text())
    assert targets
    assert [target for target in targets if not (ROOT / target).is_file()] == []


def test_the_readme_is_short_and_no_sphinx_is_needed_to_render_it():
    text = (ROOT / "README.rst").read_text()
    assert len(text.splitlines()) < 100
    publish_doctree(text, settings_overrides={"halt_level": 2, "report_level": 2})


def test_a_link_that_leads_nowhere_is_noticed_in_the_written_pages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "_ext")
    from check_links import broken_links

    (tmp_path / "part").mkdir()
    targets = ["part/other.html#there", "part/other.html#gone", "gone.html", "https://gone.example"]
    links = "".join(f'<a href="{target}">a link</a>' for target in targets)
    (tmp_path / "page.html").write_text(links)
    (tmp_path / "part" / "other.html").write_text('<p id="there"><a href="../page.html#">up</a>')
    page = tmp_path / "page.html"
    assert broken_links(tmp_path) == [(page, "gone.html"), (page, "part/other.html#gone")]
