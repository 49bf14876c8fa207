"""How many tokens may be guessed."""

import pytest

from airflow_provider_lake.server.errors import TooManyRequestsError
from airflow_provider_lake.server.http.auth.failed_logins import (
    MAX_ADDRESSES,
    MAX_FAILED_LOGINS,
    WINDOW_SECONDS,
    FailedLogins,
)

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """Seconds that go on only when they are told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


def _guess(logins: FailedLogins, address: str, count: int, first: int = 0) -> None:
    for number in range(first, first + count):
        logins.check(address, f"wrong {number}")
        logins.record_failure(address, f"wrong {number}")


def test_guesses_are_bound_per_address_and_minute() -> None:
    """One more has to wait as long as it is told; another address need not."""
    clock = Clock()
    logins = FailedLogins(clock)
    _guess(logins, HERE, MAX_FAILED_LOGINS)
    clock.seconds = 10.5

    with pytest.raises(TooManyRequestsError, match="wait 50 s") as refused:
        logins.check(HERE, "one more")
    logins.check(THERE, "one more")
    clock.seconds += 50

    assert refused.value.headers == {"Retry-After": "50"}
    _guess(logins, HERE, MAX_FAILED_LOGINS, first=100)


def test_the_right_token_may_be_among_the_guesses_and_is_not_found() -> None:
    """Who guesses too much is told nothing about further tokens, not even about a right one."""
    logins = FailedLogins()
    _guess(logins, HERE, MAX_FAILED_LOGINS)

    with pytest.raises(TooManyRequestsError):
        logins.check(HERE, "right")


def test_a_token_that_worked_goes_on_working() -> None:
    """A neighbour behind the same address that guesses does not shut it out."""
    logins = FailedLogins()
    logins.record_success(HERE, "right")
    _guess(logins, HERE, MAX_FAILED_LOGINS)

    logins.check(HERE, "right")


def test_the_same_wrong_token_is_one_guess() -> None:
    """A client whose token was revoked is told so each time, and not to wait."""
    logins = FailedLogins()
    for _ in range(10 * MAX_FAILED_LOGINS):
        logins.check(HERE, "revoked")
        logins.record_failure(HERE, "revoked")


@pytest.mark.parametrize(
    ("first", "second"), [("2001:db8::1", "2001:db8::ffff:2"), ("192.0.2.1", "192.0.2.1"), ("fe80::1%eth0", "fe80::2")]
)
def test_addresses_of_one_network_are_one(first: str, second: str) -> None:
    """Who has one address of IPv6 has billions."""
    logins = FailedLogins()
    _guess(logins, first, MAX_FAILED_LOGINS)

    with pytest.raises(TooManyRequestsError):
        logins.check(second, "one more")


def test_memory_is_bound() -> None:
    """However many addresses guess, and however much."""
    logins = FailedLogins()
    for number in range(MAX_ADDRESSES + 100):
        logins.record_failure(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "wrong")
    for number in range(10 * MAX_FAILED_LOGINS):
        logins.record_failure(HERE, str(number))
        logins.record_success(HERE, f"right {number}")

    assert len(logins._addresses) == MAX_ADDRESSES
    assert max(len(tried.wrong) + len(tried.right) for tried in logins._addresses.values()) <= 2 * MAX_FAILED_LOGINS
    assert WINDOW_SECONDS > 0
