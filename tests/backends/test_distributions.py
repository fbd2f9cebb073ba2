"""Real wheels, in a real virtual environment, used by real processes."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from .environment import MARK, Environment, wheel

pytestmark = pytest.mark.xdist_group("distributions")

PLUGIN = "reg_pytest"

HOST = """
from reg.backends import BackendDispatcher
import asyncio
dispatcher = BackendDispatcher(
    entrypoint_group="real_host.backends", host_name="real_host",
    trusted_backends={"good": {"aliases": ["g"], "package": "real-good"},
                      "precious": {"package": "real-precious"}},
    reserved_backends={"later": "it comes with the next version"},
    environment_variable="REAL_HOST_BACKEND",
)
settings = dispatcher.settings

@dispatcher.backend_dispatch
def double(x):
    return ["host", 2 * x]

@dispatcher.backend_dispatch
async def fetch(x):
    await asyncio.sleep(0)
    return ["host", x]
"""
GOOD = """
name = {name!r}
def double(x, *, boost=0): return [{name!r}, 2 * x + boost]
async def fetch(x):
    import asyncio
    await asyncio.sleep(0)
    return [{name!r}, x]
"""
DYNAMIC = """
name = "dynamic"
def __getattr__(attribute):
    if attribute == "double": return lambda x: ["dynamic", x + x]
    raise AttributeError(attribute)
"""
# Distribution, entry point, source.
BACKENDS = [
    ("real-good", "good", GOOD.format(name="good")),
    ("real-impostor", "precious", GOOD.format(name="precious")),
    ("real-raising", "raising", "raise RuntimeError('broken on purpose')"),
    ("real-quitting", "quitting", "import sys; sys.exit(3)"),
    ("real-aliases", "aliased", GOOD.format(name="aliased") + "aliases = ['fine', 'b d', 'later']"),
    ("real-slow", "slow", "import time; time.sleep(0.2)\n" + GOOD.format(name="slow")),
    ("real-dynamic", "dynamic", DYNAMIC),
    ("real-other", "other", GOOD.format(name="other")),
]


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    directory = tmp_path_factory.mktemp("real")
    wheels = [wheel(directory, "real-host", {"real_host.py": HOST})]
    for distribution, name, source in BACKENDS:
        module = distribution.replace("-", "_")
        entry_points = f"[real_host.backends]\n{name} = {module}\n"
        wheels.append(wheel(directory, distribution, {f"{module}.py": MARK + source}, entry_points))
    return Environment(directory, wheels, "import real_host\nfrom real_host import *\n")


def test_importing_and_using_the_host_imports_no_backend(environment):
    assert environment.ask("found = double(1) + double(2, backend='cpu')") == ["host", 2, "host", 4]
    assert environment.imported() == []


def test_a_backend_is_used_and_nothing_else_imported(environment):
    code = "found = [double(1, backend='g', boost=5), settings.backend]"
    assert environment.ask(code) == [["good", 7], "cpu"]
    assert environment.imported() == ["real_good"]


def test_an_impostor_is_never_imported(environment):
    done = environment.run(
        "import warnings; warnings.simplefilter('always'); double(1, backend='precious')"
    )
    assert done.returncode == 1
    assert "ImportError" in done.stderr
    assert "'real-impostor' 1.2" in done.stderr
    assert "UserWarning" in done.stderr
    assert "real_impostor" not in environment.imported()


def test_one_that_raises_is_reported_with_its_cause(environment):
    done = environment.run("double(1, backend='raising')")
    assert "RuntimeError: broken on purpose" in done.stderr
    assert "'real-raising' 1.2" in done.stderr
    assert environment.imported() == ["real_raising"]


def test_one_that_exits_is_reported_and_ends_nothing(environment):
    code = """
        import warnings
        warnings.simplefilter("ignore")
        try:
            settings.backend = "quitting"
        except ImportError as error:
            found = [str(error), repr(error.__cause__)]
        found.append(settings.available_backends())
        """
    message, cause, names = environment.ask(code)
    assert "'real-quitting' 1.2" in message
    assert cause == "SystemExit(3)"
    assert names == ["aliased", "dynamic", "good", "other", "slow"]


def test_bad_aliases_are_dropped(environment):
    code = """
        import warnings
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            found = [double(1, backend="aliased"), double(1, backend="fine")]
        found += sorted(str(each.message).count("real-aliases") for each in warned)
        """
    assert environment.ask(code) == [["aliased", 2], ["aliased", 2], 1, 1, 1]


def test_a_dynamic_one_is_used(environment):
    code = """
        import warnings
        warnings.simplefilter("ignore")
        found = [double(2, backend="dynamic"), double(3, backend="dynamic")]
        """
    assert environment.ask(code) == [["dynamic", 4], ["dynamic", 6]]


def test_the_environment_variable_chooses(environment):
    assert environment.ask("found = double(1)", REAL_HOST_BACKEND="good") == ["good", 2]
    code = "import warnings; warnings.simplefilter('ignore'); double(1)"
    done = environment.run(code, REAL_HOST_BACKEND="goood")
    assert "REAL_HOST_BACKEND" in done.stderr


def test_a_server_handles_two_requests_at_once_on_two_backends(environment):
    code = """
        import asyncio, warnings
        warnings.simplefilter("ignore")

        async def handle(reader, writer):
            name = (await reader.readline()).decode().strip()
            with settings.use_backend(name):
                for number in range(20):
                    answer = await fetch(number)
                    writer.write(f"{answer[0]}\\n".encode())
                    await writer.drain()
            writer.close()
            await writer.wait_closed()

        async def request(port, name):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"{name}\\n".encode())
            answer = (await reader.read()).decode().split()
            writer.close()
            await writer.wait_closed()
            return [len(answer), *set(answer)]

        async def main():
            server = await asyncio.start_server(handle, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            names = ["good", "other", "cpu"]
            answers = await asyncio.gather(*(request(port, name) for name in names))
            server.close()
            await server.wait_closed()
            return [answers, settings.backend]

        found = asyncio.run(main())
        """
    assert environment.ask(code) == [[[20, "good"], [20, "other"], [20, "host"]], "cpu"]


def test_a_bound_function_takes_the_choice_to_threads_and_processes(environment):
    code = """
        import concurrent.futures as futures, multiprocessing
        with settings.use_backend("good"):
            bound, plain = settings.bind(double), double
        with futures.ThreadPoolExecutor(2) as pool:
            found = list(pool.map(bound, [1, 2])) + list(pool.map(plain, [3]))
        context = multiprocessing.get_context("spawn")
        with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            found += list(pool.map(bound, [4, 5])) + list(pool.map(plain, [6]))
        """
    assert environment.ask(code) == [
        ["good", 2],
        ["good", 4],
        ["host", 6],
        ["good", 8],
        ["good", 10],
        ["host", 12],
    ]


def test_a_missing_extra_is_named(environment):
    code = """
        import sys
        for name in ("docstring_parser", "packaging"):
            sys.modules.pop("reg.backends", None)
            real, sys.path[:] = list(sys.path), [p for p in sys.path if "real" not in p or 1]
            import importlib.util as util
            kept = util.find_spec
            util.find_spec = lambda asked, kept=kept: None if asked == name else kept(asked)
            try:
                import reg.backends
            except ImportError as error:
                found.append(str(error))
            util.find_spec = kept
        """
    found = environment.ask("found = []\n" + textwrap.dedent(code), host=False)
    assert [("reg-dispatch[backends]" in each, each.split()[4]) for each in found] == [
        (True, "docstring_parser;"),
        (True, "packaging;"),
    ]


# The command line


def listed(environment, *arguments):
    """The output of ``reg backends`` by entry point."""
    found = json.loads(environment.command("backends", *arguments, "--format", "json").stdout)
    return {
        each["entry_point"]: (
            each["name"],
            each["aliases"],
            f"{each['distribution']} {each['version']}",
            each["trusted"],
            each["outcome"],
        )
        for each in found
    }


def test_the_command_lists_the_backends_of_a_group(environment):
    found = listed(environment, "real_host.backends")
    assert sorted(found) == sorted(name for _, name, _ in BACKENDS)
    assert found["good"] == ("good", [], "real-good 1.2", None, "loaded")
    assert found["raising"] == (None, [], "real-raising 1.2", None, "failed")
    assert found["quitting"] == (None, [], "real-quitting 1.2", None, "failed")
    assert found["aliased"] == ("aliased", ["fine", "later"], "real-aliases 1.2", None, "loaded")


def test_the_command_tells_whom_a_host_trusts_if_it_is_given_the_dispatcher(environment):
    found = listed(environment, "real_host:dispatcher")
    assert found["good"] == ("good", ["g"], "real-good 1.2", True, "loaded")
    assert found["other"] == ("other", [], "real-other 1.2", False, "loaded")
    assert found["precious"] == (None, [], "real-impostor 1.2", False, "refused")
    assert found["aliased"] == ("aliased", ["fine"], "real-aliases 1.2", False, "loaded")
    assert "real_impostor" not in environment.imported()


@pytest.mark.parametrize("host", ["real_host.backends", "real_host:dispatcher"])
def test_the_command_imports_no_backend_if_it_is_told_not_to(environment, host):
    found = listed(environment, host, "--no-load")
    assert environment.imported() == []
    assert {name: each[0] for name, each in found.items()} == dict.fromkeys(found)
    assert {each[-1] for name, each in found.items() if name != "precious"} == {"not loaded"}


def test_what_metadata_say_of_trust_is_told_without_importing(environment):
    found = listed(environment, "real_host:dispatcher", "--no-load")
    assert {name: each[3] for name, each in found.items()} == {
        **dict.fromkeys(found, False),
        "good": True,
    }
    assert found["precious"][-1] == "refused"


def test_the_command_shows_text_with_the_reasons_below(environment):
    done = environment.command("backends", "real_host:dispatcher")
    lines = done.stdout.splitlines()
    assert " ".join(lines[0].split()) == (
        "backend aliases entry point distribution trusted outcome"
    )
    assert "good     g        good         real-good 1.2      yes      loaded" in lines
    assert "        did not load: RuntimeError: broken on purpose" in lines
    assert "        did not load: SystemExit: 3" in lines
    assert (
        "        not trusted as 'precious': it comes from the distribution 'real-impostor', and"
        in lines
    )
    assert max(map(len, lines)) <= 100
    assert done.stderr == ""


def test_without_a_host_the_command_says_that_trust_is_not_known(environment):
    shown = environment.command("backends", "real_host.backends", "--no-load").stdout
    assert shown.count("no host given") == len(BACKENDS)


def test_a_group_without_entry_points_is_said_to_be_so(environment):
    done = environment.command("backends", "real_host.backend")
    assert done.stdout == (
        "no distribution has entry points in the group 'real_host.backend'; there are some in"
        " 'real_host.backends'\n"
    )
    assert environment.command("backends", "nothing", "--format", "json").stdout == "[]\n"


def test_a_backend_that_ends_the_program_from_a_constructor_is_an_error_of_one_line(
    environment, tmp_path
):
    source = "import sys\nclass Backend:\n    def __init__(self): sys.exit(4)\n"
    tmp_path.joinpath("ending.py").write_text(source)
    info = tmp_path / "ending-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: ending\nVersion: 1.0\n")
    info.joinpath("entry_points.txt").write_text("[ending.backends]\nending = ending:Backend\n")
    done = environment.command("backends", "ending.backends", cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "reg: the backends cannot be loaded (SystemExit: 4); type --no-load to list them"
        " nevertheless"
    ]
    assert json.loads(
        environment.command(
            "backends", "ending.backends", "--no-load", "--format", "json", cwd=tmp_path
        ).stdout
    )


# The pytest plugin

SUITE = {
    "conftest.py": """
        import real_host
        from reg.backends.testing import HostSuite

        def pytest_reg_host():
            return HostSuite(
                real_host.dispatcher,
                tolerances={"double": {"abs": 0.5}},
                expected_failures={"other": {"test_fails": "it is known"}},
            )
        """,
    "test_host.py": """
        import threading
        import pytest
        from real_host import double, settings

        def test_double(reg_tolerance):
            assert double(1)[1] == pytest.approx(2.25, **(reg_tolerance("double") or {"abs": 0.3}))

        def test_in_a_thread():
            seen = []
            thread = threading.Thread(target=lambda: seen.append(double(1)[0]))
            thread.start()
            thread.join()
            assert seen == [{"cpu": "host"}.get(settings.backend, settings.backend)]
            double(1)

        @pytest.mark.backend_functions("missing")
        def test_missing():
            assert double(1)[1] == 2

        def test_of_the_host_alone():
            assert 1 + 1 == 2

        def test_fails():
            assert double(1)[0] != "other"

        def test_chooses():
            settings.backend = "cpu"
            double(1)
            settings.backend = "good"
            double(1)

        def test_after_it():
            assert settings.backend == EXPECTED
            double(1)
        """,
}


@pytest.fixture
def suite(environment, tmp_path):
    def run(*options, expected="cpu", ini=""):
        for name, source in SUITE.items():
            source = textwrap.dedent(source).replace("EXPECTED", repr(expected))
            tmp_path.joinpath(name).write_text(source)
        tmp_path.joinpath("pytest.ini").write_text(f"[pytest]\n{ini}")
        done = subprocess.run(
            [environment.python, "-m", "pytest", "-p", PLUGIN, "-rA", *options],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            timeout=60,
            check=False,
        )
        return done.stdout + done.stderr

    return run


def test_the_plugin_isolates_choices_between_tests(suite):
    assert "7 passed" in suite()


def test_the_plugin_runs_the_suite_on_a_backend(suite):
    shown = suite("--reg-backend", "good", expected="good")
    assert "5 passed, 2 skipped" in shown
    assert "good does not implement missing()" in shown
    assert "good ran nothing in this test" in shown
    assert "test_double[good]" in shown


def test_the_plugin_runs_it_on_each_and_expects_known_failures(suite):
    ini = "filterwarnings =\n    ignore:the backend 'other'"
    shown = suite("--reg-backend=g", "--reg-backend=other", "-k", "fails or double", ini=ini)
    assert "3 passed" in shown
    assert "1 xfailed" in shown
    assert "other: it is known" in shown


def test_the_plugin_refuses_what_does_not_load(suite):
    assert "--reg-backend raising: " in suite("--reg-backend", "raising")
    assert "did you mean 'good'" in suite("--reg-backend", "goood", "-W", "ignore")


def test_the_plugin_needs_a_host(environment, tmp_path):
    tmp_path.joinpath("test_x.py").write_text("def test_x(): pass")
    command = [environment.python, "-m", "pytest", "-p", "reg.testing.backends_plugin"]
    done = subprocess.run(
        [*command, "--reg-backend=good"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        timeout=60,
        check=False,
    )
    assert "pytest_reg_host" in done.stdout + done.stderr
    assert sys.executable
