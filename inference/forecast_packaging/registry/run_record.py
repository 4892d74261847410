"""The run's record: what `run.json` of a snapshot says of the training."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Run


def describe_run(run: Run) -> dict[str, Any]:
    """The content of `run.json`: what a reviewer asks of a training, in a fixed order.

    The data version is the run's tag `data_version`, else the digest of its training data as
    MLflow recorded it; the code reference is its tag `code_reference`, else the git commit;
    the time is the start of the run.
    """
    tags = run.data.tags
    metrics = {name: _finite(run.data.metrics[name]) for name in sorted(run.data.metrics)}
    return {
        "code_reference": tags.get("code_reference") or tags.get("mlflow.source.git.commit"),
        "data_version": tags.get("data_version") or _dataset_digest(run),
        "metrics": metrics,
        "trained_at": _shown_time(run.info.start_time),
    }


def _shown_time(milliseconds: int | None) -> str | None:
    """A time of MLflow, which counts from 1970, as ISO 8601 in UTC, such as 2027-01-04T08:00:00Z.

    It comes from the registry and not from a clock: the same run has the same time everywhere.
    """
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _dataset_digest(run: Run) -> str | None:
    """The digest of the run's training data, or of its only data; None when neither is clear."""
    inputs = run.inputs.dataset_inputs if run.inputs else []
    context = "mlflow.data.context"
    training = [
        item
        for item in inputs
        if any(tag.key == context and tag.value == "training" for tag in item.tags)
    ]
    chosen = training or inputs
    digests = {str(item.dataset.digest) for item in chosen}
    return digests.pop() if len(digests) == 1 else None


def _finite(value: float) -> float | None:
    # JSON has no NaN; a metric that is not a number says as much as one that is missing.
    number = float(value)
    return number if abs(number) < float("inf") else None
