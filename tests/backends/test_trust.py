"""The distributions that may supply a trusted backend; no other is imported to find out."""

import warnings

import pytest

from ..threads import run_all


def test_a_trusted_backend_from_its_distribution_is_used_silently(host, site):
    site.backend("accel", distribution="Accel_Dist")
    dispatcher = host(untrusted="warn", trusted_backends={"accel": {"package": "accel.dist"}})
    dispatcher.settings.backend = "accel"
    assert dispatcher.settings.backend == "accel"
    dispatcher.settings.backend = "cpu"


@pytest.mark.parametrize("entry_point", ["accel", "acc", "ACCEL", "fast-er"])
@pytest.mark.parametrize("untrusted", ["warn", "allow", "refuse"])
def test_an_impostor_is_not_imported(host, site, entry_point, untrusted):
    module = site.backend("accel", distribution="evil", entry_point=entry_point)
    dispatcher = host(
        untrusted=untrusted,
        trusted_backends={"accel": {"aliases": ["acc", "fast_er"], "package": "accel-dist"}},
    )
    with pytest.warns(UserWarning, match=r"'evil'.*'accel-dist'"):
        dispatcher.discover()
    with pytest.raises(ImportError, match=r"'evil'.*'accel-dist'"):
        dispatcher.settings.backend = "accel"
    assert not site.imported(module)


def test_an_impostor_under_another_entry_point_is_refused_when_it_tells_its_name(host, site):
    site.backend("accel", distribution="evil", entry_point="harmless")
    dispatcher = host(trusted_backends={"accel": {"package": "accel-dist"}})
    with pytest.warns(UserWarning, match="'evil'"):
        dispatcher.discover()
    with pytest.raises(ImportError, match="'evil'"):
        dispatcher.settings.backend = "accel"
    assert dispatcher.get_backend("accel") is None


def test_an_impostor_does_not_keep_the_real_one_out(host, site):
    site.backend("accel", distribution="evil", module="impostor_of_a_test")
    site.backend("accel", "real = True", distribution="zz-real", module="real_of_a_test")
    dispatcher = host(trusted_backends={"accel": {"package": "zz-real"}})
    with pytest.warns(UserWarning, match="'evil'"):
        dispatcher.settings.backend = "accel"
    assert dispatcher.get_backend("accel").real
    dispatcher.settings.backend = "cpu"


@pytest.mark.parametrize(
    ("stricter", "reason"),
    [
        ({"entrypoints": ["other"]}, "entry point is called 'accel'"),
        ({"object_refs": ["other_module"]}, "refers to 'accel_of_a_test'"),
        ({"entrypoint": "accel", "object_ref": "accel_of_a_test:x"}, "refers to"),
    ],
)
def test_stricter_fields_are_checked_before_import(host, site, stricter, reason):
    module = site.backend("accel")
    dispatcher = host(trusted_backends={"accel": {"package": "accel-dist", **stricter}})
    with pytest.warns(UserWarning, match=reason), pytest.raises(ImportError, match=reason):
        dispatcher.settings.backend = "accel"
    assert not site.imported(module)


@pytest.mark.parametrize("gives", ["Backend", "made"])
def test_module_prefixes_are_about_the_object_that_the_entry_point_gives(host, site, gives):
    site.write("accel_core_of_a_test", "class Backend:\n    name = 'accel'\n")
    source = "from accel_core_of_a_test import Backend\nmade = Backend()\n"
    site.write("accel_of_a_test", source)
    site.install("accel-dist", {"accel": f"accel_of_a_test:{gives}"})
    trusted = {"package": "accel-dist", "module_prefixes": ["accel_core_of_a_test"]}
    dispatcher = host(trusted_backends={"accel": trusted})
    assert dispatcher.get_backend("accel").name == "accel"
    trusted["module_prefixes"] = ["accel_of_a_test"]
    dispatcher = host(trusted_backends={"accel": trusted})
    reason = "in the module 'accel_core_of_a_test'"
    with pytest.warns(UserWarning, match=reason), pytest.raises(ImportError, match=reason):
        dispatcher.settings.backend = "accel"


def test_module_prefixes_are_whole_components(host, site):
    site.backend("accel")
    dispatcher = host(trusted_backends={"accel": {"module_prefixes": ["accel_of_a_test"]}})
    dispatcher.settings.backend = "accel"
    assert dispatcher.settings.backend == "accel"
    dispatcher = host(trusted_backends={"accel": {"module_prefixes": ["accel_of_a"]}})
    with pytest.warns(UserWarning, match="module"), pytest.raises(ImportError, match="module"):
        dispatcher.settings.backend = "accel"


def test_the_distribution_is_checked_first(host, site):
    site.backend("accel", distribution="evil")
    dispatcher = host(
        trusted_backends={"accel": {"package": "p", "entrypoints": ["q"], "object_refs": ["r"]}}
    )
    with pytest.warns(UserWarning, match="distribution 'evil'"):
        dispatcher.discover()


def test_an_untrusted_backend_warns_once(host, site):
    site.backend("accel", "aliases = ['acc']\ndef f(x): return x")
    dispatcher = host(untrusted="warn")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        dispatcher.settings.backend = "accel"
        dispatcher.settings.backend = "acc"
        dispatcher.settings.backend = "cpu"
    assert ["accel-dist" in str(each.message) for each in warned] == [True]


def test_threads_get_one_warning_together(host, site):
    site.backend("accel")
    dispatcher = host(untrusted="warn")

    def choose():
        dispatcher.settings.backend = "accel"

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run_all(*[choose] * 8)
    assert len(warned) == 1


def test_as_an_error_the_warning_is_raised_until_it_is_allowed(host, site):
    site.backend("accel", "def f(x): return 'accel'")
    dispatcher = host(untrusted="warn")
    f = dispatcher.backend_dispatch(f_of_the_host)
    for _ in range(2):
        with pytest.raises(UserWarning, match="accel-dist"):
            dispatcher.settings.backend = "accel"
        with pytest.raises(UserWarning, match="accel-dist"):
            f(1, backend="accel")
    assert dispatcher.settings.backend == "cpu"
    with pytest.warns(UserWarning, match="accel-dist"):
        dispatcher.settings.backend = "accel"
    assert f(1) == "accel"
    dispatcher.settings.backend = "cpu"


def f_of_the_host(x):
    return "host"


f_of_the_host.__name__ = "f"


def test_queries_do_not_warn(host, site):
    site.backend("accel")
    dispatcher = host(untrusted="warn")
    assert dispatcher.settings.available_backends() == ["accel"]
    assert dispatcher.get_backend("accel").name == "accel"


def test_refused_distributions_are_never_imported(host, site):
    module = site.backend("accel")
    trusted = site.backend("known")
    dispatcher = host(untrusted="refuse", trusted_backends={"known": {"package": "known-dist"}})
    with pytest.raises(ImportError, match=r"'accel-dist'.*trusted_backends"):
        dispatcher.settings.backend = "accel"
    assert dispatcher.settings.available_backends() == ["known"]
    assert site.imported(trusted)
    assert not site.imported(module)


def test_refuse_keeps_out_what_a_trusted_distribution_does_not_list(host, site):
    site.write("extra_of_a_test", "name = 'extra'")
    site.backend("known")
    site.path.joinpath("known_dist-1.0.dist-info", "entry_points.txt").write_text(
        "[example_host.backends]\nknown = known_of_a_test\nextra = extra_of_a_test\n"
    )
    dispatcher = host(untrusted="refuse", trusted_backends={"known": {"package": "known-dist"}})
    assert dispatcher.settings.available_backends() == ["known"]
    with pytest.raises(ImportError, match="trusted_backends"):
        dispatcher.settings.backend = "extra"


# Installed, and not used


@pytest.mark.parametrize("label", ["cuda", "rapids-sc", "rapids_sc"])
def test_a_backend_that_calls_itself_by_an_alias_is_not_said_to_be_missing(host, site, label):
    site.backend("rapids_sc", distribution="rapids-sc")
    trusted = {"rapids-sc": {"aliases": ["cuda", "rapids_sc"], "package": "rapids-sc"}}
    dispatcher = host(trusted_backends=trusted)
    reason = "its name 'rapids_sc' is an alias of the trusted backend 'rapids-sc'"
    with pytest.warns(UserWarning, match=reason), pytest.raises(ImportError) as caught:
        dispatcher.settings.backend = label
    assert reason in str(caught.value)
    assert "pip install" not in str(caught.value)


@pytest.mark.parametrize("label", ["accel", "acc"])
def test_a_trusted_backend_without_a_name_is_not_said_to_be_missing(host, site, label):
    site.write("nameless_of_a_test", "")
    site.install("accel-dist", {"something": "nameless_of_a_test"})
    dispatcher = host(trusted_backends={"accel": {"aliases": ["acc"], "package": "accel-dist"}})
    with pytest.warns(UserWarning, match="no name"), pytest.raises(ImportError, match="no name"):
        dispatcher.settings.backend = label


@pytest.mark.parametrize("label", ["accel", "acc"])
def test_a_distribution_without_the_entry_point_is_not_said_to_be_missing(host, site, label):
    site.install("Accel.Dist", {}, version="0.9", group="another.group")
    dispatcher = host(trusted_backends={"accel": {"aliases": ["acc"], "package": "accel-dist"}})
    reason = "'Accel.Dist' 0.9 is installed, but declares no entry point"
    with pytest.raises(ImportError, match=reason) as caught:
        dispatcher.settings.backend = label
    assert "pip install" not in str(caught.value)


def test_metadata_that_an_uninstall_left_behind_are_named(host, site, tmp_path, monkeypatch):
    site.backend("accel", distribution="accel-dist")
    left = tmp_path / "left" / "accel_dist-0.9.dist-info"
    left.mkdir(parents=True)
    monkeypatch.syspath_prepend(left.parent)
    dispatcher = host(trusted_backends={"accel": {"package": "accel-dist"}})
    with pytest.raises(ImportError, match=r"accel_dist-0\.9\.dist-info.*delete that folder"):
        dispatcher.settings.backend = "accel"
