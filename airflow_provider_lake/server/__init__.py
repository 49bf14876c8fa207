"""The embedded lake: one process that speaks the datalake API over a database and a blob store."""
