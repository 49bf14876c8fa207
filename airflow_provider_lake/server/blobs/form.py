"""A multipart/form-data upload, parsed as it streams in: fields into memory, the file into a file."""

from collections.abc import Callable
from dataclasses import dataclass, field

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from airflow_provider_lake.server.blobs.incoming import IncomingFile
from airflow_provider_lake.server.errors import BadRequestError, TooLargeError

MAX_FIELDS = 64
MAX_FIELD_BYTES = 64 << 10
MAX_HEADER_BYTES = 8 << 10


@dataclass(slots=True)
class _Part:
    """The part that is being read."""

    header_name: bytearray = field(default_factory=bytearray)
    header_value: bytearray = field(default_factory=bytearray)
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    value: bytearray | None = None


class FormReader:
    """Reads one form. Pass it the body with :meth:`feed`, then call :meth:`finish`.

    :param content_type: header of the request.
    :param open_file: called with the fields before the file; it checks them, and returns the target file and its
        largest size in bytes.
    :raises BadRequestError: the request is not a form.
    """

    def __init__(self, content_type: str, open_file: Callable[[dict[str, str]], tuple[IncomingFile, int]]) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise BadRequestError("the body must be multipart/form-data with a boundary")
        self.fields: dict[str, str] = {}
        self._open_file = open_file
        self._file: IncomingFile | None = None
        self._max_bytes = 0
        self._part = _Part()
        self._ended = False
        self._parser = MultipartParser(
            options[b"boundary"],
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
        )

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the body.

        :raises BadRequestError: the form is malformed.
        :raises TooLargeError: the file is larger than allowed.
        """
        try:
            self._parser.write(data)
        except MultipartParseError as error:
            raise BadRequestError(f"the form is broken: {error}") from error

    def finish(self) -> None:
        """Check that the form is complete and has a file.

        :raises BadRequestError: it is not, or has none.
        """
        if not self._ended:
            raise BadRequestError("the form was cut off before its end")
        if self._file is None:
            raise BadRequestError("the form has no file")

    def _on_part_begin(self) -> None:
        self._part = _Part()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]
        self._limit(len(self._part.header_name))

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]
        self._limit(len(self._part.header_value))

    def _on_header_end(self) -> None:
        self._part.headers[bytes(self._part.header_name).lower()] = bytes(self._part.header_value)
        self._part.header_name.clear()
        self._part.header_value.clear()
        self._limit(len(self._part.headers), MAX_FIELDS)

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        self._part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if self._part.name == "file":
            if self._file is not None:
                raise BadRequestError("the form has more than one file")
            self._file, self._max_bytes = self._open_file(self.fields)
        else:
            self._part.value = bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._part.value is not None:
            self._part.value += data[start:end]
            self._limit(len(self._part.value), MAX_FIELD_BYTES)
        elif self._file is not None:
            if self._file.size + end - start > self._max_bytes:
                raise TooLargeError(f"the file is larger than the {self._max_bytes} bytes that were signed for")
            self._file.write(memoryview(data)[start:end])

    def _on_part_end(self) -> None:
        if self._part.value is not None:
            self.fields[self._part.name] = self._part.value.decode("utf-8", "replace")
            self._limit(len(self.fields), MAX_FIELDS)

    def _on_end(self) -> None:
        self._ended = True

    @staticmethod
    def _limit(size: int, maximum: int = MAX_HEADER_BYTES) -> None:
        if size > maximum:
            raise BadRequestError("the form's fields or headers are too large")
