"""Configurations of one environment, drawn from everything that the settings know."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

REGION = "eu-central-1"

_SUBNETS = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
_KEY = "arn:aws:kms:eu-central-1:111111111111:key/12345678-1234-1234-1234-123456789012"
_INSTANCE_TYPES = ("ml.m5.large", "ml.c5.xlarge", "ml.m5d.large", "ml.m6i.2xlarge")
_SEVERITIES = ("critical", "high", "medium")

Block = dict[str, Any]


def documents() -> st.SearchStrategy[Block]:
    """Whole configuration files with the one environment `prod`, most of them valid."""
    return environments().map(
        lambda environment: {
            "model": {"name": "forecaster"},
            "allowed_regions": [REGION],
            "environments": {"prod": environment},
        }
    )


@st.composite
def environments(draw: st.DrawFn) -> Block:
    """The block of an environment, whose parts fit each other in most cases."""
    kind = draw(st.sampled_from(("realtime", "realtime", "realtime", "serverless", "async")))
    endpoint = draw(_ENDPOINTS[kind])
    environment: Block = {
        "region": REGION,
        "endpoint": endpoint,
        "image": {"kind": "aws", "framework": "xgboost", "version": "3.2-0"},
        "tags": {"team": "forecasting", "cost_centre": "CC-1"},
        "alarms": draw(_alarms()),
        "encryption": draw(st.sampled_from(({"kind": "new"}, {"kind": "existing", "arn": _KEY}))),
        "dashboard": draw(st.booleans()),
        "autoscaling": None,
        "rollout": {"kind": "all_at_once"},
        "network": {"kind": "none", "isolated": False},
        "data_capture": None,
    }
    if kind != "serverless":
        environment |= draw(_on_instances(kind, endpoint))
    return environment


@st.composite
def _on_instances(draw: st.DrawFn, kind: str, endpoint: Block) -> Block:
    scaling = draw(st.none() | _autoscaling(kind, endpoint["initial_instance_count"]))
    blocks: Block = {
        "autoscaling": scaling,
        "rollout": draw(_rollouts(kind)),
        "network": draw(_NETWORKS),
    }
    if kind == "realtime":
        blocks["data_capture"] = draw(
            st.none() | st.fixed_dictionaries({"sampling_percent": st.integers(1, 100)})
        )
        if scaling is None and blocks["rollout"]["kind"] not in {"shadow", "split"}:
            blocks["off_hours"] = draw(st.none() | st.just(_OFF_HOURS))
    return blocks


def _rollouts(kind: str) -> st.SearchStrategy[Block]:
    waits = {"wait_seconds": st.sampled_from((0, 60, 600))}
    blue_green = {**waits, "termination_wait_seconds": st.sampled_from((0, 300))}
    challenger = {
        **blue_green,
        "challenger": st.just({"alias": "challenger"}),
        "initial_instance_count": st.integers(1, 3),
    }
    simple = [
        _block("all_at_once", **blue_green),
        _block("canary", percent=st.integers(1, 50), **blue_green),
        _block("linear", step_percent=st.integers(10, 50), **blue_green),
        _block("rolling", batch_percent=st.integers(5, 50), **waits),
    ]
    if kind == "async":
        return st.one_of(simple)
    return st.one_of(
        *simple,
        _block("shadow", sampling_percent=st.integers(1, 100), **challenger),
        _block("split", challenger_percent=st.integers(1, 99), **challenger),
    )


@st.composite
def _autoscaling(draw: st.DrawFn, kind: str, count: int) -> Block:
    targets = {
        "cpu": _block("cpu_utilization", percent=st.integers(10, 90)),
        "own": _block(
            "custom_metric",
            namespace=st.just("Market"),
            metric_name=st.just("Queue"),
            value=st.integers(1, 100),
        ),
        "slow": _block("latency_p90", milliseconds=st.integers(1, 5000)),
    }
    if kind == "realtime":
        targets |= {
            "requests": _block("invocations_per_instance", per_minute=st.integers(1, 6000)),
            "at-once": _block("concurrent_requests", per_instance=st.integers(1, 50)),
        }
    else:
        targets["backlog"] = _block("backlog_per_instance", requests=st.integers(1, 50))
    names = draw(st.lists(st.sampled_from(sorted(targets)), min_size=1, max_size=3, unique=True))
    low = draw(st.integers(0 if kind == "async" else 1, count))
    scaling: Block = {
        "min_instance_count": low,
        "max_instance_count": draw(st.integers(max(count, 1), count + 6)),
        "targets": {name: draw(targets[name]) for name in names},
    }
    if draw(st.booleans()):
        scaling["scheduled"] = {"market-days": dict(_MARKET_DAYS, min_instance_count=max(low, 1))}
    return scaling


@st.composite
def _alarms(draw: st.DrawFn) -> Block:
    names = ("high_latency", "cpu_utilization", "no_traffic", "endpoint_down", "model_drift")
    alarms: Block = {name: None for name in names if draw(st.integers(0, 4)) == 0}
    if draw(st.booleans()):
        levels = draw(st.lists(st.sampled_from(_SEVERITIES), min_size=1, unique=True))
        values = {"critical": 20, "high": 10, "medium": 2.5}
        alarms["error_rate"] = {
            "thresholds_percent": {level: values[level] for level in levels},
            "minutes": draw(st.integers(1, 60)),
        }
    if draw(st.booleans()):
        alarms["notifications"] = {
            draw(st.sampled_from(_SEVERITIES)): draw(
                st.dictionaries(st.sampled_from(("on-call", "team")), _TARGETS, max_size=2)
            )
        }
    if draw(st.booleans()):
        alarms["budget"] = {"monthly_usd": draw(st.integers(1, 10_000))}
    if draw(st.booleans()):
        alarms["rollback"] = {"latency_p99_ms": draw(st.none() | st.integers(1, 60_000))}
    return alarms


def _block(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Block]:
    return st.fixed_dictionaries({"kind": st.just(kind), **fields})


_OFF_HOURS = {
    "stop": "cron(0 20 ? * MON-FRI *)",
    "start": "cron(0 7 ? * MON-FRI *)",
    "timezone": "Asia/Shanghai",
}
_MARKET_DAYS = {"schedule": "cron(0 4 ? * SAT *)", "timezone": "Asia/Shanghai"}

_TARGETS = st.one_of(
    _block("email", address=st.just("team@example.com")),
    _block("pagerduty", secret_name=st.just("on-call/url")),
    _block("webhook", url=st.just("https://example.com/alerts")),
    _block("slack", workspace_id=st.just("T012ABCDEFG"), channel_id=st.just("C012ABCDEFG")),
)

_NETWORKS = st.one_of(
    _block("none", isolated=st.booleans()),
    _block("new", isolated=st.booleans(), max_azs=st.integers(2, 3)),
    _block(
        "existing",
        vpc_id=st.just("vpc-0123456789abcdef0"),
        subnet_ids=st.just(_SUBNETS),
        security_group_ids=st.just(["sg-0123456789abcdef0"]),
    ),
)

_INSTANCES = {
    "name": st.just("forecast-prod"),
    "instance_type": st.sampled_from(_INSTANCE_TYPES),
    "initial_instance_count": st.integers(1, 6),
}

_ENDPOINTS = {
    "realtime": _block("realtime", **_INSTANCES),
    "async": _block("async", **_INSTANCES),
    "serverless": _block(
        "serverless",
        name=st.just("forecast-prod"),
        memory_mib=st.sampled_from((1024, 2048, 4096, 6144)),
        max_concurrency=st.integers(5, 200),
        provisioned_concurrency=st.none() | st.fixed_dictionaries({"maximum": st.integers(1, 5)}),
    ),
}
