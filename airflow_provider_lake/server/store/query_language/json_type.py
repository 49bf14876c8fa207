"""The type of a value in a JSON column, by each database's own function."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import String, func, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

TEXT = ("text", "string")
NUMBER = ("integer", "real", "number")
BOOLEAN = ("true", "false", "boolean")
NULL = "null"


class JsonType(FunctionElement[str]):
    """Name of the type of the value at a path; NULL if the path is missing. The constants are the databases' names."""

    type = String()
    inherit_cache = True

    def __init__(self, column: InstrumentedAttribute[Any], path: Sequence[str]) -> None:
        sqlite_path = "$" + "".join(f".{json.dumps(key, ensure_ascii=False)}" for key in path)
        super().__init__(func.json_type(column, literal(sqlite_path)), func.jsonb_typeof(column[tuple(path)]))


@compiles(JsonType)
def _compile_json_type(element: JsonType, compiler: SQLCompiler, **options: Any) -> str:
    for_sqlite, for_postgresql = element.clauses
    chosen = for_postgresql if compiler.dialect.name == "postgresql" else for_sqlite
    return compiler.process(chosen, **options)
