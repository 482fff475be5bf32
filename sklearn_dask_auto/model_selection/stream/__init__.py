"""Search by `partial_fit`: rows stream batch by batch, and models wait for them.

Candidates of all brackets are trained in step: call number k of each is on the same
batch, which is loaded once for all. So a search reads the data as often as the longest
training of one candidate does, however many candidates there are. With a Dask client,
models travel to the workers that hold the rows.

Every batch, score and cut is decided here from the seed alone, and a task changes no
model but its own copy: results do not depend on how many workers there are.
"""

from sklearn_dask_auto.model_selection.stream.search import search_stream

__all__ = ["search_stream"]
