"""SQL for the text under a key of a JSON column, in the form that databases match with an index on that expression."""

from typing import Any

from sqlalchemy import Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class MetadataText(FunctionElement[str]):
    """The text under one key of a JSON object; NULL if the key is missing.

    :param key: a plain word; it is part of the SQL text, since indexes do not match expressions with parameters.
    """

    type = Text()
    inherit_cache = True

    def __init__(self, key: str, column: InstrumentedAttribute[Any]) -> None:
        super().__init__(column, literal_column(f"'$.{key}'"), literal_column(f"'{key}'"))


@compiles(MetadataText)
def _compile_metadata_text(element: MetadataText, compiler: SQLCompiler, **options: Any) -> str:
    document, path, key = (compiler.process(clause, **options) for clause in element.clauses)
    return f"({document} ->> {key})" if compiler.dialect.name == "postgresql" else f"json_extract({document}, {path})"
