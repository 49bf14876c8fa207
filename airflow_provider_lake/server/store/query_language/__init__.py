"""The query language of the ``q`` argument, as Django's query language has it.

Text is parsed to a tree (``parse``), and the tree becomes a condition over the data, with what
indexes can find of it (``compile_filter``)::

    tags.name in ("car", "van") and not (meta.width < 1920 or custom_metadata.site.level = 3)

Every condition is either true or false: ``!=``, ``not in``, ``!~`` and ``not`` are true exactly where their opposite is
not, also where a value is missing.
"""

from airflow_provider_lake.server.store.query_language.compiler import Filter, compile_filter
from airflow_provider_lake.server.store.query_language.errors import InvalidQueryError
from airflow_provider_lake.server.store.query_language.parser import parse

__all__ = ["Filter", "InvalidQueryError", "compile_filter", "parse"]
