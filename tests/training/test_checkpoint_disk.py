"""A full disk is told as one, whoever finds it."""

import errno

import pytest
from safetensors import SafetensorError

from outdo.training.checkpoint import plain_errors


def test_a_full_disk_is_an_os_error() -> None:
    with pytest.raises(OSError, match="No space left") as told, plain_errors():
        raise SafetensorError("I/O error: No space left on device (os error 28)")
    assert told.value.errno == errno.ENOSPC


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(SafetensorError, match="header"), plain_errors():
        raise SafetensorError("Error while serializing: header too large")
