"""DDL from table specs. Pure text; what a new migration starts from and tests compare with.

Migration files keep `${on_cluster}` and `${replicated}` open: the same source serves one server
(both empty) and a replicated cluster (`Dialect("name")`).
"""

from dataclasses import dataclass
from string import Template

from schemas.problems import Problem, ProblemsError
from sinks.clickhouse.tables import Column, TableSpec

# Repeated inserts of the last so many blocks are dropped by their token (see sinks.batching).
DEDUPLICATION_BLOCKS = 1000


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where the statements run: one server, or every replica of a cluster.

    A cluster is one shard of replicas; its servers need the macros of the default replica path.
    """

    cluster: str = ""

    def __post_init__(self) -> None:
        if "`" in self.cluster or "\\" in self.cluster:
            raise ProblemsError(Problem("cluster", f"{self.cluster!r} is not a cluster name"))

    def render(self, sql: str) -> str:
        """The statement for this place."""
        return Template(sql).substitute(
            on_cluster=f" ON CLUSTER `{self.cluster}`" if self.cluster else "",
            replicated="Replicated" if self.cluster else "",
        )


def quoted(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def statements_of(script: str) -> list[str]:
    """The statements of a migration file: each ends with `;` at the end of a line."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    parts = "\n".join(lines).split(";\n")
    return [part.strip().removesuffix(";") for part in parts if part.strip().removesuffix(";")]


def create_table(spec: TableSpec) -> str:
    """CREATE TABLE of a spec, with both placeholders."""
    columns = [_column(column) for column in spec.columns]
    indexes = [f"    INDEX {name}_minmax {name} TYPE minmax" for name in spec.pruned_by]
    # JSONEachRow fills what a row lacks with defaults; `{}` must not become a row.
    texts = [name for name in spec.key if "String" in spec.column(name).type]
    constraint = f"    CONSTRAINT {texts[-1]}_given CHECK notEmpty({texts[-1]})"
    engine_arguments = "version, removed" if spec.removed else "version"
    body = ",\n".join([*columns, *indexes, constraint])
    return (
        f"CREATE TABLE IF NOT EXISTS {spec.name}${{on_cluster}}\n(\n{body}\n)\n"
        f"ENGINE = ${{replicated}}ReplacingMergeTree({engine_arguments})\n"
        f"ORDER BY ({', '.join(spec.key)})\n"
        f"SETTINGS non_replicated_deduplication_window = {DEDUPLICATION_BLOCKS}\n"
        f"COMMENT {quoted(spec.comment)};\n"
    )


def create_view(spec: TableSpec) -> str:
    """CREATE VIEW of the current rows of a table."""
    columns = ",\n    ".join(column.name for column in spec.columns if column.name != spec.removed)
    condition = f"\nWHERE NOT {spec.removed}" if spec.removed else ""
    return (
        f"CREATE VIEW IF NOT EXISTS {spec.view}${{on_cluster}} AS\n"
        f"SELECT\n    {columns}\nFROM {spec.name} FINAL{condition}\n"
        f"COMMENT {quoted('current rows: ' + spec.comment)};\n"
    )


def _column(column: Column) -> str:
    return f"    {column.name} {column.type} COMMENT {quoted(column.comment)}"
