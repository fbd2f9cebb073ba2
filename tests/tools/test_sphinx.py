"""The Sphinx extension, in a small project that is really built."""

import subprocess
import sys

import pytest

pytest.importorskip("sphinx", reason="sphinx is an extra")

_SHOP = '''
import reg

class Document:
    """A document."""

@reg.generic
def size(obj: Document, unit: str = "B") -> int:
    """How large it is."""
    return 0

registry = reg.Registry(name="shop")

@registry.implements(size)
def document_size(obj: Document, unit: str = "B") -> int:
    """Of a document."""
    return 1
'''


def _build(tmp_path, index):
    (tmp_path / "shop.py").write_text(_SHOP)
    (tmp_path / "conf.py").write_text(
        "import sys; sys.path.insert(0, '.')\n"
        "extensions = ['sphinx.ext.autodoc', 'reg.tools.sphinx']\n"
    )
    (tmp_path / "index.rst").write_text(index)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "text", ".", "out"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    text = tmp_path / "out" / "index.txt"
    return shown, text.read_text() if text.exists() else ""


def test_a_generic_is_documented_with_signature_docstring_and_implementations(tmp_path):
    shown, text = _build(
        tmp_path,
        "Shop\n====\n\n.. automodule:: shop\n   :members:\n\n"
        ".. reg-implementations:: shop:size\n   :lookup: shop:registry\n",
    )
    assert shown.returncode == 0, shown.stderr
    assert "shop.size(obj: Document, unit: str = 'B') -> int" in text
    assert "How large it is." in text
    table = text[text.index("Registered for") :]
    assert "Document" in table
    assert "document_size" in table
    assert "shop" in table


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        (".. reg-implementations:: shop:size\n", "add :lookup:"),
        (
            ".. reg-implementations:: shop:sise\n   :lookup: shop:registry\n",
            "there is no 'sise' among size",
        ),
        (".. reg-implementations:: shop:size\n   :lookup: shop:Document\n", "is not a lookup"),
    ],
)
def test_a_wrong_directive_is_an_error_with_the_correct_form(tmp_path, directive, message):
    shown, _ = _build(tmp_path, f"Shop\n====\n\n{directive}")
    assert shown.returncode != 0
    assert message in shown.stderr
