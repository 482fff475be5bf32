"""Generated inputs, requests and machines: anything that a decision may meet."""

from dataclasses import replace

from hypothesis import strategies as st

from sklearn_dask_auto.routing import ENGINES, Cluster, Job, Profile, Resources

IN_MEMORY = ("numpy", "pandas", "polars", "scipy sparse", "list", "other")
ON_DASK = ("dask array", "dask dataframe")
SIZES = st.one_of(st.integers(0, 10**4), st.integers(0, 10**7), st.integers(0, 10**10))
BYTES = st.one_of(st.integers(0, 10**6), st.integers(0, 10**14))


@st.composite
def profiles(draw, containers=IN_MEMORY + ON_DASK, known=None):
    """Draw a profile; with `known`, one whose sizes are all known."""
    container = draw(st.sampled_from(containers))
    is_dask = container in ON_DASK
    n_blocks = draw(st.integers(1, 10**5)) if is_dask else 1
    profile = Profile(
        container,
        n_rows=draw(SIZES),
        n_columns=draw(st.integers(0, 10**4)),
        n_bytes=draw(BYTES),
        dtype=draw(st.sampled_from(("", "float32", "float64", "mixed"))),
        n_blocks=n_blocks,
        block_bytes=draw(BYTES) if is_dask else 0,
        is_dask=is_dask,
        is_stored=draw(st.booleans()) if is_dask else True,
        target=draw(st.sampled_from((None, *IN_MEMORY, *ON_DASK))),
    )
    if known or not draw(st.booleans()):
        return profile
    unknown = draw(st.sets(st.sampled_from(("n_rows", "n_columns", "n_bytes"))))
    return replace(profile, **dict.fromkeys(unknown))


@st.composite
def jobs(draw, engines=("auto", *ENGINES), most_fits=2000):
    """Draw a job."""
    refused = draw(st.lists(st.sampled_from(ENGINES), max_size=4))
    return Job(
        "AutoScaleKMeans",
        engine=draw(st.sampled_from(engines)),
        refusals=tuple((engine, f"{engine} has none") for engine in refused),
        n_fits=draw(st.integers(1, most_fits)),
        seconds_per_fit=draw(st.none() | st.floats(0, 1e4)),
        passes=draw(st.floats(1, 300)),
        operations=draw(st.floats(0.5, 1000)),
        copies=draw(st.floats(1, 10)),
        n_jobs=draw(st.none() | st.integers(-4, 64)),
        exact_rows=draw(st.none() | SIZES),
        reservations=draw(
            st.sampled_from(((), (("blockwise", "blockwise may differ"),)))
        ),
        moves_whole=draw(st.booleans()),
        in_threads=draw(st.booleans()),
    )


CLUSTERS = st.builds(
    lambda n_workers, threads, memory, problem: Cluster(
        "tcp://127.0.0.1:8786",
        n_workers,
        n_workers * threads,
        n_workers * memory,
        memory if n_workers else 0,
        problem,
    ),
    st.integers(0, 200),
    st.integers(1, 32),
    st.integers(1, 10**12),
    st.sampled_from((None, "a Dask worker has no scikit-learn")),
)
RESOURCES = st.builds(
    Resources,
    cores=st.integers(1, 256),
    free_memory=BYTES,
    cluster=st.none() | CLUSTERS,
    cluster_problem=st.sampled_from((None, "the Dask client is closed")),
    is_in_worker=st.booleans(),
    has_dask_ml=st.booleans(),
    has_warm_workers=st.booleans(),
)
BUDGETS = st.none() | BYTES
