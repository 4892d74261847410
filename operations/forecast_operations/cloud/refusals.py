"""What AWS refuses, as sentences that say what to do next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from forecast_config import ForecastError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from botocore.exceptions import ClientError

_DENIED = (
    # The answer to HEAD has no body, and so no other code than its status.
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
)
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired")
_UNKNOWN = (
    "AuthFailure",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)
_BUSY = (
    "LimitExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
)

_SIGN_IN = "sign in again (aws sso login) or set AWS_PROFILE"
_LOCAL = 'for the local AWS: eval "$(forecast local env)"'

_WHO = re.compile(r"(?:User|Principal): (\S+)")
_WHAT = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (\S+))?")


class CloudError(ForecastError):
    """A call that AWS refused, or that nobody answered.

    Attributes:
        code: AWS's own code of the error; empty when nobody answered.
        answer: The whole answer, as botocore gives it.
    """

    def __init__(
        self, message: str, code: str = "", answer: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.answer: Mapping[str, Any] = answer or {}


class NotAllowedError(CloudError):
    """A call for which the credentials have no permission.

    Attributes:
        permission: The missing permission, such as `sagemaker:DescribeEndpoint`.
    """

    def __init__(self, message: str, code: str, permission: str) -> None:
        super().__init__(message, code)
        self.permission = permission


class CredentialsError(CloudError):
    """A call whose credentials are missing, unknown or no longer valid: no call will do better."""


def refusal(error: ClientError, *, permission: str) -> CloudError:
    """The sentence for an error that AWS answered with.

    Args:
        error: What botocore raised.
        permission: The permission that the call needs, named where AWS does not name one.
    """
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", "")) or str(error)
    if code in _DENIED or "not authorized to perform" in message:
        return _not_allowed(code, message, permission)
    if code in _EXPIRED:
        return CredentialsError(f"the AWS credentials have expired; {_SIGN_IN}", code)
    if code in _UNKNOWN:
        return CredentialsError(f"AWS does not know the credentials ({message}); {_SIGN_IN}", code)
    if code in _BUSY:
        return CloudError(
            f"AWS refuses {permission} for now ({code}: {message}); wait a minute and run the "
            "command again, or raise AWS_MAX_ATTEMPTS",
            code,
        )
    return CloudError(f"AWS refuses {permission}: {message} ({code})", code, error.response)


def silence(error: Any) -> CloudError:
    """The sentence for a call that never got an answer.

    Args:
        error: What botocore raised.
    """
    from botocore.exceptions import (  # noqa: PLC0415
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
        TokenRetrievalError,
    )

    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return CredentialsError(f"there are no AWS credentials; {_SIGN_IN}; {_LOCAL}")
    if isinstance(error, CredentialRetrievalError | SSOError | TokenRetrievalError):
        return CredentialsError(f"the AWS credentials cannot be had ({error}); {_SIGN_IN}")
    if isinstance(error, ProfileNotFound):
        return CredentialsError(f"{error}; see the names with: aws configure list-profiles")
    return CloudError(f"cannot ask AWS: {error}; {_LOCAL}")


def _not_allowed(code: str, message: str, permission: str) -> NotAllowedError:
    found = _WHAT.search(message)
    needed = found[1] if found else permission
    where = f" on {found[2]}" if found and found[2] else ""
    who = _WHO.search(message)
    whom = who[1] if who else "the role of these credentials"
    # A service control policy, a boundary or a bucket's policy is named in the message only.
    return NotAllowedError(
        f"the permission {needed}{where} is missing; allow it to {whom} ({message})", code, needed
    )
