"""Judgement: what the input is, what is at hand, what is asked, who should do it.

Pure and standard library only: nothing here computes, imports or logs. The words are
one file each (`profile`, `resources`, `job`, `cost`, `plan`), and `decide` joins them.
"""

from sklearn_dask_auto.routing.decide import budget_of, decide
from sklearn_dask_auto.routing.job import ENGINES, Job
from sklearn_dask_auto.routing.plan import Candidate, Plan
from sklearn_dask_auto.routing.profile import Profile
from sklearn_dask_auto.routing.resources import Cluster, Resources

__all__ = [
    "ENGINES",
    "Candidate",
    "Cluster",
    "Job",
    "Plan",
    "Profile",
    "Resources",
    "budget_of",
    "decide",
]
