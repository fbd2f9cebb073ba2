"""The configuration of a host, and the errors for one that will not do."""

import typing

import pytest

import reg.backends
from reg.backends import BackendDispatcher
from reg.backends.testing import run_conformance


@pytest.mark.parametrize("value", ["", "  ", None, 3])
@pytest.mark.parametrize("argument", ["entrypoint_group", "host_name"])
def test_group_and_host_name_must_be_text(argument, value):
    options = {"entrypoint_group": "g", "host_name": "h", argument: value}
    with pytest.raises(ValueError, match=argument):
        BackendDispatcher(**options)


def test_all_arguments_are_keywords():
    with pytest.raises(TypeError):
        BackendDispatcher("g", "h")


@pytest.mark.parametrize("argument", ["trusted_backends", "reserved_backends"])
@pytest.mark.parametrize("value", [["accel"], "accel", 3])
def test_configurations_must_be_mappings(host, argument, value):
    with pytest.raises(ValueError, match=argument):
        host(**{argument: value})


def test_hosts_have_nothing_to_do_with_each_other(host, site):
    site.backend("accel")
    first, second = host(), host()
    first.settings.backend = "accel"
    assert second.settings.backend == "cpu"


@pytest.mark.parametrize("name", ["a", "A9", "a.b-c_d", "9x", "a" * 128, "a_"])
def test_names_that_can_be_used(host, name):
    dispatcher = host(trusted_backends={name: {"package": "of-that-name"}})
    with pytest.raises(ImportError, match="of-that-name"):
        dispatcher.settings.backend = name


@pytest.mark.parametrize("name", ["", "a b", "_a", "-a", ".a", "a.", "a-", "ä", "a" * 129, "a/b"])
def test_names_that_cannot_be_used(host, name):
    with pytest.raises(ValueError, match="trusted_backends"):
        host(trusted_backends={name: {}})
    with pytest.raises(ValueError, match="trusted_backends"):
        host(trusted_backends={"accel": {"aliases": [name]}})


@pytest.mark.parametrize("name", ["cpu", "auto", "taken"])
def test_reserved_names_cannot_be_trusted(host, name):
    for trusted in ({name: {}}, {"accel": {"aliases": [name]}}):
        with pytest.raises(ValueError, match="reserved"):
            host(trusted_backends=trusted, reserved_backends={"taken": "mine"})


@pytest.mark.parametrize("reason", ["", " ", None, 3])
def test_reserved_names_need_a_reason(host, reason):
    with pytest.raises(ValueError, match="reason"):
        host(reserved_backends={"taken": reason})


@pytest.mark.parametrize("aliases", ["acc", None, [3], [""], 7])
def test_aliases_are_a_container_of_strings(host, aliases):
    with pytest.raises(ValueError, match="aliases"):
        host(trusted_backends={"accel": {"aliases": aliases}})


@pytest.mark.parametrize("container", [list, tuple, set, frozenset])
def test_any_container_of_strings_will_do(host, container):
    trusted = {
        "aliases": container(["acc"]),
        "entrypoints": container("e"),
        "package": "accel-dist",
    }
    dispatcher = host(trusted_backends={"accel": trusted})
    with pytest.raises(ImportError, match="accel-dist"):
        dispatcher.settings.backend = "acc"


@pytest.mark.parametrize(
    "field", ["distributions", "entrypoints", "object_refs", "module_prefixes"]
)
@pytest.mark.parametrize("value", [None, [""], [3], "", []])
def test_stricter_fields_are_non_empty_strings(host, field, value):
    with pytest.raises(ValueError, match=field):
        host(trusted_backends={"accel": {field: value}})


@pytest.mark.parametrize(
    "field", ["package", "distribution", "entrypoint", "object_ref", "module_prefix"]
)
def test_singular_fields_are_one_string(host, field):
    host(trusted_backends={"accel": {field: "a"}})
    with pytest.raises(ValueError, match=field):
        host(trusted_backends={"accel": {field: ["a"]}})


def test_a_misspelt_field_is_an_error(host):
    with pytest.raises(ValueError, match="distibution"):
        host(trusted_backends={"accel": {"distibution": "a"}})


@pytest.mark.parametrize(
    "trusted",
    [
        {"a": {"aliases": ["x"]}, "b": {"aliases": ["x"]}},
        {"a": {"aliases": ["b"]}, "b": {}},
        {"a": {"aliases": ["x", "x"]}},
    ],
)
def test_a_name_can_be_claimed_once(host, trusted):
    with pytest.raises(ValueError, match="trusted_backends"):
        host(trusted_backends=trusted)


def test_the_configuration_is_copied(host, site):
    site.backend("accel", distribution="evil")
    entry = {"package": "accel-dist"}
    trusted = {"accel": entry}
    dispatcher = host(trusted_backends=trusted)
    entry["package"] = "evil"
    trusted.clear()
    with pytest.warns(UserWarning, match="evil"), pytest.raises(ImportError, match="accel-dist"):
        dispatcher.settings.backend = "accel"


def test_unknown_policies_are_refused(host):
    with pytest.raises(ValueError, match="untrusted"):
        host(untrusted="perhaps")


@pytest.mark.parametrize("keyword", ["", "a b", None])
def test_the_keyword_must_be_one(host, keyword):
    with pytest.raises(ValueError, match="keyword"):
        host(keyword=keyword)


def test_public_annotations_resolve():
    for public in (
        BackendDispatcher.__init__,
        BackendDispatcher.backend_dispatch,
        BackendDispatcher.backend_class,
        BackendDispatcher.explain,
        BackendDispatcher.record,
        BackendDispatcher.lookup,
        BackendDispatcher.settings.fget,
        reg.backends.Settings.use_backend,
        reg.backends.Settings.bind,
        reg.backends.Settings.get_backend,
        reg.backends.Settings.backend.fset,
        run_conformance,
    ):
        assert typing.get_type_hints(public)
