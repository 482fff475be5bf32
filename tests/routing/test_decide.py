import json
import pickle
from dataclasses import FrozenInstanceError, fields, replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_dask_auto.routing import (
    ENGINES,
    Cluster,
    Job,
    Profile,
    Resources,
    decide,
)
from sklearn_dask_auto.routing.cost import fits_at_once
from tests.routing.strategies import (
    BUDGETS,
    BYTES,
    IN_MEMORY,
    ON_DASK,
    RESOURCES,
    jobs,
    profiles,
)

GATHERING = ("sklearn", "joblib")
FACTORS = st.lists(st.integers(1, 100) | st.integers(1, 10**7), min_size=2, max_size=6)
PARTS = ("compute", "transfer", "overhead", "start", "n_bytes")


def grown(profile, factors):
    """Return ever larger inputs, cut into as many blocks."""
    return [
        replace(
            profile,
            n_rows=profile.n_rows * factor,
            n_bytes=profile.n_bytes * factor,
            block_bytes=profile.block_bytes * factor,
        )
        for factor in sorted(factors)
    ]


def pairs(plans):
    """Return each pair of candidates for one engine on a smaller and larger input."""
    return [
        (less, more)
        for smaller, larger in pairwise(plans)
        for less, more in zip(smaller.candidates, larger.candidates, strict=True)
    ]


@given(profiles(), jobs(), RESOURCES, BUDGETS)
def test_any_request_gets_a_plan_and_always_the_same(profile, job, resources, budget):
    plan = decide(profile, job, resources, budget)
    assert tuple(c.engine for c in plan.candidates) == ENGINES
    assert plan == decide(profile, job, resources, budget)
    assert isinstance(str(plan), str)
    assert isinstance(plan.refusal(), str)


@given(profiles(), jobs(), RESOURCES, BUDGETS)
def test_a_plan_survives_json_and_pickle(profile, job, resources, budget):
    plan = decide(profile, job, resources, budget)
    assert json.loads(json.dumps(plan.to_dict(), allow_nan=False)) == plan.to_dict()
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_nothing_in_a_plan_can_be_changed():
    plan = decide(Profile("numpy", 10, 2, 160), Job("Estimator"), Resources(2, 10**9))
    parts = (
        plan,
        plan.chosen,
        plan.chosen.cost,
        plan.profile,
        plan.job,
        plan.resources,
        CLUSTER,
    )
    for part in parts:
        name = fields(part)[0].name
        with pytest.raises(FrozenInstanceError):
            setattr(part, name, "other")


@given(profiles(), jobs(), RESOURCES, BUDGETS)
def test_an_engine_is_missing_only_where_none_asked_for_is_able(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    able = {c.engine for c in plan.candidates if c.is_able}
    asked = ENGINES if job.engine == "auto" else (job.engine,)
    assert (plan.engine is None) == able.isdisjoint(asked)
    assert (plan.chosen is None) == (plan.engine is None)


@given(profiles(), jobs(), RESOURCES, BUDGETS)
def test_the_chosen_engine_has_no_reason_against_it_and_the_unable_have_some(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    for candidate in plan.candidates:
        assert candidate.is_able == (candidate.reasons == ())
        assert all(candidate.reasons)
        assert all(candidate.reservations)
    if plan.chosen is not None:
        assert plan.chosen.reasons == ()
    else:
        assert "cannot do this" in plan.refusal() or "no engine" in plan.refusal()


@given(profiles(), jobs(engines=ENGINES), RESOURCES, BUDGETS)
def test_an_engine_asked_for_by_name_is_taken_or_none_is(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    asked = next(c for c in plan.candidates if c.engine == job.engine)
    assert plan.engine == (job.engine if asked.is_able else None)


@given(profiles(), jobs(engines=("auto",)), RESOURCES, BUDGETS)
def test_auto_takes_an_engine_with_reservations_only_where_all_have_some(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    if plan.chosen is not None and plan.chosen.reservations:
        assert all(c.reservations for c in plan.candidates if c.is_able)


@given(profiles(), jobs(engines=("auto",)), RESOURCES, BUDGETS)
def test_auto_takes_the_cheapest_of_the_engines_it_may_take(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    if plan.chosen is None:
        return
    rivals = [
        c
        for c in plan.candidates
        if c.is_able and bool(c.reservations) == bool(plan.chosen.reservations)
    ]
    assert plan.chosen.cost.seconds == min(c.cost.seconds for c in rivals)


@given(profiles(known=True), jobs(), RESOURCES, BUDGETS, FACTORS)
def test_a_larger_input_never_makes_an_engine_able(
    profile, job, resources, budget, factors
):
    plans = [decide(p, job, resources, budget) for p in grown(profile, factors)]
    for less, more in pairs(plans):
        assert less.is_able or not more.is_able


@given(profiles(known=True), jobs(), RESOURCES, BUDGETS, FACTORS)
def test_a_larger_input_never_costs_less(profile, job, resources, budget, factors):
    plans = [decide(p, job, resources, budget) for p in grown(profile, factors)]
    for less, more in pairs(plans):
        # Fewer local processes share the work where each holds more of the memory.
        assert less.cost.n_workers >= more.cost.n_workers
        assert less.cost.seconds <= more.cost.seconds * (1 + 1e-12)
        if less.cost.n_workers == more.cost.n_workers:
            for part in PARTS:
                assert getattr(less.cost, part) <= getattr(more.cost, part)


@given(
    profiles(known=True),
    jobs(engines=("auto",), most_fits=1),
    RESOURCES,
    BUDGETS,
    FACTORS,
)
def test_a_growing_input_leaves_memory_once_and_for_all(
    profile, job, resources, budget, factors
):
    # What is put together on a worker is not in the memory of this process.
    job = replace(job, moves_whole=False)
    plans = [decide(p, job, resources, budget) for p in grown(profile, factors)]
    engines = [plan.engine for plan in plans]
    is_local = [engine in GATHERING for engine in engines]
    assert is_local == sorted(is_local, reverse=True), engines


@pytest.mark.parametrize("engine", ["blockwise", "dask-ml"])
def test_a_byte_costs_no_more_on_a_larger_input(engine):
    # What makes the choice above final: gathering costs the same for every byte.
    job = replace(ONE_FIT, passes=100.0)
    prices = []
    for n_rows in range(10_000, 3_000_000, 10_000):
        profile = replace(LARGE_ON_DASK, n_rows=n_rows, n_bytes=1000 * n_rows)
        plan = decide(profile, job, WITH_CLUSTER)
        (cost,) = (c.cost for c in plan.candidates if c.engine == engine)
        prices.append(cost.seconds / n_rows)
    assert prices == sorted(prices, reverse=True)


@given(profiles(ON_DASK, known=True), jobs(), RESOURCES, BUDGETS)
def test_a_dask_input_is_gathered_only_within_the_budget(
    profile, job, resources, budget
):
    plan = decide(profile, job, resources, budget)
    # What takes rows whole has them put together on the workers.
    on_worker = plan.engine == "joblib" and job.moves_whole
    limit = resources.cluster.worker_memory if on_worker else plan.budget
    if plan.engine in GATHERING:
        assert plan.chosen.cost.n_bytes <= limit


@given(profiles(), jobs(), RESOURCES, BUDGETS)
def test_local_processes_stay_within_the_budget(profile, job, resources, budget):
    plan = decide(profile, job, resources, budget)
    (cost,) = (c.cost for c in plan.candidates if c.engine == "sklearn")
    # Without copies there is nothing that grows with the number of processes.
    if cost.n_workers > 1 and int((job.copies - 1) * (profile.n_bytes or 0)) > 0:
        assert cost.n_bytes <= plan.budget


@given(profiles(), jobs(), RESOURCES, BYTES)
def test_more_free_memory_never_makes_an_engine_unable(profile, job, resources, more):
    richer = replace(resources, free_memory=resources.free_memory + more)
    before, after = decide(profile, job, resources), decide(profile, job, richer)
    for poor, rich in zip(before.candidates, after.candidates, strict=True):
        assert rich.is_able or not poor.is_able


@given(profiles(), jobs(), RESOURCES, BYTES)
def test_a_budget_that_is_named_replaces_free_memory(profile, job, resources, budget):
    assert decide(profile, job, resources, budget).budget == budget
    half = resources.free_memory // 2
    assert decide(profile, job, resources).budget == half


@given(profiles(IN_MEMORY), jobs(), RESOURCES, BUDGETS)
def test_dask_ml_never_takes_what_is_in_memory(profile, job, resources, budget):
    assert decide(profile, job, resources, budget).engine != "dask-ml"


MEGABYTE = 10**6
GIGABYTE = 10**9
LAPTOP = Resources(cores=4, free_memory=8 * GIGABYTE)
CLUSTER = Cluster("tcp://10.0.0.1:8786", 4, 16, 64 * GIGABYTE, 16 * GIGABYTE)
WITH_CLUSTER = replace(LAPTOP, cluster=CLUSTER)
SMALL = Profile("numpy", 10_000, 10, 800_000)
SMALL_ON_DASK = Profile(
    "dask array", 10_000, 10, 800_000, "float64", 10, 80_000, is_dask=True
)
LARGE_ON_DASK = replace(
    SMALL_ON_DASK,
    n_rows=10**9,
    n_bytes=80 * GIGABYTE,
    n_blocks=800,
    block_bytes=100 * MEGABYTE,
    is_stored=False,
)
FRAME = Profile("dask dataframe", None, 10, None, "mixed", 8, is_dask=True)
ONE_FIT = Job("AutoScaleKMeans", passes=10.0, operations=24.0)
SEARCH = Job(
    "AutoScaleSearchCV",
    refusals=(("blockwise", "no"), ("dask-ml", "no")),
    n_fits=200,
    seconds_per_fit=10.0,
)
WHOLE_FIT = replace(ONE_FIT, moves_whole=True, refusals=(("dask-ml", "no"),))
WITH_LARGE_WORKER = replace(
    WITH_CLUSTER, cluster=replace(CLUSTER, worker_memory=1000 * GIGABYTE)
)


@pytest.mark.parametrize(
    ("profile", "job", "resources", "engine"),
    [
        pytest.param(SMALL, ONE_FIT, LAPTOP, "sklearn", id="numpy"),
        pytest.param(SMALL, ONE_FIT, WITH_CLUSTER, "sklearn", id="numpy-and-client"),
        pytest.param(SMALL_ON_DASK, ONE_FIT, LAPTOP, "sklearn", id="small-dask"),
        pytest.param(LARGE_ON_DASK, ONE_FIT, LAPTOP, "blockwise", id="large-dask"),
        pytest.param(FRAME, ONE_FIT, LAPTOP, "blockwise", id="unknown-rows"),
        pytest.param(SMALL, SEARCH, LAPTOP, "sklearn", id="search-without-client"),
        pytest.param(SMALL, SEARCH, WITH_CLUSTER, "joblib", id="search-and-client"),
        pytest.param(
            SMALL,
            replace(SEARCH, seconds_per_fit=1e-5),
            WITH_CLUSTER,
            "sklearn",
            id="search-of-tiny-fits",
        ),
        pytest.param(
            LARGE_ON_DASK, SEARCH, WITH_CLUSTER, None, id="search-over-the-budget"
        ),
        pytest.param(
            SMALL_ON_DASK,
            replace(ONE_FIT, exact_rows=9_999),
            LAPTOP,
            "blockwise",
            id="gathering-would-change-the-answer",
        ),
        pytest.param(
            SMALL,
            replace(ONE_FIT, engine="joblib"),
            WITH_CLUSTER,
            None,
            id="joblib-for-one-fit",
        ),
        pytest.param(
            LARGE_ON_DASK,
            replace(WHOLE_FIT, refusals=(("blockwise", "no"), ("dask-ml", "no"))),
            WITH_LARGE_WORKER,
            "joblib",
            id="one-fit-that-a-worker-holds",
        ),
        pytest.param(
            LARGE_ON_DASK,
            replace(WHOLE_FIT, reservations=(("blockwise", "may differ"),)),
            WITH_LARGE_WORKER,
            "joblib",
            id="one-fit-on-a-worker-rather-than-another-answer",
        ),
        pytest.param(
            SMALL_ON_DASK, WHOLE_FIT, WITH_LARGE_WORKER, "sklearn", id="small-is-here"
        ),
        pytest.param(
            FRAME,
            replace(WHOLE_FIT, engine="joblib"),
            WITH_LARGE_WORKER,
            None,
            id="no-worker-is-known-to-hold-what-is-of-unknown-size",
        ),
        pytest.param(
            SMALL,
            SEARCH,
            replace(WITH_CLUSTER, is_in_worker=True),
            "sklearn",
            id="search-inside-a-task",
        ),
        pytest.param(
            replace(SMALL, n_bytes=8 * GIGABYTE),
            ONE_FIT,
            LAPTOP,
            "blockwise",
            id="numpy-whose-fit-is-over-the-budget",
        ),
        pytest.param(
            Profile("scipy sparse", 10**6, 100, 8 * GIGABYTE),
            ONE_FIT,
            LAPTOP,
            "sklearn",
            id="sparse-whose-fit-is-over-the-budget",
        ),
        pytest.param(
            SMALL_ON_DASK,
            replace(ONE_FIT, engine="dask-ml"),
            LAPTOP,
            "dask-ml",
            id="dask-ml-by-name",
        ),
        pytest.param(
            SMALL_ON_DASK,
            replace(ONE_FIT, engine="dask-ml"),
            replace(LAPTOP, has_dask_ml=False),
            None,
            id="dask-ml-not-installed",
        ),
        pytest.param(
            SMALL,
            SEARCH,
            replace(WITH_CLUSTER, cluster=replace(CLUSTER, n_workers=0, n_threads=0)),
            "sklearn",
            id="cluster-without-workers",
        ),
    ],
)
def test_the_engine_follows_input_job_and_machines(profile, job, resources, engine):
    assert decide(profile, job, resources).engine == engine


@pytest.mark.parametrize(
    ("n_jobs", "workers"),
    [(None, 4), (-1, 4), (-2, 3), (-9, 1), (1, 1), (2, 2), (99, 4)],
)
def test_n_jobs_caps_the_workers_as_in_joblib(n_jobs, workers):
    plan = decide(SMALL, replace(SEARCH, n_jobs=n_jobs), LAPTOP)
    assert plan.engine == "sklearn"
    assert plan.chosen.cost.n_workers == workers


@pytest.mark.parametrize(
    ("in_threads", "is_warm", "start"),
    [(True, False, 0.0), (False, False, 1.0), (False, True, 0.0)],
)
def test_threads_need_no_start_where_fits_may_run_in_them(in_threads, is_warm, start):
    job = replace(SEARCH, in_threads=in_threads, seconds_per_fit=1.0)
    plan = decide(SMALL, job, replace(LAPTOP, has_warm_workers=is_warm))
    cost = plan.chosen.cost
    assert (cost.in_threads, cost.n_workers) == (in_threads, LAPTOP.cores)
    assert (cost.start > 0) == (start > 0)
    assert (", in threads" in str(plan)) == in_threads


def test_fits_that_only_wait_for_the_lock_are_not_sent_to_threads():
    job = replace(SEARCH, in_threads=True, seconds_per_fit=1e-4)
    assert decide(SMALL, job, LAPTOP).chosen.cost.n_workers == 1


def test_local_processes_are_as_many_as_memory_holds():
    large = replace(SMALL, n_bytes=GIGABYTE)
    # One copy that all map, and one for each process.
    for budget, workers in ((5, 4), (4, 3), (3, 2), (2, 1)):
        plan = decide(large, SEARCH, LAPTOP, budget * GIGABYTE)
        assert plan.chosen.cost.n_workers == workers


def test_a_budget_of_nothing_is_not_taken_for_no_budget():
    assert decide(SMALL_ON_DASK, ONE_FIT, LAPTOP, 0).engine == "blockwise"


def test_what_a_worker_takes_at_rest_is_not_there_for_fits():
    own = replace(CLUSTER, process_memory=GIGABYTE)
    # 16 GB, of which 12.8 are usable and 1 is taken, for 1 GB of rows and fits of 3.
    profile = replace(SMALL_ON_DASK, n_bytes=GIGABYTE)
    job = replace(SEARCH, copies=4.0, engine="joblib", moves_whole=True)
    assert fits_at_once(profile, job, own) == 3 * 4
    large = replace(profile, n_bytes=3 * GIGABYTE)
    plan = decide(large, job, replace(WITH_CLUSTER, cluster=own))
    assert plan.engine is None
    assert "can fill 11.8 GB of its 16 GB, as its process takes 1 GB" in plan.refusal()
    assert decide(large, job, WITH_CLUSTER).engine == "joblib"
