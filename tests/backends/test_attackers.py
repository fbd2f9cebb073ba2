"""Distributions that pretend to be others, installed beside a host that trusts these.

Each attack is a module and an entry point of the installed distribution ``evil``,
in two groups of its own: in one it is alone, in the other the real backend is
installed beside it. A host with each policy then asks for everything. That a
module was imported is known by a file that its import writes.
"""

import json
import logging
import os
import textwrap
from collections import UserDict
from typing import NamedTuple

import pytest

from .environment import MARK, Environment, wheel

pytestmark = pytest.mark.xdist_group("attackers")

LABELS = ["accel", "acc", "fast_er", "turbo-kit"]
TRUSTED = {"accel": {"aliases": LABELS[1:], "package": "real-accel"}}
REAL = "name = 'accel'\ndef f(x): return 'real'\n"
EVIL = "\ndef f(x): return 'evil'\n"
POLICIES = ["warn", "refuse", "allow"]

HOST = '''
import warnings
from reg.backends import BackendDispatcher

def attacked(group, trusted, untrusted, labels):
    """All that comes of asking for backends of a group, by all ways there are."""
    dispatcher = BackendDispatcher(
        entrypoint_group=group, host_name="attacked", trusted_backends=trusted,
        untrusted=untrusted,
    )

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    def choose(label):
        with dispatcher.settings.use_backend(label):
            return f(1)

    def get(label):
        backend = dispatcher.get_backend(label)
        return None if backend is None else backend.f(1)

    def said(ask, label):
        try:
            return [ask(label), None]
        except (ImportError, ValueError) as error:
            return [type(error).__name__, str(error)]

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asked = {}
        for label in labels:
            ways = choose, lambda label: f(1, backend=label), get
            asked[label] = [said(ask, label) for ask in ways]
        listed = dispatcher.available_backend_names()
        automatic = f(1, backend="auto")
        # Once more, when everything has been seen.
        for label in labels:
            asked[label] += [said(ask, label) for ask in ways]
    return {
        "asked": asked, "listed": listed, "automatic": automatic,
        "warned": [str(each.message) for each in warned],
    }
'''


class Attack(NamedTuple):
    """One attempt of the distribution ``evil``.

    :param entry_point: the name of its entry point.
    :param source: its module, without the implementation.
    :param claims: whether the metadata alone tell that it wants to be the real one.
    :param labels: further labels by which it might be chosen.
    """

    title: str
    entry_point: str
    source: str
    claims: bool
    labels: tuple[str, ...] = ()


SPELLINGS = [
    *("accel", "Accel", "ACCEL", "acc", "ACC", "fast_er", "fast-er", "fast.er", "FAST-ER"),
    *("Fast--Er", "fast._-er", "turbo_kit", "Turbo.Kit", "turbo-\u212ait"),
]
# Cyrillic and fullwidth letters, and characters of no width.
LOOKALIKES = ["\u0430ccel", "\uff41ccel", "acc\u200bel", "accel\u2060", "\ufeffaccel", "acce\u217c"]
STRING = """
class Lying(str):
    asked = 0
    def lies(self):
        Lying.asked += 1
        return Lying.asked <= {lies}
    def __hash__(self): return 0 if self.lies() else str.__hash__(self)
    def __eq__(self, other): return False if self.lies() else str.__eq__(self, other)
    def __ne__(self, other): return not self == other
    def lower(self): return "harmless"
    def isascii(self): return True
    def __len__(self): return 1
    def __str__(self): return "harmless"
    def __format__(self, how): return "harmless"
    def __repr__(self): return "'harmless'"
"""
PROPERTY = """
class Backend:
    __module__ = __qualname__ = __name__ = "real_accel"
    aliases = ()
    asked = 0
    @property
    def name(self):
        type(self).asked += 1
        return {names}[min(self.asked, 2) - 1]
    def f(self, x): return "evil"
import sys
Backend.__name__ = "accel"
made = Backend()
made.__class__.__doc__ = "accel"
"""
ATTACKS = [
    *(Attack(f"entry point {s!a}", s, "name = 'accel'", True) for s in SPELLINGS),
    *(Attack(f"entry point {s!a}", s, "name = 'accel'", False) for s in LOOKALIKES),
    *(Attack(f"name {s!a}", "harmless", f"name = {s!a}", False, (s,)) for s in SPELLINGS),
    *(Attack(f"name {s!a}", "harmless", f"name = {s!a}", False, (s,)) for s in LOOKALIKES),
    *(
        Attack(f"alias {s!a}", "evil", f"name = 'evil'; aliases = [{s!a}]", False, (s,))
        for s in (*SPELLINGS, *LOOKALIKES)
    ),
    *(
        Attack(f"name that lies {n} times", "harmless", STRING.format(lies=n) + source, False)
        for n in range(12)
        for source in ("name = Lying('accel')",)
    ),
    *(
        Attack(f"alias that lies {n} times", "evil", STRING.format(lies=n) + source, False)
        for n in range(12)
        for source in ("name = 'evil'; aliases = [Lying('accel')]",)
    ),
    Attack("name that changes", "one:made", PROPERTY.format(names=["one", "accel"]), False),
    Attack("name that changes back", "two:made", PROPERTY.format(names=["accel", "two"]), False),
    Attack("class that lies", "three:Backend", PROPERTY.format(names=["accel"] * 2), False),
    Attack(
        "module that calls itself the real one",
        "four",
        "import sys; __name__ = __spec__.name = 'real_accel'; name = 'accel'",
        False,
    ),
]
IDS = [attack.title for attack in ATTACKS]


def module_of(number, place):
    return f"evil_{number}_{place}"


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """An environment with the host, the real backend and all attacks."""
    directory = tmp_path_factory.mktemp("attacked")
    files, sections, beside = {}, "", ""
    for number, attack in enumerate(ATTACKS):
        entry_point, _, attribute = attack.entry_point.partition(":")
        for place in ("alone", "beside"):
            module = module_of(number, place)
            files[f"{module}.py"] = MARK + attack.source + ("" if attribute else EVIL)
            reference = module + (f":{attribute}" if attribute else "")
            sections += f"[attack.{number}.{place}]\n{entry_point} = {reference}\n"
        beside += f"[attack.{number}.beside]\naccel = real_accel\n"
    package = {"trusted_package/__init__.py": "", "trusted_package/backend.py": MARK + REAL}
    wheels = [
        wheel(directory, "attacked", {"attacked.py": HOST}),
        wheel(directory, "evil", files, sections),
        wheel(directory, "real-accel", {"real_accel.py": MARK + REAL, **package}, beside),
    ]
    return Environment(directory, wheels, "from attacked import attacked\n")


@pytest.fixture(scope="session")
def outcomes(environment):
    """The answers to each attack, with each policy; and the modules that were imported."""
    found = {}
    for policy in POLICIES:
        asked = {
            f"attack.{number}.{place}": sorted({*LABELS, *attack.labels})
            for number, attack in enumerate(ATTACKS)
            for place in ("alone", "beside")
        }
        found[policy] = environment.ask(
            f"""
            found = {{
                group: attacked(group, {TRUSTED!r}, {policy!r}, labels)
                for group, labels in json.loads({json.dumps(asked)!r}).items()
            }}
            """
        )
        found[policy]["imported"] = environment.imported()
    return found


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=IDS)
def test_an_impostor_is_never_chosen(outcomes, number, policy):
    alone = outcomes[policy][f"attack.{number}.alone"]
    beside = outcomes[policy][f"attack.{number}.beside"]
    for label in (*LABELS, *ATTACKS[number].labels):
        assert not [answer for answer, _ in alone["asked"][label] if answer in ("evil", "host")]
        assert not [answer for answer, _ in beside["asked"][label] if answer in ("evil", "host")]
    for label in LABELS:
        assert {answer for answer, _ in alone["asked"][label]} <= {"ImportError", None}
        assert [answer for answer, _ in beside["asked"][label]] == ["real"] * 6
    assert alone["automatic"] == beside["automatic"] == "host"
    assert not set(alone["listed"]) & set(LABELS)
    assert set(beside["listed"]) >= set(LABELS)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=IDS)
def test_an_impostor_is_imported_only_where_its_metadata_do_not_tell(outcomes, number, policy):
    imported = {module_of(number, "alone"), module_of(number, "beside")}
    imported &= set(outcomes[policy]["imported"])
    expected = not ATTACKS[number].claims and policy != "refuse"
    assert bool(imported) == expected


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", range(len(ATTACKS)), ids=IDS)
def test_each_refusal_names_the_distribution(outcomes, number, policy):
    attack = ATTACKS[number]
    alone = outcomes[policy][f"attack.{number}.alone"]
    told = [message for _, message in alone["asked"]["accel"]] + alone["warned"]
    if attack.claims:
        assert refused(alone, by="'evil' 1.2")
    if attack.claims or policy != "refuse":
        # A name that changes is what it was the first time, and there is nothing to refuse.
        honest = attack.title == "name that changes"
        assert honest or any(message and "'evil' 1.2" in message for message in told)
    # What is shown cannot be mistaken for something else.
    assert all(message is None or message.isascii() for message in told)


def test_an_entry_point_that_is_refused_is_told_of_by_its_own_name(environment):
    code = f"found = attacked('attack.40.alone', {TRUSTED!r}, 'refuse', ['evil'])"
    assert ATTACKS[40].entry_point == "evil"
    answers = environment.ask(code)["asked"]["evil"]
    assert {answer for answer, _ in answers} == {"ImportError", None}
    assert "'evil' 1.2" in answers[0][1]
    assert environment.imported() == []


# What the metadata say in other ways


class Planted:
    """A directory on the path of programs, with files that no installer would write."""

    def __init__(self, environment, path):
        self.environment = environment
        self.path = path

    def module(self, name, source):
        path = self.path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MARK + textwrap.dedent(source) + EVIL)

    def distribution(self, folder, name, entry_points, metadata=None):
        info = self.path / f"{folder}.dist-info"
        info.mkdir()
        if metadata is None:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 6.6\n".encode()
        info.joinpath("METADATA").write_bytes(metadata)
        if isinstance(entry_points, str):
            entry_points = f"[planted]\n{entry_points}\n".encode()
        info.joinpath("entry_points.txt").write_bytes(entry_points)

    def ask(self, trusted, labels=LABELS, first=True):
        """The answers under the weakest policy."""
        return self.ask_each(trusted, labels, ["allow"], first)[0]

    def ask_each(self, trusted, labels, policies=POLICIES, first=True):
        """The same by policy; this directory comes first on the path, or last."""
        beginning = "" if first else f"import sys; sys.path.append({str(self.path)!r})\n"
        return self.environment.ask(
            f"{beginning}found = [attacked('planted', {trusted!r}, policy, {labels!r})"
            f" for policy in {policies!r}]",
            PYTHONPATH=str(self.path) if first else "",
        )

    def imported(self):
        found = [*self.path.rglob("*.imported"), *self.environment.site.rglob("*.imported")]
        return sorted(path.name.removesuffix(".py.imported") for path in found)


@pytest.fixture
def planted(environment, tmp_path):
    return Planted(environment, tmp_path)


def refused(found, label="accel", by="evil"):
    """Whether a label gets nothing but refusals that name a distribution."""
    answers = found["asked"][label]
    return all(
        answer in ("ImportError", None) and (message is None or by in message)
        for answer, message in answers
    )


@pytest.mark.parametrize(
    "reference",
    [
        "evil_part",
        "trusted_packageevil",
        "trusted_package_evil.backend",
        "Trusted_package.evil",
        "evil_part:trusted_package.backend",
        "evil_part [trusted_package.backend]",
        ".trusted_package.backend",
        "trusted_\u0440ackage.backend",
    ],
)
@pytest.mark.parametrize("field", ["module_prefixes", "object_refs"])
def test_another_reference_than_the_trusted_one_is_refused(planted, reference, field):
    for module in ("evil_part", "trusted_packageevil", "trusted_package_evil/backend"):
        planted.module(module, "name = 'accel'")
    planted.distribution("evil-6.6", "evil", f"accel = {reference}".encode().decode())
    allowed = {"module_prefixes": "trusted_package", "object_refs": "trusted_package.backend"}
    found = planted.ask({"accel": {field: [allowed[field]]}}, ["accel"])
    assert refused(found)
    if field == "object_refs":
        # The module of the object, in contrast, is known after the import.
        assert "evil" in str(found["warned"])
        assert planted.imported() == []


MALFORMED = [
    *("", ":", "::", "evil part", "evil_part::x", "evil_part:x y", "1 / 0", "[x]", "..", "."),
    *("evil_part.", ".evil_part", "evil_part:a..b.", "evil\x00part", "evil_part:no_such"),
    *("\x1b[2Jevil_part", "evil_part]", "=evil_part", "evil_part;x", "evil\u200b_part"),
]


def test_a_malformed_reference_does_not_load_and_keeps_nothing_else_from_it(planted):
    planted.module("harmless_part", "name = 'harmless'")
    references = [f"odd{number} = {value}" for number, value in enumerate(MALFORMED)]
    lines = "\n".join(["= harmless_part", *references, "harmless = harmless_part"])
    planted.distribution("evil-6.6", "evil", lines)
    odd = [f"odd{number}" for number in range(len(MALFORMED))]
    found = planted.ask({}, [*odd, "harmless"])
    for label in odd:
        assert refused(found, label)
        assert str(found["asked"][label]).isprintable()
    assert found["asked"]["harmless"][0] == ["evil", None]
    assert found["listed"] == ["harmless"]


@pytest.mark.parametrize(
    "broken",
    [
        b"[planted]\nnonsense\n",
        b"[other]\nnonsense\n[planted]\naccel = evil_part\n",
        "[planted]\naccel = \xe4\n".encode("latin-1"),
        b"\xff\xfe[planted]",
    ],
)
def test_a_distribution_that_cannot_be_read_keeps_no_other_from_being_found(planted, broken):
    planted.module("evil_part", "name = 'accel'")
    planted.module("harmless_part", "name = 'harmless'")
    planted.distribution("broken_one-6.6", "broken-one", broken)
    planted.distribution("harmless-6.6", "harmless", "harmless = harmless_part")
    found = planted.ask({"accel": {"package": "Broken.One"}}, ["harmless", "accel"])
    assert found["listed"] == ["harmless"]
    assert sum("'broken-one'" in each for each in found["warned"]) == 1
    assert "pip install" not in str(found["asked"]["accel"])
    assert refused(found, by="'broken-one'")
    assert planted.imported() == ["harmless_part"]


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        (b"", ".dist-info'"),
        (b"Metadata-Version: 2.1\n", ".dist-info'"),
        ("Name: real-\xe4ccel\n".encode("latin-1"), ".dist-info'"),
        ("Name: real-\u0430ccel\n".encode(), r"'real-\u0430ccel'"),
        (b"Name: evil\nVersion: 1.0 of the distribution 'real-accel'\n", "'evil' \"1.0 of"),
        (b"Name: evil\nName: real-accel\n", "'evil'"),
        (b"Name: real-accel\n evil\n", r"\n"),
        (b"Name: real-accel evil\n", "'real-accel evil'"),
        (b"Name: real-accel2\n", "'real-accel2'"),
        (b"Name: real-accel-\n", "'real-accel-'"),
    ],
)
def test_metadata_of_another_name_or_none_are_refused(planted, metadata, shown):
    planted.module("evil_part", "name = 'accel'")
    # The folder says otherwise, and hides the real one.
    planted.distribution("real_accel-6.6", "", "accel = evil_part", metadata)
    for found in planted.ask_each(TRUSTED, LABELS):
        assert refused(found, by=shown)
    assert planted.imported() == []


def test_a_distribution_whose_name_lower_case_makes_the_trusted_one_is_refused(planted):
    planted.module("evil_part", "name = 'turbo-kit'")
    planted.distribution("other-6.6", "turbo-\u212ait", "turbo-kit = evil_part")
    for found in planted.ask_each({"turbo-kit": {"package": "turbo-kit"}}, ["turbo-kit"]):
        assert refused(found, "turbo-kit", r"'turbo-\u212ait'")
    assert planted.imported() == []


# What is trusted for lack of a way to tell, and said to be in the documentation


def test_of_a_distribution_that_is_installed_twice_the_first_on_the_path_counts(
    environment, tmp_path
):
    folders = []
    for name, module in (("first", "evil_part"), ("second", "real_accel")):
        tmp_path.joinpath(name).mkdir()
        folder = Planted(environment, tmp_path / name)
        folder.module("evil_part", "name = 'accel'")
        folder.distribution("real_accel-6.6", "Real.Accel", f"accel = {module}")
        folders.append(str(folder.path))
    for path, answer in ((folders, "evil"), (folders[::-1], "real")):
        found = environment.ask(
            f"found = attacked('planted', {TRUSTED!r}, 'refuse', ['accel'])",
            PYTHONPATH=os.pathsep.join(path),
        )
        assert found["asked"]["accel"][0] == [answer, None]


def test_a_module_earlier_on_the_path_is_taken_for_the_trusted_one(planted):
    planted.module("real_accel", "name = 'accel'")
    planted.distribution("real_thing-6.6", "real-thing", "accel = real_accel")
    trusted = {"accel": {"package": "real-thing"}}
    assert planted.ask(trusted)["asked"]["accel"][0] == ["evil", None]
    # But not one that is later, nor a directory that is no package.
    assert planted.ask(trusted, first=False)["asked"]["accel"][0] == ["real", None]
    planted.path.joinpath("real_accel.py").unlink()
    planted.path.joinpath("real_accel").mkdir()
    assert planted.ask(trusted)["asked"]["accel"][0] == ["real", None]


def test_a_module_prefix_alone_trusts_what_others_put_into_the_package(planted):
    part = planted.environment.site / "trusted_package" / "evil_part.py"
    part.write_text(MARK + "name = 'accel'" + EVIL)
    planted.distribution("evil-6.6", "evil", "accel = trusted_package.evil_part")
    try:
        found = planted.ask({"accel": {"module_prefix": "trusted_package"}}, ["accel"])
        assert found["asked"]["accel"][0] == ["evil", None]
        # The distribution tells them apart.
        both = {"accel": {"module_prefix": "trusted_package", "package": "real-accel"}}
        found = planted.ask(both, ["accel"])
        assert refused(found)
        assert planted.imported() == []
    finally:
        part.unlink()


# Trust that changes after a host has said it


class Fickle(UserDict):
    """A mapping that answers as it is told, and otherwise when it is asked again."""

    def __init__(self, first, then):
        super().__init__(first)
        self.then = then
        self.asked = 0

    def __getitem__(self, key):
        self.asked += 1
        return (self.data if self.asked <= len(self.data) else self.then)[key]


class FickleList(list):
    """A list that holds something else when it is gone through again."""

    gone_through = False

    def __iter__(self):
        first, self.gone_through = not self.gone_through, True
        return super().__iter__() if first else iter(["evil"])


class Text(str):
    """A string that is equal to all others from some time on."""

    __slots__ = ()
    turned = False

    def __eq__(self, other):
        return Text.turned or str.__eq__(self, other)

    def __hash__(self):
        return str.__hash__(self)

    def lower(self):
        return "evil" if Text.turned else str.lower(self)


@pytest.mark.parametrize(
    "configured",
    [
        lambda: {"package": "real-accel", "aliases": ["acc"]},
        lambda: Fickle(
            {"package": "real-accel", "aliases": ["acc"]}, {"package": "evil", "aliases": []}
        ),
        lambda: {"distributions": FickleList(["real-accel"]), "aliases": FickleList(["acc"])},
        lambda: {"package": Text("real-accel"), "aliases": [Text("acc")]},
        lambda: {"distributions": {Text("real-accel")}, "aliases": {"acc"}},
        lambda: {"package": "real-accel", "module_prefixes": [Text("real_")], "aliases": ["acc"]},
    ],
)
def test_trust_is_what_it_was_when_the_host_was_made(host, site, configured, monkeypatch):
    monkeypatch.setattr(Text, "turned", False)
    module = site.backend("accel", distribution="evil", entry_point="acc")
    configuration, reserved = configured(), {Text("mine"): Text("it is")}
    trusted = {Text("accel"): configuration}
    dispatcher = host(trusted_backends=trusted, reserved_backends=reserved)
    Text.turned = True
    for field in list(configuration):
        value = configuration.get(field)
        if isinstance(value, (list, set)):
            value.clear()
    if isinstance(configuration, dict):
        configuration.clear()
        configuration["package"] = "evil"
    trusted["evil"] = {"package": "evil"}
    reserved.clear()
    with pytest.warns(UserWarning, match="'evil'"):
        dispatcher.discover()
    for label in ("accel", "acc"):
        with pytest.raises(ImportError, match="'evil'"):
            dispatcher.settings.backend = label
    with pytest.raises(ValueError, match="it is"):
        dispatcher.settings.backend = "mine"
    assert not site.imported(module)
    assert dispatcher.available_backend_names() == []


def test_the_package_to_install_is_the_one_that_is_trusted(host):
    trusted = {"accel": Fickle({"package": "real-accel"}, {"package": "evil"})}
    with pytest.raises(ImportError, match="pip install real-accel"):
        host(trusted_backends=trusted).settings.backend = "accel"


# What "auto" chooses


def test_an_untrusted_backend_that_owns_everything_is_warned_of_once(host, site):
    site.backend("evil", "array_types = [object]\ndef f(x): return 'evil'")
    dispatcher = host(untrusted="warn")

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    with pytest.raises(UserWarning, match="'evil-dist'"):
        f(1, backend="auto")
    with pytest.warns(UserWarning, match="'evil-dist'") as warned:
        assert f(1, backend="auto") == "evil"
    assert [each.filename for each in warned] == [__file__]
    assert f(1, backend="auto") == "evil"


def test_a_trusted_backend_comes_before_one_that_owns_everything(host, site):
    site.backend("evil", "array_types = [object]\ndef f(x): return 'evil'")
    site.backend("zaccel", "array_types = [int]\ndef f(x): return 'real'")
    dispatcher = host(untrusted="warn", trusted_backends={"zaccel": {"package": "zaccel-dist"}})

    @dispatcher.backend_dispatch
    def f(x):
        return "host"

    # Nobody is warned of what is not asked.
    assert f(1, backend="auto") == "real"


def test_what_is_logged_of_a_refusal_names_the_distribution(host, site, caplog):
    caplog.set_level(logging.DEBUG, "reg.backends")
    site.backend("evil")
    dispatcher = host(untrusted="refuse")
    dispatcher.discover()
    assert "'evil-dist'" in caplog.text
