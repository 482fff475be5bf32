"""Search by `partial_fit`: rows stream block by block, and models wait for them.

Candidates of all brackets are trained in step: call number k of each is on the same
block, which is loaded once for all. So a search reads the data as often as the longest
training of one candidate does, however many candidates there are. With a Dask client,
models travel to the workers that hold the blocks.

Every block, score and cut is decided here from the seed alone, and a task changes no
model but its own copy: results do not depend on how many workers there are.
"""

import copy
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable
from sklearn.utils.multiclass import check_classification_targets

from sklearn_dask_auto._sklearn import safe_indexing
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.inputs.gather import gather
from sklearn_dask_auto.model_selection.strategies.hyperband import Bracket, Hyperband
from sklearn_dask_auto.routing import Plan
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["search_stream"]

SMALLEST_BLOCK = 256
"""Rows in memory are cut into as many blocks as there are calls, but none smaller."""


@dataclass(frozen=True)
class Trained:
    """A model on its way, as it goes from task to task."""

    model: Any
    seconds: float = 0.0
    error: str | None = None


@dataclass
class Candidate:
    """A candidate of one bracket."""

    params: dict[str, Any]
    bracket: Bracket
    trained: Any
    last_row: int = -1


@dataclass(frozen=True)
class Blocks:
    """Rows to learn from.

    Parameters
    ----------
    parts : list of tuple
        For each block, `X` as a delayed value, and the arguments of `partial_fit`.
    order : ndarray of int
        In which the blocks are taken, one pass after another.
    are_held : bool
        They are in memory, so that many calls can be asked for at once.
    """

    parts: list[tuple[Any, dict[str, Any]]]
    order: Any
    are_held: bool


class _Rows:
    """The input: its rows can be taken by number, as delayed blocks."""

    def __init__(
        self, search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
    ) -> None:
        _, y, params = gather(None, y, params)
        self.template = clone(search.estimator)
        self.is_lazy = is_dask(X)
        self.X, self.are_held = _entered(self.template, X, plan)
        self.X, self.y = indexable(self.X, y) if not self.is_lazy else (self.X, y)
        self.n_rows = self.X.shape[0] if hasattr(self.X, "shape") else len(self.X)
        routed = search._get_routed_params_for_fit(params)
        self.fit_params = routed.estimator.fit
        self.score_params = routed.scorer.score
        is_labels = is_classifier(search.estimator) and y is not None
        if is_labels:
            check_classification_targets(y)
        self.classes = {"classes": np.unique(np.asarray(y))} if is_labels else {}
        cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
        stand_in = np.empty((self.n_rows, 0)) if self.is_lazy else self.X
        self.train, self.test = next(cv.split(stand_in, y, **routed.splitter.split))

    def beside(self, params: dict[str, Any], rows: Any) -> dict[str, Any]:
        """Return the target and the parameters of some rows."""
        taken = {
            name: value if np.ndim(value) == 0 else safe_indexing(value, rows)
            for name, value in params.items()
        }
        if self.y is None:
            return taken
        return {"y": safe_indexing(self.y, rows), **taken}

    def blocks(self, rows: Any, most: int, seed: int) -> Blocks:
        """Cut some rows into blocks, in an order that the seed decides."""
        random = np.random.RandomState(seed)
        pairs = self._lazy(rows) if self.is_lazy else self._cut(rows, most, random)
        parts = [
            (block, {**self.beside(self.fit_params, taken), **self.classes})
            for block, taken in pairs
        ]
        passes = -(-most // len(parts))
        order = [random.permutation(len(parts)) for _ in range(passes)]
        return Blocks(parts, np.concatenate(order)[:most], self.are_held)

    def _lazy(self, rows: Any) -> Iterator[tuple[Any, Any]]:
        from sklearn_dask_auto.inputs.take import take_rows

        rows = np.sort(rows)
        taken = take_rows(self.X, self.X.chunks[0], rows)
        stops = np.cumsum(taken.chunks[0])
        blocks = taken.to_delayed().ravel()
        return zip(blocks, np.split(rows, stops[:-1]), strict=True)

    def _cut(self, rows: Any, most: int, random: Any) -> Iterator[tuple[Any, Any]]:
        n_blocks = max(1, min(most, len(rows) // SMALLEST_BLOCK))
        # Rows may come sorted by their label.
        for part in np.array_split(random.permutation(rows), n_blocks):
            yield _kept(safe_indexing(self.X, part)), part

    def held_out(self, budget: int) -> tuple[Any, dict[str, Any]]:
        """Return the rows to score on, all together."""
        if not self.is_lazy:
            X = _kept(safe_indexing(self.X, self.test))
            return X, self.beside(self.score_params, self.test)
        from sklearn_dask_auto.inputs.scheduler import persist
        from sklearn_dask_auto.inputs.take import take_rows

        rows = np.sort(self.test)
        taken = take_rows(self.X, self.X.chunks[0], rows)
        if taken.nbytes > budget:
            raise NoEngineError(
                f"The rows held out for scores take {format_bytes(taken.nbytes)}, over "
                f"the memory budget of {format_bytes(budget)}. Hold out fewer, as with "
                "cv=ShuffleSplit(1, test_size=10_000), or raise it with "
                "set_config(memory_budget=...)."
            )
        (X,) = persist(taken.rechunk((-1, -1)).to_delayed()[0, 0])
        return X, self.beside(self.score_params, rows)


def _entered(template: Any, X: Any, plan: Plan) -> tuple[Any, bool]:
    """Apply the entry rules to dask input; say whether its blocks are in memory."""
    if not is_dask(X):
        return X, True
    from sklearn_dask_auto.engines.blockwise import room
    from sklearn_dask_auto.inputs.entry import enter, hold
    from sklearn_dask_auto.inputs.scheduler import is_at_hand

    rows = hold(enter(template, X, {}), room(plan))
    return rows.X, is_at_hand(rows.X)


def _kept(value: Any) -> Any:
    """Send rows to where they will be needed, once."""
    from dask import delayed

    from sklearn_dask_auto.inputs.scheduler import persist

    return persist(delayed(value, pure=False, traverse=False))[0]


def search_stream(
    search: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> dict[str, Any]:
    """Search with a strategy whose resource is `partial_fit`; see `Engine.fit`."""
    from dask import delayed

    strategy = Hyperband(search)
    scorers, _ = search._get_scorers()
    rows = _Rows(search, X, y, params, plan)
    random = check_random_state(search.random_state)
    candidates = [
        Candidate(drawn, bracket, delayed(Trained(_model(search, drawn)), pure=False))
        for bracket, several in strategy.draw(random)
        for drawn in several
    ]
    seed = int(random.randint(2**31 - 1))
    blocks = rows.blocks(rows.train, strategy.most, seed)
    scored = _run(search, candidates, blocks, rows.held_out(plan.budget), scorers)
    learned = _learned(search, candidates, scored)
    learned["scorer_"] = scorers
    if search.refit:
        started = time.perf_counter()
        all_rows = rows.blocks(np.arange(rows.n_rows), strategy.most, seed)
        learned["best_estimator_"] = _refitted(search, learned, all_rows)
        learned["refit_time_"] = time.perf_counter() - started
        _name_columns(learned, rows)
    return learned


def _name_columns(learned: dict[str, Any], rows: _Rows) -> None:
    """Remember column names, which blocks of a dask DataFrame do not have."""
    model = learned["best_estimator_"]
    names = getattr(rows.template if rows.is_lazy else model, "feature_names_in_", None)
    if names is not None:
        model.feature_names_in_ = learned["feature_names_in_"] = names


def _model(search: Any, params: dict[str, Any]) -> Any:
    return clone(search.estimator).set_params(**clone(params, safe=False))


def _run(
    search: Any, candidates: list[Candidate], blocks: Blocks, held_out: Any, scorer: Any
) -> list[dict[str, Any]]:
    """Train and cut until nobody is left; return one entry for each score."""
    scored: list[dict[str, Any]] = []
    done, alive = 0, list(candidates)
    while alive:
        reach = min(min(r for r in c.bracket.resources if r > done) for c in alive)
        _train(alive, blocks, done, reach, search.error_score)
        due = [c for c in alive if reach in c.bracket.resources]
        for candidate, score in zip(
            due, _scores(due, held_out, scorer, search.error_score), strict=True
        ):
            iteration = candidate.bracket.resources.index(reach)
            candidate.last_row = len(scored)
            scored.append(
                {
                    "bracket": candidate.bracket.number,
                    "iter": iteration,
                    "n_resources": reach,
                    "params": candidate.params,
                    **score,
                }
            )
        stopped = {id(c) for c in due} - {id(c) for c in _promoted(due, scored, reach)}
        alive = [c for c in alive if id(c) not in stopped]
        done = reach
    return scored


def _train(
    alive: list[Candidate], blocks: Blocks, done: int, reach: int, error_score: Any
) -> None:
    from dask import delayed

    from sklearn_dask_auto.inputs.scheduler import persist

    step = delayed(_step, pure=False)
    for call in range(done, reach):
        X, arguments = blocks.parts[blocks.order[call]]
        # One value for all candidates: it would else travel with each of them.
        shared = delayed(arguments, pure=False, traverse=False)
        for candidate in alive:
            candidate.trained = step(candidate.trained, X, shared, error_score)
        if not blocks.are_held or call == reach - 1:
            kept = persist(*(candidate.trained for candidate in alive))
            for candidate, trained in zip(alive, kept, strict=True):
                candidate.trained = trained


def _step(
    trained: Trained, X: Any, arguments: dict[str, Any], error_score: Any
) -> Trained:
    if trained.error is not None:
        return trained
    started = time.perf_counter()
    # A task may run again, on what it was given before.
    model = copy.deepcopy(trained.model)
    arguments = dict(arguments)
    y = [arguments.pop("y")] if "y" in arguments else []
    try:
        model.partial_fit(X, *y, **arguments)
    except Exception as error:  # as scikit-learn does: any, for `error_score`
        if error_score == "raise":
            raise
        return replace(trained, error=f"{type(error).__name__}: {error}")
    return Trained(model, trained.seconds + time.perf_counter() - started)


def _scores(
    due: list[Candidate], held_out: Any, scorer: Any, error_score: Any
) -> list[dict[str, Any]]:
    from dask import delayed

    from sklearn_dask_auto.inputs.scheduler import compute

    X, arguments = held_out
    shared = delayed(arguments, pure=False, traverse=False)
    score = delayed(_score, pure=False)
    lazy = [score(c.trained, X, shared, scorer, error_score) for c in due]
    found = list(compute(*lazy))
    failures = [entry.pop("error") for entry in found]
    if any(failures):
        first = next(f for f in failures if f)
        warnings.warn(
            f"{sum(map(bool, failures))} of {len(due)} candidates failed and score "
            f"error_score={error_score!r}. The first: {first}",
            FitFailedWarning,
            stacklevel=2,
        )
    return found


def _score(
    trained: Trained, X: Any, arguments: dict[str, Any], scorer: Any, error_score: Any
) -> dict[str, Any]:
    started, error, score = time.perf_counter(), trained.error, error_score
    arguments = dict(arguments)
    y = [arguments.pop("y")] if "y" in arguments else []
    if error is None:
        try:
            score = float(scorer(trained.model, X, *y, **arguments))
        except Exception as failed:  # as above
            if error_score == "raise":
                raise
            error = f"{type(failed).__name__}: {failed}"
    return {
        "test_scores": float(score),
        "fit_time": trained.seconds,
        "score_time": time.perf_counter() - started,
        "error": error,
    }


def _promoted(
    due: list[Candidate], scored: list[dict[str, Any]], reach: int
) -> list[Candidate]:
    """Return the best of each bracket, as many as its next round takes."""
    kept: list[Candidate] = []
    for bracket in dict.fromkeys(c.bracket for c in due):
        following = bracket.resources.index(reach) + 1
        if following == len(bracket.counts):
            continue
        several = [c for c in due if c.bracket == bracket]
        scores = np.array([scored[c.last_row]["test_scores"] for c in several])
        # The first of equals; NaN is worse than anything.
        scores = np.where(np.isnan(scores), -np.inf, scores)
        ranking = np.argsort(-scores, kind="stable")
        kept += [several[i] for i in ranking[: bracket.counts[following]]]
    return kept


def _learned(
    search: Any, candidates: list[Candidate], scored: list[dict[str, Any]]
) -> dict[str, Any]:
    names = ("bracket", "iter", "n_resources")
    more = {name: [entry.pop(name) for entry in scored] for name in names}
    params = [entry.pop("params") for entry in scored]
    results = search._format_results(params, 1, scored, more)
    last = [c.last_row for c in candidates]
    scores = results["mean_test_score"][last]
    best = last[0] if np.isnan(scores).all() else last[int(np.nanargmax(scores))]
    calls = [results["n_resources"][row] for row in last]
    return {
        "cv_results_": results,
        "best_index_": best,
        "best_params_": results["params"][best],
        "best_score_": results["mean_test_score"][best],
        "n_partial_fit_calls_": int(sum(calls)),
        "n_splits_": 1,
        "multimetric_": False,
    }


def _refitted(search: Any, learned: dict[str, Any], blocks: Blocks) -> Any:
    """Train the best candidate as long as it was, on all rows."""
    from dask import delayed

    from sklearn_dask_auto.inputs.scheduler import compute

    calls = int(learned["cv_results_"]["n_resources"][learned["best_index_"]])
    start = delayed(Trained(_model(search, learned["best_params_"])), pure=False)
    best = Candidate(learned["best_params_"], Bracket(0, (1,), (calls,)), start)
    _train([best], blocks, 0, calls, "raise")
    return compute(best.trained)[0].model
