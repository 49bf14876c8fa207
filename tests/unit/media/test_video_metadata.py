"""What containers say of how a video was taken, as cameras write it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lake.media.video_metadata import metadata_of

PHONE = {
    "com.apple.quicktime.make": "Northlight",
    "com.apple.quicktime.software": "17.4",
    "com.apple.quicktime.creationdate": "2024-05-06T09:08:09+0200",
    "com.apple.quicktime.location.ISO6709": "-33.8568+151.2153+012.500/",
    "creation_time": "2024-05-06T07:08:09.000000Z",
    "handler_name": "Core Media Video",
}


def test_phones_say_when_where_and_by_what() -> None:
    """The time with its own offset wins over the one in universal time."""
    assert metadata_of(PHONE, "hevc") == {
        "acquired_at": "2024-05-06T09:08:09+02:00",
        "manufacturer": "Northlight",
        "software": "17.4",
        "latitude": -33.8568,
        "longitude": 151.2153,
        "altitude": 12.5,
        "compression": "hevc",
    }


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"creation_time": "2024-05-06T07:08:09Z"}, {"acquired_at": "2024-05-06T07:08:09+00:00"}),
        ({"CREATION_TIME": "2024-05-06T07:08:09Z"}, {"acquired_at": "2024-05-06T07:08:09+00:00"}),
        # Cameras without a clock.
        ({"creation_time": "1904-01-01T00:00:00Z"}, {}),
        ({"creation_time": "1970-01-01T00:00:00Z"}, {}),
        ({"creation_time": "yesterday"}, {}),
        ({"date": "2024"}, {}),
        ({"location": "+48.8577+002.2950/"}, {"latitude": 48.8577, "longitude": 2.295}),
        ({"location-eng": "+48.8577+002.2950CRSWGS_84/"}, {"latitude": 48.8577, "longitude": 2.295}),
        ({"location": "+98.0000+002.2950/"}, {}),
        ({"location": "+48.8577/"}, {}),
        ({"location": "nowhere"}, {}),
        ({"artist": " Zo\u00eb\0\0 "}, {"acquired_by": "Zo\u00eb"}),
        ({"artist": "\0"}, {}),
        ({"make": "x" * 200}, {"manufacturer": "x" * 128}),
    ],
)
def test_what_is_odd_is_left_out(fields: dict[str, str], found: dict[str, Any]) -> None:
    """And what is right is kept beside it."""
    assert metadata_of(fields, "h264") == found | {"compression": "h264"}


@given(st.dictionaries(st.sampled_from([*PHONE, "location", "date", "artist", "make"]), st.text(max_size=40)))
def test_no_text_breaks_it(fields: dict[str, str]) -> None:
    """Whatever a container holds."""
    metadata = metadata_of(fields, "h264")

    assert ("latitude" in metadata) == ("longitude" in metadata)
