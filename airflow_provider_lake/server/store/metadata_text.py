"""The text under a key of a JSON column, written so that databases match it with an index over the same expression."""

from typing import Any

from sqlalchemy import Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class MetadataText(FunctionElement[str]):
    """The text under one key of a JSON object; NULL where nothing is there.

    :param key: a plain word; it stands in the SQL itself, since no index serves an expression with arguments.
    """

    type = Text()
    inherit_cache = True

    def __init__(self, key: str, column: InstrumentedAttribute[Any]) -> None:
        super().__init__(column, literal_column(f"'$.{key}'"), literal_column(f"'{key}'"))


@compiles(MetadataText)
def _compile_metadata_text(element: MetadataText, compiler: SQLCompiler, **options: Any) -> str:
    document, path, key = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({document} ->> {key})" if compiler.dialect.name == "postgresql" else f"json_extract({document}, {path})"
