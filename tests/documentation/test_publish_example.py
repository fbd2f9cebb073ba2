"""The publishing framework, and applications on it, on real directories."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlsplit

import pytest

import reg

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.fixture(scope="module")
def example():
    """The modules of the example, which are found as if it had been started."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        names = ["framework", "models", "defaults", "site", "plain", "handbook"]
        modules = {name: importlib.import_module(f"publishing.{name}") for name in names}
        yield SimpleNamespace(**modules, command=importlib.import_module("publish"))
    finally:
        sys.path.remove(str(EXAMPLES))


@pytest.fixture
def directory(tmp_path):
    """An empty directory to put files into."""
    path = tmp_path / "directory"
    path.mkdir()
    return path


@pytest.fixture
def publish(example, directory, tmp_path):
    """Publish the directory; give the rendered files by path."""

    def publish(application=None, skip=()):
        application = application or example.plain.application
        found = example.site.publish(application, directory, tmp_path / "site", skip)
        return {each.path.as_posix(): each for each in found}

    return publish


@pytest.fixture
def page(tmp_path):
    """Read a page of the site that was written."""

    def page(*parts, filename="index.html"):
        return tmp_path.joinpath("site", *parts, filename).read_text()

    return page


def implementation(rendered):
    function = rendered.implementation
    return None if function is None else f"{function.__module__}.{function.__name__}"


class _Addresses(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src")]


def addresses(page):
    """The addresses of the links and images of a page."""
    parser = _Addresses()
    parser.feed(page.read_text())
    return parser.found


def broken_links(site):
    """Addresses in a site that lead nowhere."""
    broken = []
    pages = [path for path in site.rglob("*.html") if path.is_file()]
    for page in pages:
        for address in addresses(page):
            parts = urlsplit(address)
            if parts.scheme in ("http", "https", "mailto") or not parts.path:
                continue
            path = os.fsdecode(unquote(parts.path, errors="surrogateescape"))
            if parts.scheme or not (page.parent / path).is_file():
                broken.append((page, address))
    return broken


@pytest.mark.parametrize(
    ("filename", "model", "renderer"),
    [
        ("a.txt", "Text", "preformatted"),
        ("a.rst", "ReST", "document"),
        ("a.py", "Python", "highlighted"),
        ("a.js", "Source", "highlighted"),
        ("a.toml", "Toml", "structure"),
        ("A.TOML", "Toml", "structure"),
        ("a.json", "Json", "structure"),
        ("a.ini", "Ini", "structure"),
        ("a.png", "Image", "picture"),
        ("LICENSE", "Text", "preformatted"),
    ],
)
def test_a_file_gets_the_model_and_the_implementation_for_its_kind(
    publish, directory, filename, model, renderer
):
    content = {"toml": "a = 1", "json": "{}", "ini": "[a]"}.get(filename[-4:].lstrip(".").lower())
    (directory / filename).write_text(content or "text")
    rendered = publish()[filename]
    assert type(rendered.model).__name__ == model
    assert implementation(rendered) == f"publishing.defaults.{renderer}"
    assert rendered.fell_back == []


def test_a_binary_file_falls_back_on_the_generic_function_itself(publish, directory, page):
    (directory / "data.bin").write_bytes(bytes(range(256)))
    rendered = publish()["data.bin"]
    assert rendered.implementation is None
    assert rendered.fell_back == ["nothing is registered for Unknown"]
    assert "nothing to show of data.bin" in page("data.bin")


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("broken.toml", b"a = ["),
        ("broken.json", b"{"),
        ("deep.json", b"[" * 100_000),
        ("number.json", b"1" * 5_000),
        ("broken.ini", b"no section"),
        ("twice.ini", b"[a]\nb=1\nb=2"),
    ],
)
def test_data_that_is_not_well_formed_falls_back_on_its_source(
    publish, directory, page, filename, content
):
    (directory / filename).write_bytes(content)
    rendered = publish()[filename]
    assert implementation(rendered) == "publishing.defaults.structure"
    assert rendered.fell_back[0].startswith("not well-formed: ")
    assert 'class="source"' in page(filename)


@pytest.mark.parametrize("filename", ["a.py", "a.rst", "a.toml", "a.txt", "a.json"])
@pytest.mark.parametrize("content", [b"\xff\xfe\x80", b"a\0b", b"x" * 1_000_001])
def test_a_text_that_cannot_be_read_is_reported_and_keeps_nothing_from_the_site(
    publish, directory, page, filename, content
):
    (directory / filename).write_bytes(content)
    (directory / "other.txt").write_text("other")
    rendered = publish()
    assert type(rendered[filename].model).__name__ == "Unknown"
    assert rendered[filename].implementation is None
    assert "It could not be rendered" in page(filename)
    assert "<pre>other</pre>" in page("other.txt")


@pytest.mark.parametrize(
    "filename", ["a.py", "a.rst", "a.toml", "a.ini", "a.txt", "a.png", "a.csv", "a"]
)
def test_an_empty_file_has_a_page(publish, example, directory, page, filename):
    (directory / filename).touch()
    for application in example.plain.application, example.handbook.application:
        assert publish(application)[filename].fell_back == []
        assert f"<h1>{filename}</h1>" in page(filename)


def test_what_a_file_says_is_escaped(publish, example, directory, tmp_path):
    attack = "<script>alert(1)</script>"
    (directory / "a.txt").write_text(attack)
    (directory / "b.json").write_text(f'{{"{attack}": ["{attack}"]}}')
    (directory / "c.py").write_text(f'"""{attack}"""\ndef f(x="{attack}"): pass')
    (directory / "d.rst").write_text(f"{attack}\n{'=' * 30}\n\n{attack}\n")
    (directory / "e.csv").write_text(attack)
    (directory / "<img src=x onerror=alert(1)>.toml").write_text(f"'{attack}' = '{attack}'")
    for application in example.plain.application, example.handbook.application:
        assert all(not each.fell_back for each in publish(application).values())
        for written in (tmp_path / "site").rglob("*.html"):
            assert "<script" not in written.read_text()
            assert "onerror=alert(1)>" not in written.read_text()


def test_a_document_cannot_bring_in_files_html_or_scripts(publish, directory, page, tmp_path):
    secret = tmp_path / "secret.svg"
    secret.write_text("<svg>secret</svg>")
    (directory / "evil.rst").write_text(
        f"""
.. raw:: html

   <script>alert(1)</script>

.. include:: {secret}

.. csv-table::
   :file: {secret}

.. image:: ../secret.svg
   :loading: embed

.. image:: {secret}
   :target: javascript:alert(2)

`link <javascript:alert(3)>`_ `data <data:text/html,x>`_ `file <file:///etc/passwd>`_
"""
    )
    assert publish()["evil.rst"].fell_back == []
    written = page("evil.rst")
    assert "<script" not in written
    assert "<svg" not in written
    found = addresses(tmp_path / "site" / "evil.rst" / "index.html")
    assert not [each for each in found if urlsplit(each).scheme]


def test_links_and_images_in_a_document_lead_to_pages_and_files_of_the_site(
    publish, directory, tmp_path
):
    (directory / "below").mkdir()
    (directory / "below" / "pic ture.png").write_bytes(b"picture")
    (directory / "below" / "a.rst").write_text(
        "`b <../b.txt>`_ `b <../b.txt#x>`_ `c <c.txt>`_\n\n.. image:: pic%20ture.png\n"
    )
    (directory / "b.txt").touch()
    publish()
    found = addresses(tmp_path / "site" / "below" / "a.rst" / "index.html")
    assert "../../b.txt/index.html" in found
    assert "../../b.txt/index.html#x" in found
    assert "#" in found  # there is no c.txt
    assert "../pic%20ture.png/original.png" in found
    assert broken_links(tmp_path / "site") == []


def test_symbolic_links_are_shown_and_not_followed(publish, directory, page, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("confidential")
    (directory / "out").symlink_to(tmp_path / "outside")
    (directory / "file.py").symlink_to(tmp_path / "outside" / "secret.txt")
    (directory / "loop").symlink_to(directory)
    (directory / "itself").symlink_to(directory / "itself")
    (directory / "nowhere").symlink_to("missing")
    (directory / "a.rst").write_text(".. image:: out/secret.txt\n\n`x <out/secret.txt>`_\n")
    rendered = publish()
    assert set(rendered) == {".", "a.rst", "file.py", "itself", "loop", "nowhere", "out"}
    assert type(rendered["file.py"].model).__name__ == "Link"
    assert "A symbolic link to missing" in page("nowhere")
    written = [path for path in (tmp_path / "site").rglob("*") if path.is_file()]
    assert not [path for path in written if b"confidential" in path.read_bytes()]
    assert broken_links(tmp_path / "site") == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_named_pipe_is_not_opened(publish, directory):
    os.mkfifo(directory / "pipe.py")
    os.mkfifo(directory / "pipe")
    rendered = publish()
    assert type(rendered["pipe.py"].model).__name__ == "Unknown"
    assert type(rendered["pipe"].model).__name__ == "Unknown"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_every_file_name_has_a_page_of_its_own_that_is_linked(publish, example, directory):
    names = [
        "index.html", "_index.html", "source.html", ".published-with-reg", ".hidden", "a", "a.html",
        "a b#c?d%e&\"'.md", "javascript:alert(1).txt", "new\nline.txt", "\x1b[31mred.txt",
        "[bold]x.txt", "ünïcödé.txt", os.fsdecode(b"na\xffme.txt"), "x" * 255,
    ]  # fmt: skip
    for name in names:
        (directory / name).write_text(f"text of {name!a}")
    rendered = publish()
    assert len(rendered) == len(names) + 1
    assert all(not each.fell_back for each in rendered.values())
    site = directory.parent / "site"
    pages = [path for path in site.rglob("index.html") if path.is_file()]
    assert len(pages) == len(names) + 1
    linked = {each for each in addresses(site / "index.html") if each.endswith("/index.html")}
    assert len(linked) == len(names)
    assert broken_links(site) == []
    assert example.command.report({"plain": list(rendered.values())}).row_count == len(names) + 1


def test_a_directory_called_index_html_has_its_page(publish, directory, tmp_path):
    (directory / "index.html").mkdir()
    (directory / "index.html" / "index.html").write_text("<b>")
    assert len(publish()) == 3
    assert broken_links(tmp_path / "site") == []


def test_a_directory_that_is_too_deep_to_be_written_is_reported(publish, directory):
    path = directory
    for _ in range(30):
        path = path / ("d" * 120)
    path.mkdir(parents=True)
    rendered = list(publish().values())
    assert len(rendered) == 31
    assert rendered[0].fell_back == []
    for each in rendered:
        assert each.fell_back in ([], ["not written: File name too long"])


def test_the_site_is_no_part_of_itself(example, directory):
    (directory / "a.txt").write_text("a")
    for _ in range(2):
        found = example.site.publish(example.plain.application, directory, directory / "site")
        assert [each.path.as_posix() for each in found] == [".", "a.txt"]


def test_what_is_no_site_is_not_overwritten(example, directory, tmp_path):
    occupied = tmp_path / "occupied"
    occupied.mkdir()
    (occupied / "precious.txt").write_text("precious")
    with pytest.raises(ValueError, match="is in the way"):
        example.site.publish(example.plain.application, directory, occupied)
    with pytest.raises(ValueError, match="would replace the directory to publish"):
        example.site.publish(example.plain.application, directory, tmp_path)
    assert (occupied / "precious.txt").read_text() == "precious"


def test_names_that_match_a_pattern_are_skipped(publish, directory):
    for name in "a.txt", "b.pyc", "__pycache__":
        (directory / name).touch()
    assert set(publish(skip=["*.pyc", "__pycache__"])) == {".", "a.txt"}


def test_an_application_overrides_one_implementation_and_keeps_the_rest(
    publish, example, directory, page
):
    (directory / "a.py").write_text('"""A module."""\n\ndef run(x=1): ...\n')
    (directory / "a.txt").write_text("text")
    rendered = publish(example.handbook.application)
    assert implementation(rendered["a.py"]) == "publishing.handbook.outlined"
    assert implementation(rendered["a.txt"]) == "publishing.defaults.preformatted"
    assert "<h1>A module.</h1>" in page("a.py")
    assert "<code>run(x=1)</code>" in page("a.py")
    assert 'class="source"' in page("a.py"), "the framework's part is there as well"


def test_an_application_extends_the_framework_with_a_model_of_its_own(
    publish, example, directory, page
):
    (directory / "a.csv").write_text("one,two\n")
    assert type(publish(example.handbook.application)["a.csv"].model).__name__ == "Table"
    assert "<td>one<td>two" in page("a.csv")


def test_the_other_application_does_not_notice(publish, example, directory):
    (directory / "a.csv").write_text("one,two\n")
    (directory / "a.py").write_text('"""A module."""\n')
    publish(example.handbook.application)
    rendered = publish(example.plain.application)
    assert implementation(rendered["a.py"]) == "publishing.defaults.highlighted"
    assert type(rendered["a.csv"].model).__name__ == "Text"


def test_a_readme_is_shown_below_the_index_of_its_directory(publish, example, directory, page):
    (directory / "readme.rst").write_text("Hello\n=====\n\nSee `a <a.txt>`_.\n")
    (directory / "a.txt").touch()
    publish(example.handbook.application)
    assert '<hr><p>See <a class="reference external" href="a.txt/index.html">' in page()


def test_a_view_is_found_by_its_name(example, directory):
    path = directory / "a.json"
    path.write_text('{"a": 1}\n')
    framework = example.framework
    with reg.implicit.using(example.plain.application.lookup):
        found = framework.model(path)
        assert "<dl><dt>a<dd>" in framework.render(found, framework.HTML())
        assert 'class="source"' in framework.render(found, framework.HTML("source"))
        assert framework.render(found, framework.HTML("summary")) == "1 line"
        assert framework.render(found, framework.Terminal("summary")) == "1 line"
        assert "nothing to show" in framework.render(found, framework.HTML("nonsense"))


def test_an_application_is_tested_with_a_lookup_laid_over_its_own(example, directory):
    framework, models = example.framework, example.models
    application = example.plain.application
    layer = framework.Registry(name="test")

    @layer.view(models.Image, framework.HTML)
    def no_picture(image, target):
        return "no picture"

    image = models.Image(directory / "a.png")
    lookup = reg.Lookup(reg.ListClassLookup([layer, application.lookup]))
    with reg.implicit.using(lookup):
        assert framework.render(image, framework.HTML()) == "no picture"
    assert framework.render(image, framework.HTML(), lookup=application.lookup) != "no picture"


def test_an_implementation_that_fails_costs_its_own_page_only(publish, example, directory, page):
    application = example.framework.Application("failing")

    @application.registry.view(example.models.Image, example.framework.HTML)
    def fail(image, target):
        raise RuntimeError("<no>")

    (directory / "a.png").touch()
    (directory / "b.txt").write_text("b")
    rendered = publish(application)
    assert rendered["a.png"].fell_back == ["RuntimeError: <no>"]
    assert "RuntimeError: &lt;no&gt;" in page("a.png")
    assert rendered["b.txt"].fell_back == []


def test_a_title_that_fails_costs_no_more_than_the_pages_that_need_it(
    publish, example, directory, page
):
    application = example.framework.Application("failing")

    @application.registry.implements(example.framework.title)
    def fail(model: example.models.Image):
        raise RuntimeError("no title")

    (directory / "a").mkdir()
    (directory / "a" / "a.png").touch()
    (directory / "b.txt").write_text("b")
    rendered = publish(application)
    assert rendered["a"].fell_back == ["RuntimeError: no title"]
    assert rendered["a/a.png"].fell_back == ["RuntimeError: no title"]
    assert rendered["."].fell_back == rendered["b.txt"].fell_back == []
    assert "It could not be rendered" in page("a")


@pytest.mark.parametrize("source", ["(" * 5_000, "x = " + "-" * 5_000 + "1", '"\\d"'])
def test_a_module_that_is_hard_to_parse_is_shown_all_the_same(
    publish, example, directory, page, source
):
    (directory / "a.py").write_text(source)
    rendered = publish(example.handbook.application)["a.py"]
    assert implementation(rendered) == "publishing.handbook.outlined"
    assert 'class="source"' in page("a.py")


def test_publishing_leaves_no_implicit_lookup_behind(publish):
    before = reg.implicit.lookup
    publish()
    assert reg.implicit.lookup is before


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / "publish.py", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
        timeout=120,
        check=False,
    )


# Both render documents by the same implementation, which takes most of the time.
@pytest.mark.parametrize(
    ("application", "folder"), [("plain", EXAMPLES), ("handbook", ROOT / "docs")]
)
def test_the_command_publishes_the_documentation_of_the_project(tmp_path, application, folder):
    site = tmp_path / "site"
    done = run(folder, "--application", application, "--output", site)
    assert done.stderr == ""
    assert done.returncode == 0
    assert re.search(r"publish\.py +(defaults\.highlighted|handbook\.outlined)", done.stdout)
    assert re.search(r"(index|README)\.rst +defaults\.document", done.stdout)
    assert f"{application} published" in done.stdout
    assert broken_links(site) == []


def test_the_command_shows_both_applications_on_one_folder(tmp_path):
    site = tmp_path / "site"
    done = run(EXAMPLES / "folder", "--output", site)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"teas\.csv +defaults\.preformatted +handbook\.table", done.stdout)
    assert re.search(r"shop\.toml +defaults\.structure +defaults\.structure", done.stdout)
    assert "leaves.bin fell back: nothing is registered for Unknown" in done.stdout
    assert done.stdout.splitlines()[-1] == f"Open {site / 'index.html'}"
    assert set(addresses(site / "index.html")) == {"plain/index.html", "handbook/index.html"}
    assert broken_links(site) == []


def test_a_site_of_both_applications_is_no_part_of_itself(example, directory):
    (directory / "a.txt").write_text("a")
    applications = example.plain.application, example.handbook.application
    for _ in range(2):
        rendered = example.site.publish_all(applications, directory, directory / "site")
        for files in rendered.values():
            assert [file.path.as_posix() for file in files] == [".", "a.txt"]


def test_the_command_shows_a_file_on_the_terminal(directory):
    (directory / "a.py").write_text("answer = 42\n")
    (directory / "b.bin").write_bytes(b"\0")
    assert run(directory / "a.py", "--terminal").stdout.strip() == "answer = 42"
    assert "a.py  1 line" in run(directory, "--terminal").stdout
    assert "nothing to show of b.bin" in run(directory / "b.bin", "--terminal").stdout


def test_the_command_says_what_is_wrong_with_a_directory(directory, tmp_path):
    done = run(directory / "missing", "--output", tmp_path / "site")
    assert done.returncode == 1
    assert done.stderr.strip().endswith("missing is not a directory")
    assert not (tmp_path / "site").exists()
