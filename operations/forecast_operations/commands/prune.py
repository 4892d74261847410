"""`forecast prune`: what deployments left behind, shown and removed."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from forecast_config import ForecastError, load_environments
from forecast_operations.console import out, print_document, say
from forecast_operations.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    EnvironmentArgument,
    JsonOption,
    YesOption,
    confirm,
)

if TYPE_CHECKING:
    from forecast_operations.deployed.place import Place
    from forecast_operations.pruning.leftovers import Leftovers
    from forecast_operations.pruning.removal import Everything

_MEBIBYTE = 2**20


KeepOption = Annotated[
    int, typer.Option(min=1, max=1000, help="How many of the last verified versions stay.")
]
BucketOption = Annotated[
    str | None,
    typer.Option(help="With --everything and --yes: name of the bucket, to be sure."),
]
CheckOption = Annotated[
    bool, typer.Option("--check", help="Show what would go, and change nothing.")
]
EverythingOption = Annotated[
    bool,
    typer.Option(
        "--everything",
        help="When the endpoint's stack is gone: empty the buckets, all versions included.",
    ),
]


def prune_command(
    environment: EnvironmentArgument,
    keep: KeepOption = 3,
    bucket: BucketOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    *,
    check: CheckOption = False,
    everything: EverythingOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Delete models, configurations and archives that are neither live, deployed nor kept.

    What serves, what is deployed, what a stop or the off hours will bring back, and the last
    verified versions stay; so does what is younger than a day.
    The exit code is 0 when nothing of it is left, or with --check.
    """
    # With the models of the records, which no other command needs to wait for.
    from forecast_operations.deployed.live import check_account  # noqa: PLC0415
    from forecast_operations.deployed.place import Place  # noqa: PLC0415

    project, named = load_environments(config, [environment])
    place = Place.of(named[environment], project)
    check_account(place.live, place.settings.account)
    if everything:
        _empty(place, bucket, check=check, yes=yes, as_json=as_json)
    else:
        _prune(place, keep, check=check, yes=yes, as_json=as_json)


def _prune(place: Place, keep: int, *, check: bool, yes: bool, as_json: bool) -> None:
    from forecast_operations.pruning.leftovers import find_leftovers, in_both  # noqa: PLC0415
    from forecast_operations.pruning.removal import remove_leftovers  # noqa: PLC0415

    now = datetime.now(UTC)
    found = find_leftovers(place, keep=keep, now=now)
    if as_json:
        print_document(found)
    else:
        _show(found)
    if check or found.is_empty:
        return
    days = place.settings.artifacts.noncurrent_version_days
    consequences = [
        place.where,
        (
            f"{len(found.configs)} configurations and {len(found.models)} models go for good; "
            "they can be made again from an archive only"
        ),
        (
            f"{len(found.archives)} archives ({_size(found.size_bytes)}) go; for {days} days their "
            "earlier versions stay in the bucket: remove the delete markers to have them back"
        ),
        f"going back further than the last {keep} verified versions is not possible afterwards",
    ]
    confirm(f"prune {place.settings.name}", consequences, yes=yes)
    # Somebody may have thought about it for long, and deployed meanwhile.
    found = in_both(found, find_leftovers(place, keep=keep, now=now))
    remove_leftovers(place, found, say)


def _empty(place: Place, bucket: str | None, *, check: bool, yes: bool, as_json: bool) -> None:
    from forecast_operations.pruning.removal import (  # noqa: PLC0415
        find_everything,
        in_both,
        remove_everything,
    )

    found = find_everything(place)
    if as_json:
        print_document(found)
    if check:
        if not as_json:
            out.print(_in_short(found), markup=False)
        return
    first = found.buckets[0]
    consequences = [
        place.where,
        _in_short(found),
        "records, captured requests and archives among them; nothing of it can be brought back",
        "there is no way back but to train, register and deploy anew",
    ]
    confirm(f"empty {' and '.join(found.buckets)} for good", consequences, yes=yes)
    _confirm_name(first, bucket, yes=yes)
    found = in_both(found, find_everything(place))
    remove_everything(place, found, say)
    say(f"now it can be deleted: npx cdk destroy {place.artifacts_stack}")


def _confirm_name(name: str, given: str | None, *, yes: bool) -> None:
    """Ask a second time, by name."""
    if given is None and not yes and sys.stdin.isatty():
        given = typer.prompt("name of the bucket, to be sure", err=True)
    if given != name:
        got = "none" if given is None else given
        raise ForecastError(
            f"nothing was changed: expected the name of the bucket ({name}), got {got}; give it "
            "with: --bucket"
        )


def _show(found: Leftovers) -> None:
    for config in found.configs:
        out.print(f"configuration  {_day(config.created)}  {config.name}", markup=False)
    for model in found.models:
        out.print(f"model          {_day(model.created)}  {model.name}", markup=False)
    for archive in found.archives:
        size = _size(archive.size_bytes)
        out.print(
            f"archive        {_day(archive.changed)}  {archive.stem[:16]} {size}", markup=False
        )
    for name, why in found.kept.configs.items():
        say(f"kept           {name}: {why}")
    if found.is_empty:
        say("nothing is left behind that could go")


def _in_short(found: Everything) -> str:
    return (
        f"{found.objects} versions and delete markers ({_size(found.size_bytes)}), "
        f"{len(found.configs)} configurations and {len(found.models)} models go"
    )


def _day(moment: datetime) -> str:
    """The day in UTC; AWS's times are told in the time zone of this machine."""
    return f"{moment.astimezone(UTC):%Y-%m-%d}"


def _size(size_bytes: int) -> str:
    return f"{size_bytes / _MEBIBYTE:,.1f} MiB"
