"""The examples in the documentation, as a new user would type them."""

import doctest
import re
import textwrap
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "backends"


def captioned(page):
    """The code in a page that is to be put into files, by their names."""
    blocks = re.findall(
        r"\.\. code-block:: python\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)",
        DOCS.joinpath(page).read_text(encoding="utf-8"),
    )
    return {name: textwrap.dedent(code) for name, code in blocks}


@pytest.fixture
def installed(site):
    for name, code in {**captioned("host.rst"), **captioned("backend.rst")}.items():
        site.write(name.removesuffix(".py"), code)
    site.install("shapes-turbo", {"turbo": "shapes_turbo"}, group="shapes.backends")


@pytest.mark.parametrize("page", ["host.rst", "user.rst"])
def test_the_examples_work(installed, page):
    import shapes

    text = DOCS.joinpath(page).read_text(encoding="utf-8")
    # The page for authors of hosts speaks from within the host.
    names = dict(vars(shapes)) if page == "host.rst" else {}
    test = doctest.DocTestParser().get_doctest(text, names, page, page, 0)
    assert test.examples
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    runner.run(test, out=said.append)
    assert not said, "".join(said)
    assert runner.failures == 0


def test_the_class_in_the_documentation_is_constructed(installed):
    import shapes

    assert shapes.Box(2, backend="turbo").side == 2
