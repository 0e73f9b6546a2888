"""What an S3 server or the way to it says, as named errors of the house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError, SSLError

from services.chassis.errors import CarillonError
from services.chassis.objects import (
    NoSuchObject,
    StorageFull,
    StorageRefused,
    StorageUnavailable,
)

MAX_TOLD = 300
"""Characters of a server's own words."""
_GONE = {"NoSuchKey", "NoSuchVersion"}
_FULL = {"XMinioStorageFull", "InsufficientStorage", "QuotaExceeded"}
_BUSY = {"RequestTimeout", "SlowDown", "OperationAborted"}
"""With whichever status they come."""
_TOO_MANY, _SERVER_ERROR, _NOT_MADE, _NO_ROOM = 429, 500, 501, 507
_ADVICE = {
    "NoSuchBucket": "there is no such bucket: make it (with object lock, if WORM is on)",
    "InvalidAccessKeyId": "the access key is unknown there: look at CARILLON_S3_ACCESS_KEY",
    "SignatureDoesNotMatch": "the secret key is wrong: look at CARILLON_S3_SECRET_KEY",
    "AccessDenied": "CARILLON_S3_ACCESS_KEY may not do that",
    "RequestTimeTooSkewed": "this machine's clock and the server's differ too much",
    "AuthorizationHeaderMalformed": "CARILLON_S3_REGION is wrong",
    "PermanentRedirect": "CARILLON_S3_ENDPOINT or CARILLON_S3_REGION is wrong",
    "InvalidBucketState": "the bucket has no object lock",
}


@contextmanager
def named(about: str) -> Iterator[None]:
    """Turns what the client raises into NoSuchObject, StorageFull, -Refused or -Unavailable."""
    try:
        yield
    except S3Error as error:
        raise _of_code(error, about) from None
    except InvalidResponseError as error:
        raise _of_status(error._code, about, str(error)) from None  # noqa: SLF001 (it has no other)
    except ServerError as error:
        raise _of_status(error.status_code, about, str(error)) from None
    except SSLError as error:
        why = "its certificate is not vouched for (CARILLON_S3_CA), or not its own"
        raise StorageRefused(f"{about}: {why}: {_short(error)}") from None
    except (HTTPError, OSError) as error:
        raise StorageUnavailable(f"{about}: {_short(error)}") from None
    except (MinioException, ParseError, ValueError) as error:
        raise StorageRefused(f"{about}: no answer of an S3 server: {_short(error)}") from error


def _of_code(error: S3Error, about: str) -> CarillonError:
    code, status = error.code or "", error.response.status
    if code in _GONE:
        return NoSuchObject(about)
    if code in _FULL:
        return StorageFull(f"{about}: {code}")
    if code in _BUSY:
        return StorageUnavailable(f"{about}: {code}")
    advice = _ADVICE.get(code)
    if advice:
        return StorageRefused(f"{about}: {code}: {advice}")
    return _of_status(status, about, f"{code}: {error.message}")


def _of_status(status: int, about: str, words: str) -> CarillonError:
    told = f"{about}: status {status}: {words[:MAX_TOLD]}"
    if status == _NO_ROOM:
        return StorageFull(told)
    if status == _TOO_MANY or (status >= _SERVER_ERROR and status != _NOT_MADE):
        return StorageUnavailable(told)
    return StorageRefused(told)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:MAX_TOLD]
