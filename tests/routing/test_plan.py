from dataclasses import replace

import pytest

from sklearn_dask_auto.routing import Candidate, Job, Plan, Profile, Resources, decide
from sklearn_dask_auto.routing.cost import Cost
from sklearn_dask_auto.routing.profile import format_bytes

PROFILE = Profile(
    "dask array", 1_000_000, 20, 160_000_000, "float64", 16, 10_000_000, is_dask=True
)
JOB = Job("AutoScaleKMeans")
RESOURCES = Resources(cores=2, free_memory=8_000_000_000)
PLAN = Plan(
    "blockwise",
    (
        Candidate("sklearn", Cost(1.0, 0.08, n_bytes=320_000_000), (), ("too far",)),
        Candidate("joblib", Cost(), ("no Dask client", "one fit")),
        Candidate("blockwise", Cost(0.5, overhead=0.75, n_bytes=64_000_000)),
    ),
    PROFILE,
    JOB,
    RESOURCES,
    4_000_000_000,
)


def test_a_plan_prints_as_a_table():
    assert str(replace(PLAN, seconds=1.2345)) == (
        "AutoScaleKMeans.fit on dask array 1,000,000 x 20 float64, 160 MB, 16 blocks, "
        "in memory\n"
        "-> blockwise, took 1.23 s; memory budget 4 GB\n"
        "   engine    can    seconds    memory workers  binds / why not\n"
        "   sklearn   yes        1.1    320 MB       1  compute\n"
        "                                               auto: too far\n"
        "   joblib    no           -         -       -  no Dask client\n"
        "                                               one fit\n"
        "-> blockwise yes        1.2     64 MB       1  overhead"
    )


def test_a_notebook_shows_the_table():
    class Printer:
        shown = ""

        def text(self, text):
            self.shown += text

    printer = Printer()
    PLAN._repr_pretty_(printer, cycle=False)
    assert printer.shown == str(PLAN)


def test_a_plan_prints_what_was_asked_for_by_name():
    plan = replace(PLAN, job=replace(JOB, engine="blockwise"))
    assert str(plan).splitlines()[1] == (
        "-> blockwise (asked for by name); memory budget 4 GB"
    )


def test_a_plan_without_an_engine_says_so():
    plan = replace(PLAN, engine=None)
    assert plan.chosen is None
    assert str(plan).splitlines()[1] == "-> no engine; memory budget 4 GB"
    assert not any(line.startswith("->") for line in str(plan).splitlines()[2:])


def test_a_refusal_of_a_named_engine_gives_its_reasons_and_the_alternatives():
    job = replace(JOB, engine="joblib", refusals=(("joblib", "KMeans has no fits."),))
    assert decide(PROFILE, job, RESOURCES).refusal() == (
        "AutoScaleKMeans.fit on dask array 1,000,000 x 20 float64, 160 MB, 16 blocks, "
        "in memory: engine='joblib' cannot do this here.\n"
        "  joblib: KMeans has no fits.\n"
        "  joblib: no Dask client in this process\n"
        "  joblib: one fit is one task: there is nothing to spread\n"
        "Engines that can: sklearn, dask-ml, blockwise."
    )


def test_a_refusal_of_every_engine_gives_every_reason():
    job = Job(
        "AutoScaleSearchCV",
        n_fits=15,
        refusals=(("blockwise", "whole folds"), ("dask-ml", "ranks NaN differently")),
    )
    plan = decide(PROFILE, job, Resources(2, 200_000_000, is_in_worker=True))
    over = (
        "X takes 160 MB and a fit in this process 320 MB more, over the memory budget "
        "of 100 MB (set_config(memory_budget=...) changes it)"
    )
    assert plan.engine is None
    assert plan.refusal() == (
        "AutoScaleSearchCV.fit on dask array 1,000,000 x 20 float64, 160 MB, "
        "16 blocks, in memory: no engine can do this here.\n"
        f"  sklearn: {over}\n"
        "  joblib: this call runs inside a task of a Dask worker\n"
        "  joblib: no Dask client in this process\n"
        f"  joblib: {over}\n"
        "  dask-ml: ranks NaN differently\n"
        "  blockwise: whole folds"
    )


def test_a_plan_as_dict_has_the_sum_and_the_dominant_part_of_each_cost():
    entry = PLAN.to_dict()["candidates"][0]
    assert entry["cost"]["transfer"] == 0.08
    assert entry["seconds"] == 1.08
    assert entry["binds"] == "compute"
    assert entry["reservations"] == ["too far"]


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        (Profile("other"), "other ? x ?"),
        (Profile("numpy", 3, 2, 48, "float64"), "numpy 3 x 2 float64, 48 B"),
        (
            Profile("dask array", None, 2, None, "float32", 1, 0, True, False),
            "dask array ? x 2 float32, 1 block, lazy",
        ),
        (
            Profile("dask array", 0, 0, 0, "int64", 12_345, 0, True),
            "dask array 0 x 0 int64, 0 B, 12,345 blocks, in memory",
        ),
    ],
    ids=["other", "numpy", "unknown-rows", "many-blocks"],
)
def test_a_profile_prints_in_one_line(profile, text):
    assert str(profile) == text


@pytest.mark.parametrize(
    ("n_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1499, "1.5 kB"),
        (999_499, "999 kB"),
        (999_500, "1 MB"),
        (5 * 10**9, "5 GB"),
        (10**12, "1 TB"),
    ],
)
def test_bytes_print_with_three_digits_and_a_unit(n_bytes, text):
    assert format_bytes(n_bytes) == text


def test_a_size_beyond_terabytes_prints_in_terabytes():
    assert format_bytes(10**18) == "1e+06 TB"
