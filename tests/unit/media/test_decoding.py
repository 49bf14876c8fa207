"""What only decoding shows of an image: that it is cut, or that its pixels are broken, in any of its pages."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from airflow_provider_lake.media.decoding import check_image
from airflow_provider_lake.media.images import ImageUnsupportedError, NotAnImageError, read_header

PAGES = {"save_all": True}
KINDS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "JPEG": ("JPEG", 1, {}),
    "progressive JPEG": ("JPEG", 1, {"progressive": True}),
    "PNG": ("PNG", 1, {}),
    "animated PNG": ("PNG", 3, PAGES),
    "GIF": ("GIF", 1, {}),
    "animated GIF": ("GIF", 3, PAGES),
    "BMP": ("BMP", 1, {}),
    "PPM": ("PPM", 1, {}),
    "TIFF": ("TIFF", 1, {}),
    "TIFF of pages": ("TIFF", 3, PAGES),
    "compressed TIFF": ("TIFF", 1, {"compression": "tiff_lzw"}),
    "WEBP": ("WEBP", 1, {}),
    "animated WEBP": ("WEBP", 3, PAGES),
    "AVIF": ("AVIF", 1, {}),
    "JPEG 2000": ("JPEG2000", 1, {}),
    "MPO": ("MPO", 2, PAGES),
}


def _made(kind: str) -> bytes:
    name, pages, options = KINDS[kind]
    target = BytesIO()
    first, *others = [Image.effect_noise((120, 90), 60 + page).convert("RGB") for page in range(pages)]
    first.save(target, name, **options, **({"append_images": others} if others else {}))
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_image_passes_and_a_cut_one_does_not(kind: str) -> None:
    """Wherever it ends, in the last page too."""
    content = _made(kind)

    check_image(BytesIO(content))

    for share in (0.4, 0.7, 0.95):
        with pytest.raises(NotAnImageError):
            check_image(BytesIO(content[: int(share * len(content))]))


@pytest.mark.parametrize("kind", ["TIFF of pages", "animated GIF", "animated PNG", "MPO"])
def test_the_page_that_is_cut_is_named(kind: str) -> None:
    """The header, and the first page, show nothing of it."""
    content = _made(kind)
    most = content[: int(0.95 * len(content))]

    assert read_header(BytesIO(most)).width == 120
    with pytest.raises(NotAnImageError, match=r"in page [23]: "):
        check_image(BytesIO(most))


@pytest.mark.parametrize("kind", ["PNG", "GIF", "compressed TIFF"])
def test_broken_pixels_are_found(kind: str) -> None:
    """Zeros in their middle, as a card leaves them."""
    content = bytearray(_made(kind))
    middle = len(content) // 2
    content[middle : middle + 512] = bytes(512)

    with pytest.raises(NotAnImageError, match="cut or broken"):
        check_image(BytesIO(content))


def test_long_texts_do_not_hide_the_pixels() -> None:
    """A PNG with more text than Pillow reads is decoded all the same, and found out where it is cut."""
    target, texts = BytesIO(), PngImagePlugin.PngInfo()
    texts.add_text("workflow", "x" * (3 << 20), zip=True)
    Image.effect_noise((800, 800), 60).save(target, "PNG", pnginfo=texts)
    content = target.getvalue()

    check_image(BytesIO(content))
    with pytest.raises(NotAnImageError, match="truncated"):
        check_image(BytesIO(content[: len(content) // 2]))


def test_what_is_no_image_is_called_so() -> None:
    """As by its header."""
    for content, reason in ((b"", "the file is empty"), (b"a text", "not an image of a known format")):
        with pytest.raises(NotAnImageError, match=reason):
            check_image(BytesIO(content))


def test_what_nobody_can_read_here_is_not_called_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setattr("airflow_provider_lake.media.images._is_supported", lambda _: False)

    with pytest.raises(ImageUnsupportedError, match=r"airflow-provider-lake\[heif\]"):
        check_image(BytesIO((24).to_bytes(4) + b"ftypheic" + bytes(12)))


@pytest.mark.server
def test_photos_of_phones_are_decoded() -> None:
    """HEIC: whole, and cut."""
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    target = BytesIO()
    heif.from_pillow(Image.effect_noise((120, 90), 60).convert("RGB")).save(target, format="HEIF")
    content = target.getvalue()

    check_image(BytesIO(content))
    with pytest.raises(NotAnImageError):
        check_image(BytesIO(content[: len(content) // 2]))
