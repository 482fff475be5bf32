"""A vote of parts: one clone fitted to each group of blocks, where the blocks are.

Only by name, as it is not what all rows teach. Parts are made by `parts`, each is put
together and fitted in one place, and only the models come here. They become
scikit-learn's own `VotingClassifier` or `VotingRegressor`, as its `fit` would leave it.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import dask
import numpy as np
import sklearn
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import Bunch, check_array, get_tags
from sklearn.utils.validation import validate_data

from sklearn_dask_auto.engines.calls import Call, Reply, Setting, replay, run
from sklearn_dask_auto.exceptions import NoEngineError
from sklearn_dask_auto.inputs import is_dask
from sklearn_dask_auto.inputs.assemble import concatenated
from sklearn_dask_auto.inputs.blocks import RowBlocks, aligned_blocks, n_row_blocks
from sklearn_dask_auto.inputs.scheduler import compute, here
from sklearn_dask_auto.kernels.targets import check_target, encode, labels_of
from sklearn_dask_auto.meta.parts import by_class, by_target, n_parts_of
from sklearn_dask_auto.meta.predictions import known_outputs
from sklearn_dask_auto.routing import Plan, Profile, decide
from sklearn_dask_auto.routing.profile import format_bytes

__all__ = ["fit_vote", "plan_of_vote", "vote_like"]

BY_PARTS = "fit_on='blocks' fits parts where their blocks are"


def vote_like(estimator: Any, n_parts: int = 1) -> Any:
    """Return what parts of an estimator vote in, not fitted; None if they cannot.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    n_parts : int, default=1
        Its clones in the ensemble.

    Returns
    -------
    ensemble : VotingClassifier, VotingRegressor or None
    """
    parts = [(f"part{i}", clone(estimator)) for i in range(n_parts)]
    if is_classifier(estimator):
        is_soft = hasattr(estimator, "predict_proba")
        return VotingClassifier(parts, voting="soft" if is_soft else "hard")
    return VotingRegressor(parts) if is_regressor(estimator) else None


def plan_of_vote(plan: Plan, estimator: Any, X: Any, part_size: int) -> Plan:
    """Decide again for parts of at least `part_size` rows; nothing is counted.

    Parameters
    ----------
    plan : Plan
        For one fit of all rows.
    estimator : estimator
        What is to be fitted to each part.
    X : object
        As for `fit`.
    part_size : int
        Least rows of a part.

    Returns
    -------
    plan : Plan
        Its job says how many parts there are, and of what size.
    """
    profile, n_blocks = plan.profile, n_row_blocks(X)
    if profile.n_rows is None or profile.n_bytes is None:
        text = f"all rows, a vote of parts of {part_size:,} rows or more"
        return _decided(plan, profile, estimator, text, n_blocks, 0)
    n_parts = n_parts_of(profile.n_rows, n_blocks, part_size)
    part_bytes = max(-(-profile.n_bytes // n_parts), profile.block_bytes)
    text = _rows(n_parts, profile.n_rows, part_bytes)
    return _decided(plan, profile, estimator, text, n_parts, part_bytes)


def fit_vote(
    wrapper: Any, model: Any, X: Any, y: Any, params: dict[str, Any], plan: Plan
) -> tuple[Any, dict[str, Any], Plan]:
    """Fit a clone to each part, and let them vote.

    Parameters
    ----------
    wrapper : AutoScaleEstimator
        Its settings are read; it is not changed.
    model : estimator
        A clone that is not fitted, and stays so.
    X, y, params : object
        As for `fit`.
    plan : Plan
        From `plan_of_vote`.

    Returns
    -------
    ensemble : VotingClassifier or VotingRegressor
        Fitted.
    outputs : dict
        From `known_outputs`, of the ensemble.
    plan : Plan
        With the parts that were made.

    Raises
    ------
    NoEngineError
        If the largest part fits nowhere.
    """
    with nullcontext() if is_dask(X) else here():
        blocks = _entered(model, X, y, params)
        made = _parts(model, blocks, wrapper.part_size)
        plan = _plan_of_parts(plan, model, blocks, made)
        if plan.engine is None:
            raise NoEngineError(plan.refusal(), plan)
        work = _Work(
            wrapper,
            _with_codes(model, made.classes),
            made,
            [*blocks.beside],
            blocks.fixed,
            _setting(plan),
            sklearn.get_config(),
        )
        replies = _fitted(work, blocks, plan)
    fitted, outputs = zip(*map(replay, replies), strict=True)
    return _assembled(list(fitted), made.classes), outputs[0], plan


@dataclass(frozen=True)
class _Parts:
    """Which blocks are fitted together.

    Parameters
    ----------
    groups : list of list of int
        Numbers of blocks.
    classes : ndarray or None
        Of all rows, for a classifier.
    cause : str
        Why there are fewer than were wanted.
    """

    groups: list[list[int]]
    classes: Any = None
    cause: str = ""


def _entered(model: Any, X: Any, y: Any, params: dict[str, Any]) -> RowBlocks:
    """Apply the entry rules; a target that is missing or too wide is an error."""
    if y is None:
        nothing, like = np.empty((0, 1)), vote_like(model)
        validate_data(like, nothing, None, reset=False, skip_check_array=True)
    if hasattr(y, "ndim"):
        check_target(y)
    return aligned_blocks(X, {"y": y, **params})


def _parts(model: Any, blocks: RowBlocks, part_size: int) -> _Parts:
    wanted = n_parts_of(blocks.n_rows, len(blocks.X), part_size)
    if not blocks.n_rows:
        # What there is to say of no rows is scikit-learn's.
        return _Parts([[0]], [] if is_classifier(model) else None)
    tally = dask.delayed(_labels if is_classifier(model) else _mean, pure=False)
    (facts,) = compute([tally(block) for block in blocks.beside["y"]])
    if not is_classifier(model):
        return _Parts(by_target(np.array(facts), np.array(blocks.sizes), wanted))
    classes = reduce(np.union1d, [labels for labels, _ in facts])
    counts = np.zeros((len(facts), len(classes)), int)
    for row, (labels, n_rows) in zip(counts, facts, strict=True):
        row[encode(classes, labels)] = n_rows
    groups = by_class(counts, wanted)
    holders = (counts > 0).sum(axis=0)
    rarest = np.argmin(holders)
    cause = (
        f"; class {classes[rarest]} lies in {holders[rarest]:,} of {len(counts):,} "
        "blocks"
    )
    return _Parts(groups, classes, cause if len(groups) < wanted else "")


def _labels(y: Any) -> tuple[Any, Any]:
    labels = labels_of(y)
    return labels, np.bincount(encode(labels, y), minlength=len(labels))


def _mean(y: Any) -> float:
    y = check_array(np.ravel(y), ensure_2d=False, dtype="numeric", input_name="y")
    return float(y.mean())


def _plan_of_parts(plan: Plan, model: Any, blocks: RowBlocks, made: _Parts) -> Plan:
    """Decide again, now that the parts are known."""
    n_rows, n_parts = blocks.n_rows, len(made.groups)
    largest = max(sum(blocks.sizes[i] for i in group) for group in made.groups)
    part_bytes = blocks.n_bytes * largest // max(1, n_rows)
    profile = replace(plan.profile, n_rows=n_rows, n_bytes=blocks.n_bytes)
    text = _rows(n_parts, n_rows, part_bytes) + made.cause
    return _decided(plan, profile, model, text, n_parts, part_bytes)


def _rows(n_parts: int, n_rows: int, part_bytes: int) -> str:
    size = f"{n_rows // n_parts:,} rows, up to {format_bytes(part_bytes)} each"
    parts = "1 part of" if n_parts == 1 else f"{n_parts:,} parts of about"
    return f"all rows, a vote of {parts} {size}"


def _decided(
    plan: Plan,
    profile: Profile,
    estimator: Any,
    rows: str,
    n_parts: int,
    part_bytes: int,
) -> Plan:
    refusals = [(engine, BY_PARTS) for engine in ("sklearn", "joblib", "dask-ml")]
    refusals += [("blockwise", reason) for reason in _refusals(estimator)]
    job = replace(
        plan.job,
        refusals=tuple(refusals),
        reservations=(),
        passes=1.0,
        rows=rows,
        n_parts=n_parts,
        part_bytes=part_bytes,
    )
    return decide(profile, job, plan.resources, plan.budget)


def _refusals(estimator: Any) -> Iterator[str]:
    if not (is_classifier(estimator) or is_regressor(estimator)):
        kind = get_tags(estimator).estimator_type or "transformer"
        yield (
            f"{type(estimator).__name__} is a {kind.replace('_', ' ')}: only what "
            "classifiers and regressors predict can be counted or averaged over parts"
        )


@dataclass(frozen=True)
class _Work:
    """What fits any part; one node of the graph.

    Parameters
    ----------
    wrapper, model : AutoScaleEstimator, estimator
        As for `fit_vote`, but that weights of classes speak of codes.
    made : _Parts
        All parts.
    names : list of str
        Of what lies beside the rows.
    fixed : dict
        Fit parameters that are the same for all parts.
    setting : Setting
        How a fit shares its machine with the others.
    config : dict
        scikit-learn's settings, which threads do not inherit.
    """

    wrapper: Any
    model: Any
    made: _Parts
    names: list[str]
    fixed: dict[str, Any]
    setting: Setting
    config: dict[str, Any]

    def __call__(self, number: int, X: Any, *beside: Any) -> Reply:
        """Fit one part; return its model, and what an ensemble of it returns."""
        params = {**dict(zip(self.names, beside, strict=True)), **self.fixed}
        call: Call = (self._fit, (number, X, params), {})
        return run([call], self.setting)[0]

    def _fit(self, number: int, X: Any, params: dict[str, Any]) -> Any:
        y, model = np.ravel(params.pop("y")), clone(self.model)
        if self.made.classes is not None and len(y):
            y = encode(self.made.classes, y)
        with sklearn.config_context(**self.config):
            try:
                self.wrapper._call(model, "fit", X, y, params)
            except Exception as error:
                error.add_note(self._note(number, len(y)))
                raise
            outputs = {}
            if not number:
                outputs = known_outputs(_assembled([model], self.made.classes), X)
            return model, outputs

    def _note(self, number: int, n_rows: int) -> str:
        n_parts = len(self.made.groups)
        note = f"In part {number + 1} of {n_parts}, of {n_rows:,} rows."
        if n_parts > 1:
            note += " A larger part_size makes fewer parts of more rows."
        if self.made.classes is None:
            return note
        return (
            f"{note} Every part has rows of every class: 0, 1, ... stand for "
            f"{self.made.classes}."
        )


def _with_codes(model: Any, classes: Any) -> Any:
    """Have the weights of classes, wherever they are set, speak of codes."""
    if classes is None:
        return model
    codes = {label: code for code, label in enumerate(classes)}
    mapped = {
        name: {codes[label]: weight for label, weight in value.items()}
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "class_weight"
        and isinstance(value, dict)
        and {*value} <= {*codes}
    }
    return clone(model).set_params(**mapped) if mapped else model


def _setting(plan: Plan) -> Setting:
    """Return how a fit shares its machine with the others."""
    cluster, at_once = plan.resources.cluster, _at_once(plan)
    if cluster is None or not cluster.n_workers:
        return Setting(at_once, is_alone=False)
    from sklearn_dask_auto.engines.cluster_fits import setting_of

    return setting_of(plan.resources, at_once)


def _at_once(plan: Plan) -> int:
    return plan.chosen.cost.n_workers if plan.chosen else 1


def _fitted(work: _Work, blocks: RowBlocks, plan: Plan) -> list[Reply]:
    """Fit all parts, as many at once as memory allows."""
    shared = dask.delayed(work, traverse=False, pure=False)
    put_together = dask.delayed(concatenated, pure=False)
    columns = [blocks.X, *blocks.beside.values()]
    replies: list[Reply] = []
    for wave in _waves(len(work.made.groups), plan):
        tasks = []
        for number, worker in wave:
            with _on(worker):
                parts = [
                    put_together([column[i] for i in work.made.groups[number]])
                    for column in columns
                ]
                tasks.append(shared(number, *parts))
        replies += compute(*tasks)
    return replies


def _waves(n_parts: int, plan: Plan) -> Iterator[list[tuple[int, str]]]:
    """Yield parts that are fitted at once, each with its worker, if that matters."""
    at_once, cluster = _at_once(plan), plan.resources.cluster
    slots = cluster.n_threads if cluster else plan.resources.cores
    if at_once >= min(n_parts, slots):
        yield [(number, "") for number in range(n_parts)]
        return
    workers = [""]
    if cluster and cluster.n_workers:
        from sklearn_dask_auto.engines.cluster_fits import worker_addresses

        # Two parts on one worker could be more than its memory.
        workers = worker_addresses()
    for start in range(0, n_parts, at_once):
        numbers = range(start, min(n_parts, start + at_once))
        yield [(number, workers[number % len(workers)]) for number in numbers]


def _on(worker: str) -> AbstractContextManager[Any]:
    if not worker:
        return nullcontext()
    return dask.annotate(workers=[worker], allow_other_workers=True)


def _assembled(fitted: list[Any], classes: Any) -> Any:
    """Return an ensemble as `fit` of scikit-learn's class leaves it."""
    ensemble = vote_like(fitted[0], len(fitted))
    ensemble.estimators_ = fitted
    names = [name for name, _ in ensemble.estimators]
    ensemble.named_estimators_ = Bunch(**dict(zip(names, fitted, strict=True)))
    if classes is not None:
        ensemble.le_ = LabelEncoder().fit(classes)
        ensemble.classes_ = ensemble.le_.classes_
    if hasattr(fitted[0], "feature_names_in_"):
        ensemble.feature_names_in_ = fitted[0].feature_names_in_
    return ensemble
