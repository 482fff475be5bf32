import io
import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import dask.array as da
import numpy as np
import pytest

from sklearn_dask_auto import (
    AutoScaleKMeans,
    NoEngineError,
    _config,
    config_context,
    get_config,
    set_config,
)

X = np.random.default_rng(0).normal(size=(60, 2))
LOGGER = logging.getLogger("sklearn_dask_auto")


@pytest.fixture(autouse=True)
def defaults(monkeypatch):
    """Give each test settings of its own, so that none has to put them back."""
    monkeypatch.setattr(_config, "_DEFAULTS", dict.fromkeys(_config._DEFAULTS))
    level, handlers = LOGGER.level, list(LOGGER.handlers)
    yield
    LOGGER.setLevel(level)
    LOGGER.handlers[:] = handlers


def in_thread(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def test_every_setting_starts_unset():
    assert get_config() == {"memory_budget": None, "engine": None, "log_level": None}


def test_what_is_got_is_a_copy():
    get_config()["engine"] = "joblib"
    assert get_config()["engine"] is None


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("memory_budget", 1000, 1000),
        ("memory_budget", 1e9, 10**9),
        ("memory_budget", "4GB", 4 * 10**9),
        ("memory_budget", "2 MiB", 2 * 2**20),
        ("memory_budget", "auto", None),
        ("engine", "blockwise", "blockwise"),
        ("engine", "auto", None),
        ("log_level", "INFO", 20),
        ("log_level", 10, 10),
    ],
)
def test_a_setting_is_kept_in_the_form_that_the_library_reads(name, value, kept):
    set_config(**{name: value})
    assert get_config()[name] == kept
    with config_context(**{name: value}):
        assert get_config()[name] == kept


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("memory_budget", 0, "must be positive, got 0"),
        ("memory_budget", -1, "must be positive, got -1"),
        ("memory_budget", "-4GB", "memory_budget must be .*got '-4GB'"),
        ("memory_budget", "much", "a number of bytes, text such as '4GB'.*'much'"),
        ("memory_budget", "4 apples", "a number of bytes, text such as"),
        ("memory_budget", float("nan"), "a number of bytes"),
        ("memory_budget", float("inf"), "a number of bytes"),
        ("memory_budget", [1], r"a number of bytes.*got \[1\]"),
        ("engine", "spark", r"one of \('auto', 'sklearn', .*got 'spark'"),
        ("engine", "", "engine must be one of"),
        ("engine", ["joblib"], "engine must be one of"),
        ("log_level", "LOUD", "'LOUD' is not a level"),
        ("log_level", 1.5, "1.5 is not a level"),
        ("log_level", "", "'' is not a level"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(name, value, message):
    before = get_config()
    with pytest.raises(ValueError, match=message):
        set_config(**{name: value})
    with pytest.raises(ValueError, match=message), config_context(**{name: value}):
        pass
    assert get_config() == before


def test_settings_not_named_keep_their_values():
    set_config(memory_budget="1GB", engine="sklearn")
    set_config(engine="blockwise")
    assert get_config()["memory_budget"] == 10**9
    with config_context(memory_budget="2GB"):
        assert get_config()["engine"] == "blockwise"


def test_settings_are_given_by_name():
    with pytest.raises(TypeError):
        set_config("4GB")


def test_a_context_ends_and_contexts_nest():
    with config_context(engine="sklearn"):
        with config_context(engine="joblib", memory_budget=5):
            assert get_config()["engine"] == "joblib"
        assert get_config()["engine"] == "sklearn"
        assert get_config()["memory_budget"] is None
    assert get_config()["engine"] is None


def test_a_context_ends_with_an_error():
    with pytest.raises(KeyError), config_context(engine="sklearn"):
        raise KeyError
    assert get_config()["engine"] is None


def test_what_is_set_within_a_context_ends_with_it():
    with config_context(engine="sklearn"):
        set_config(memory_budget=7)
        assert get_config()["memory_budget"] == 7
        assert get_config()["engine"] == "sklearn"
    assert get_config()["memory_budget"] is None


def test_a_setting_holds_in_every_thread_and_a_context_in_its_own():
    set_config(memory_budget=7)
    with config_context(engine="sklearn"):
        seen = in_thread(get_config)
    assert seen["memory_budget"] == 7
    assert seen["engine"] is None


def test_a_context_in_another_thread_is_not_seen_here():
    def run():
        with config_context(engine="joblib"):
            return in_thread(get_config)["engine"], get_config()["engine"]

    assert in_thread(run) == (None, "joblib")
    assert get_config()["engine"] is None


def test_an_engine_in_the_settings_is_obeyed_and_the_estimators_own_goes_first():
    blocks = da.from_array(X, chunks=(20, 2))
    with config_context(engine="blockwise"):
        assert AutoScaleKMeans(2).explain(blocks).engine == "blockwise"
        assert AutoScaleKMeans(2).explain(X).engine == "blockwise"
        own = AutoScaleKMeans(2, engine="sklearn").explain(blocks)
    assert own.engine == "sklearn"
    assert own.job.engine == "sklearn"


def test_an_engine_in_the_settings_that_cannot_do_it_is_refused():
    with (
        config_context(engine="joblib"),
        pytest.raises(NoEngineError, match="engine='joblib' cannot do this"),
    ):
        AutoScaleKMeans(2).fit(X)


def test_a_memory_budget_in_the_settings_is_obeyed():
    blocks = da.from_array(X, chunks=(20, 2))
    with config_context(memory_budget=100):
        plan = AutoScaleKMeans(2).explain(blocks)
    assert plan.budget == 100
    assert plan.engine == "blockwise"
    assert "memory budget of 100 B" in str(plan)


@pytest.mark.parametrize("engine", ["sklearn", "blockwise"])
@pytest.mark.parametrize("container", ["numpy", "dask"])
def test_one_fit_is_one_line(container, engine, caplog):
    rows = X if container == "numpy" else da.from_array(X, chunks=(20, 2))
    model = AutoScaleKMeans(2, engine=engine, random_state=0)
    with config_context(log_level="INFO"):
        model.fit(rows)
        model.predict(X)
    lines = [r.getMessage() for r in caplog.records if r.name == "sklearn_dask_auto"]
    (line,) = lines
    assert line.startswith(f"AutoScaleKMeans.fit: {engine} on {container}")
    assert line.endswith(" s")


def test_nothing_is_logged_unless_asked_for(caplog):
    AutoScaleKMeans(2, random_state=0).fit(X)
    assert caplog.records == []


def test_the_level_of_a_context_ends_with_it():
    before = LOGGER.level
    with config_context(log_level="DEBUG"):
        assert LOGGER.level == logging.DEBUG
    assert LOGGER.level == before


def standard_error(source):
    run = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True
    )
    assert run.stdout == ""
    return run.stderr.splitlines()


def test_a_program_sees_a_fit_on_standard_error():
    source = """
import numpy as np
from sklearn_dask_auto import AutoScaleKMeans, set_config
set_config(log_level="INFO")
AutoScaleKMeans(2).fit(np.arange(8.0).reshape(4, 2))
"""
    (line,) = standard_error(source)
    expected = "sklearn_dask_auto: AutoScaleKMeans.fit: sklearn on numpy 4 x 2 float64"
    assert line.startswith(expected)


def test_lines_go_to_standard_error_as_it_is_now(monkeypatch, capsys):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    set_config(log_level="INFO")
    LOGGER.info("one")
    # Notebooks and test runners put another stream in its place.
    other = io.StringIO()
    monkeypatch.setattr(sys, "stderr", other)
    LOGGER.info("two")
    assert capsys.readouterr().err == "sklearn_dask_auto: one\n"
    assert other.getvalue() == "sklearn_dask_auto: two\n"


@pytest.mark.parametrize(
    ("setting", "lines"),
    [
        pytest.param("pass", 0, id="unset"),
        pytest.param("set_config(log_level='INFO')", 1, id="info"),
        pytest.param("set_config(log_level='WARNING')", 0, id="warning"),
        pytest.param(
            "set_config(log_level='INFO'); set_config(log_level='INFO')", 1, id="twice"
        ),
        pytest.param(
            "logging.basicConfig(); set_config(log_level='INFO')", 1, id="root-first"
        ),
        pytest.param(
            "set_config(log_level='INFO'); logging.basicConfig()", 1, id="root-later"
        ),
    ],
)
def test_a_line_is_written_once_whoever_sets_up_logging(setting, lines):
    source = f"""
import logging
from sklearn_dask_auto import set_config
{setting}
logging.getLogger("sklearn_dask_auto").info("a fit")
"""
    found = standard_error(source)
    assert len(found) == lines
    assert all("a fit" in line for line in found)
