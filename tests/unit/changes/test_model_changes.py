"""Which model version replaces which, with what tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forecast_operations.changes import sides
from forecast_operations.changes.models import (
    Knowledge,
    MetricChange,
    ModelChange,
    model_changes,
    signature_changes,
)
from forecast_operations.changes.versions import TaggedVersion, versions_in, versions_of
from forecast_operations.records.record import ModelCard

if TYPE_CHECKING:
    from collections.abc import Callable


def _card(*names: str, **rest: Any) -> ModelCard:
    return ModelCard(inputs=dict.fromkeys(names, "double"), **rest)


def test_versions_are_read_from_the_tags_of_what_is_served(
    reviewed: Callable[[str], dict[str, Any]],
) -> None:
    contest, mirror = (
        versions_in(reviewed("ForecastContest")),
        versions_in(reviewed("ForecastMirror")),
    )

    assert {role: each.version for role, each in contest.items()} == {
        "champion": "16",
        "challenger": "17",
    }
    assert contest["challenger"].run_id == "run-17"
    assert contest["challenger"].archive_digest != contest["champion"].archive_digest
    assert mirror["challenger"].version == "17"
    assert versions_in(reviewed("ForecastProd")).keys() == {"champion"}
    assert versions_in(None) == {}


def test_what_is_not_tagged_is_no_version(reviewed: Callable[[str], dict[str, Any]]) -> None:
    template = reviewed("ForecastProd")
    del template["Resources"]["Model0301700E"]["Properties"]["Tags"]

    assert versions_in(template) == {}


def test_the_tags_of_a_configuration_tell_of_both() -> None:
    tags = {
        "model_version": "16",
        "archive_digest": "sha256:0",
        "challenger_model_version": "17",
        "challenger_run_id": "run-17",
    }

    assert versions_of(tags) == {
        "champion": TaggedVersion("16", archive_digest="sha256:0"),
        "challenger": TaggedVersion("17", run_id="run-17"),
    }
    assert versions_of({"team": "produce"}) == {}


def test_signatures_differ_by_features_types_order_and_outputs() -> None:
    before = ModelCard(
        inputs={"price": "double", "day": "long", "gone": "string"},
        outputs={"forecasted_price": "RMB/kg", "old": ""},
    )
    after = ModelCard(
        inputs={"day": "double", "price": "double", "item": "string?"},
        outputs={"forecasted_price": "RMB/t", "new": "kg"},
    )

    assert signature_changes(before, after) == (
        "feature item (string?) is added",
        "feature gone (string) is removed",
        "feature day becomes double, and was long",
        "the features are in another order: day, price, item",
        "output new is added",
        "output old is removed",
        "output forecasted_price is in RMB/t, and was in RMB/kg",
    )
    assert signature_changes(before, before) == ()


def test_an_order_alone_is_a_difference() -> None:
    assert signature_changes(_card("a", "b"), _card("b", "a")) == (
        "the features are in another order: b, a",
    )
    outputs = [ModelCard(outputs=dict.fromkeys(names, "")) for names in ("ab", "ba")]
    assert signature_changes(*outputs) == ("the outputs are in another order: b, a",)


def _version(number: str, digest: str | None = None) -> TaggedVersion:
    return TaggedVersion(number, archive_digest=f"sha256:{digest or number}")


def test_roles_come_stay_and_go() -> None:
    kept, new = _version("16"), _version("17")

    first, second = model_changes(
        {"champion": (kept, None)}, {"champion": (kept, None), "challenger": (new, None)}
    )

    assert first.is_same
    assert sides.stays(first) == "the champion stays version 16"
    assert (second.before, second.after, second.is_same) == (None, new, False)
    (gone,) = model_changes({"challenger": (new, None)}, {})
    assert (gone.before, gone.after) == (new, None)


def test_a_version_that_is_packed_anew_is_not_the_same() -> None:
    (change,) = model_changes(
        {"champion": (_version("16", "a"), None)}, {"champion": (_version("16", "b"), None)}
    )

    assert not change.is_same


def test_metrics_are_side_by_side_also_where_one_side_has_none() -> None:
    before = Knowledge("a record", ModelCard(metrics={"wape": 0.2, "mase": None, "zero": 0.0}))
    after = Knowledge("an archive", ModelCard(metrics={"wape": 0.15, "bias": 0.1, "zero": 0.5}))

    (change,) = model_changes(
        {"champion": (_version("16"), before)}, {"champion": (_version("17"), after)}
    )

    assert [sides.metric_row(each) for each in change.metrics] == [
        ("bias", "-", "0.1", ""),
        ("mase", "-", "-", ""),
        ("wape", "0.2", "0.15", "lower by 0.05 (25.0 %)"),
        ("zero", "0", "0.5", "higher by 0.5"),
    ]
    assert sides.metric_row(MetricChange("a", 0.1, 0.1))[3] == "same"


def test_what_is_not_known_is_not_compared() -> None:
    unknown = Knowledge("not known here: ask somebody")
    known = Knowledge("an archive", _card("price"), "2027-01-04T08:00:00Z")

    (change,) = model_changes(
        {"champion": (_version("16"), unknown)}, {"champion": (_version("17"), known)}
    )

    assert change.signature is None
    assert sides.signature_lines(change) == []
    assert sides.source_lines(change)[0] == "version 16: not known here: ask somebody"
    trained = next(row for row in sides.version_rows(change) if row[0] == "trained")
    assert trained == ("trained", "-", "2027-01-04T08:00:00Z", "")


def test_a_version_without_a_digest_is_told_by_all_that_is_known() -> None:
    one, other = TaggedVersion("16", run_id="a"), TaggedVersion("16", run_id="b")

    assert ModelChange("champion", one, one).is_same
    assert not ModelChange("champion", one, other).is_same
