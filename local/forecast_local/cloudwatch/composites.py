"""The rules of composite alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(?:(?P<call>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?P<quote>[\"']?)(?P<name>[^\"'()]+?)"
    r"(?P=quote)\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<sign>[()]))"
)


class RuleError(Exception):
    """A rule that CloudWatch would refuse."""


def alarm_name(name_or_arn: str) -> str:
    """Return the name of an alarm that a rule or a suppressor names."""
    return name_or_arn.rpartition(":alarm:")[2]


def named_alarms(rule: str) -> list[str]:
    """Return the names of the alarms in a rule.

    Raises:
        RuleError: If the rule is not valid.
    """
    return [alarm_name(token.group("name")) for token in _split(rule) if token.group("call")]


def rule_holds(rule: str, state_of: Callable[[str], str | None]) -> bool:
    """Evaluate a rule.

    Args:
        rule: The rule.
        state_of: Returns the state of an alarm by its name; None when it is gone.

    Raises:
        RuleError: If the rule is not valid.
    """
    parser = _Parser(rule, state_of)
    value = parser.either()
    parser.expect_end()
    return value


def _split(rule: str) -> list[re.Match[str]]:
    found, place, text = [], 0, rule.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise RuleError(f"cannot read {text[place:]!r} in the alarm rule {rule!r}")
        found.append(match)
        place = match.end()
    return found


class _Parser:
    def __init__(self, rule: str, state_of: Callable[[str], str | None]) -> None:
        self._rule = rule
        self._tokens = _split(rule)
        self._state_of = state_of
        self._place = 0

    def expect_end(self) -> None:
        if self._place < len(self._tokens):
            raise RuleError(f"the alarm rule {self._rule!r} goes on after its end")

    def either(self) -> bool:
        value = self._both()
        while self._accepts("OR"):
            # Both sides are read, whatever the first one is.
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._single()
        while self._accepts("AND"):
            value = self._single() and value
        return value

    def _single(self) -> bool:
        if self._accepts("NOT"):
            return not self._single()
        if self._place == len(self._tokens):
            raise RuleError(f"the alarm rule {self._rule!r} ends too early")
        token = self._tokens[self._place]
        self._place += 1
        if token.group("call"):
            return self._state_of(alarm_name(token.group("name"))) == token.group("call")
        if token.group("word") in {"TRUE", "FALSE"}:
            return token.group("word") == "TRUE"
        if token.group("sign") != "(":
            raise RuleError(f"unexpected {token.group().strip()} in the alarm rule {self._rule!r}")
        value = self.either()
        if self._place == len(self._tokens) or self._tokens[self._place].group("sign") != ")":
            raise RuleError(f"expected ) in the alarm rule {self._rule!r}")
        self._place += 1
        return value

    def _accepts(self, word: str) -> bool:
        found = self._place < len(self._tokens) and self._tokens[self._place].group("word") == word
        self._place += found
        return found
