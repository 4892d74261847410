"""What a schedule sets off: a function, a state machine, a message, or any call of AWS."""

import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from forecast_local import context

_LOG = logging.getLogger(__name__)
_UNIVERSAL = re.compile(r"arn:[\w-]+:scheduler:::aws-sdk:(\w+):(\w+)")
_RENAMED = {"sfn": "stepfunctions", "cloudwatchlogs": "logs"}
_RETRY_SECONDS = 1.0
_MAX_RETRIES = 2
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Firing:
    """A target at the moment that its schedule is due.

    Attributes:
        name: Name of the schedule, for the log.
        target: ``Target`` of the schedule.
        account: The account.
        region: The region.
    """

    name: str
    target: Mapping[str, Any]
    account: str
    region: str

    def client(self, service: str) -> Any:
        """Return a client of the account."""
        clients = context.current().clients
        return clients.client(service, account=self.account, region=self.region)


def fire(firing: Firing) -> None:
    """Set a target off; after a few attempts its dead-letter queue is told."""
    retries = int(firing.target.get("RetryPolicy", {}).get("MaximumRetryAttempts", _MAX_RETRIES))
    for _ in range(min(retries, _MAX_RETRIES) + 1):
        try:
            _call(firing)
        except (ClientError, BotoCoreError, ValueError) as error:
            _LOG.warning("schedule %s: %s", firing.name, error)
            time.sleep(_RETRY_SECONDS)
        else:
            return
    queue = firing.target.get("DeadLetterConfig", {}).get("Arn")
    if queue:
        _send(firing, queue, str(firing.target.get("Input", "{}")))


def _call(firing: Firing) -> None:
    arn, text = str(firing.target["Arn"]), str(firing.target.get("Input") or "{}")
    universal = _UNIVERSAL.fullmatch(arn)
    if universal is not None:
        service, action = universal.groups()
        client = firing.client(_RENAMED.get(service, service))
        getattr(client, _CAMEL.sub("_", action).lower())(**json.loads(text))
        return
    kind = arn.split(":")[2]
    if kind not in _KINDS:
        raise ValueError(f"the local AWS cannot set off {arn}")
    _KINDS[kind](firing, arn, text)


def _invoke(firing: Firing, arn: str, text: str) -> None:
    firing.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text)


def _start(firing: Firing, arn: str, text: str) -> None:
    firing.client("stepfunctions").start_execution(stateMachineArn=arn, input=text)


def _publish(firing: Firing, arn: str, text: str) -> None:
    firing.client("sns").publish(TopicArn=arn, Message=text)


def _send(firing: Firing, arn: str, text: str) -> None:
    sqs = firing.client("sqs")
    url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=text)


_KINDS: dict[str, Callable[[Firing, str, str], None]] = {
    "lambda": _invoke,
    "states": _start,
    "sns": _publish,
    "sqs": _send,
}
