"""The lake's database: tables, migrations, queries."""
