"""Several data at once."""

from uuid import UUID, uuid4

import pytest

from airflow_provider_lake.client import Data, MultiData, RetryPolicy, UploadStatus, UsageError
from airflow_provider_lake.client.transport.session import Session, make_transport

SESSION = Session("http://lake", "token", make_transport(1, verify=True), RetryPolicy())


DATALAKE = uuid4()


def _data(number: int, datalake: UUID = DATALAKE) -> Data:
    return Data(
        uuid4(), SESSION, datalake, f"data/{number}.jpg", f"{number}.jpg", "IMAGE", "image/jpeg", UploadStatus.DONE
    )


FIVE = [_data(number) for number in range(5)]


def test_it_is_a_sequence() -> None:
    """Length, items, membership and ids are those of the data; a slice is a MultiData."""
    multi = MultiData(FIVE)

    assert len(multi) == 5
    assert list(multi) == FIVE
    assert multi[0] == FIVE[0]
    assert multi[1:3] == MultiData(FIVE[1:3])
    assert FIVE[2] in multi
    assert multi.ids == [data.id for data in FIVE]
    assert not MultiData()


def test_it_can_be_added() -> None:
    """To another one, and to a list of data."""
    assert MultiData(FIVE[:2]) + MultiData(FIVE[2:]) == MultiData(FIVE)
    assert MultiData(FIVE[:2]) + FIVE[2:] == MultiData(FIVE)
    with pytest.raises(TypeError):
        MultiData(FIVE) + 1


@pytest.mark.parametrize(("ratio", "first"), [(0, 0), (0.2, 1), (0.5, 2), (1, 5)])
def test_it_can_be_cut_in_two(ratio: float, first: int) -> None:
    """The share of the first part is the ratio; the order stays."""
    left, right = MultiData(FIVE).split(ratio)

    assert len(left) == first
    assert left + right == MultiData(FIVE)


def test_a_ratio_is_a_share() -> None:
    """Beyond 0 to 1 it is refused."""
    with pytest.raises(UsageError):
        MultiData(FIVE).split(1.5)


def test_a_data_is_the_same_whatever_became_of_it() -> None:
    """Equality is identity in the lake, so that membership outlasts changes."""
    before = _data(1)
    after = Data(before.id, SESSION, before.datalake_id, "x", "y", "IMAGE", "image/png", UploadStatus.ERROR)

    assert after == before
    assert after in MultiData([before])
    assert before != _data(1)


def test_it_is_of_one_datalake() -> None:
    """Each call goes to one: data of another would be lost in it."""
    other = _data(6, uuid4())

    with pytest.raises(UsageError, match="of several datalakes"):
        MultiData([*FIVE, other])
    with pytest.raises(UsageError, match="of several datalakes"):
        MultiData(FIVE) + (other,)  # noqa: RUF005 - which is what is tested
    assert MultiData([other]).ids == [other.id]
