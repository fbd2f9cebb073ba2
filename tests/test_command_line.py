"""The command, run as a person would in a directory of an application."""

import json
import subprocess
import sys

import pytest

_SHOP = """
import reg

class Document: pass
class Invoice(Document): pass

@reg.generic
def size(obj): return 0

registry = reg.Registry(name="shop")
broken = reg.Registry(name="broken")
number = 3

@registry.implements(size)
def document_size(obj: Document): return 1

@broken.register(size, [Document, Document])
def wrong_size(obj): return 1
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "shop.py").write_text(_SHOP)

    def run(*arguments):
        command = [sys.executable, "-m", "reg", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    return run


def test_explain_tells_what_is_found(run):
    shown = run("explain", "shop:size", "shop:Invoice", "--lookup", "shop:registry")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("size(Invoice) in Registry 'shop' finds document_size\n")
    assert "shop.py:14" in shown.stdout


def test_explain_gives_data_and_a_graph(run):
    arguments = ("explain", "shop:size", "int", "--lookup", "shop:registry", "--format")
    assert json.loads(run(*arguments, "json").stdout)["component"] is None
    assert run(*arguments, "dot").stdout.startswith("digraph")


def test_list_shows_registrations_by_generic_with_places(run):
    assert run("list", "shop:registry").stdout.splitlines() == [
        "shop.size",
        "  (Document)  document_size  shop  shop.py:14",
    ]
    (registration,) = json.loads(run("list", "shop:registry", "--format", "json").stdout)
    assert (registration["key"], registration["lineno"]) == ("shop.size", 14)
    assert (
        '"shop.size" -> "shop.document_size"'
        in run("list", "shop:registry", "--format", "dot").stdout
    )


def test_check_tells_by_its_status_whether_there_are_findings(run, tmp_path):
    sound, broken = run("check", "shop:registry"), run("check", "shop:broken")
    assert (sound.returncode, sound.stdout) == (0, "0 findings\n")
    assert broken.returncode == 1
    assert "[unreachable]" in broken.stdout
    assert run("check", "shop:broken", "--accept", "unreachable").returncode == 0
    (tmp_path / "pyproject.toml").write_text('[tool.reg]\naccept = ["unreachable"]\n')
    assert run("check", "shop:broken").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "shop"], "type package.module:name"),
        (["check", "shopp:registry"], "cannot import 'shopp'"),
        (["check", "shop:registri"], "there is no 'registri' among"),
        (["check", "shop:number"], "is no registry or lookup"),
        (["check", "shop:registry", "--accept", "all"], "the kinds are unreachable"),
        (["explain", "shop:size", "int"], "add --lookup"),
        (["explain", "shop:size", "shop:size", "--lookup", "shop:registry"], "is no class"),
        (["frobnicate"], "invalid choice"),
        ([], "COMMAND"),
    ],
)
def test_a_wrong_use_is_one_line_that_says_what_to_type(run, arguments, message):
    shown = run(*arguments)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert len(shown.stderr.splitlines()) == 1
    assert message in shown.stderr
