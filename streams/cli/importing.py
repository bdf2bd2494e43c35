"""`ticketpulse import`: a file of another system becomes events."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.customers import CustomerIds
from schemas.instants import parse_rfc3339, rfc3339
from schemas.mapping import Mapping
from schemas.problems import Problem, ProblemsError
from schemas.wire import TOPIC_OF
from streams.cli.errors import told_clearly
from streams.cli.progress import progress_bar
from streams.importing import Source, Tally, TimeSorter, convert, load_mapping, mapping_names
from streams.importing.faults import meaning_of
from streams.importing.output import RejectedFile, check_distinct, whole_file
from streams.shell.customers import customer_ids_of
from streams.shell.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.importing.publishing import KafkaPublisher

KAFKA = "kafka"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", help=_HELP)(import_file)


_HELP = (
    "Turn a CSV, TSV or JSON-lines file (also .gz) into events by a mapping. "
    f"Mappings that come along: {', '.join(mapping_names())}. "
    "Events come in the order in which the source knew them."
)


def import_file(
    file: Annotated[Path, typer.Argument(help="the file to read")],
    mapping: Annotated[str, typer.Option(help="name of a mapping, or path of a mapping file")],
    to: Annotated[
        str, typer.Option(help="file of events (JSON lines) to write, or `kafka`")
    ] = "events.jsonl",
    rejected: Annotated[
        Path | None, typer.Option(help="where rejected rows go, with reasons (JSON lines)")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="read only so many rows")] = None,
    broker: Annotated[
        str | None, typer.Option(help="host:port of Kafka, else the setting broker_url")
    ] = None,
    exported_at: Annotated[
        str | None, typer.Option(help="when the file was exported (RFC 3339), if you know it")
    ] = None,
) -> None:
    """Import one file."""
    with told_clearly():
        settings = load_settings(broker_url=broker)
        known = load_mapping(mapping)
        exported_ms = _instant(exported_at)
        customers = _customers(settings, known, to)
        source = Source(file, known, settings.tenant, limit, exported_ms, customers)
        rejected = rejected or _rejected_path(file, to)
        check_distinct(file, to=None if to == KAFKA else Path(to), rejected=rejected)
        with RejectedFile(rejected) as rejects:
            if to == KAFKA:
                publisher = _publisher(settings, TOPIC_OF[known.entity])
                tally = _publish(source, rejects, publisher)
            else:
                tally = _write(source, rejects, Path(to))
            _tell(known, tally, rejects, to)


def _customers(settings: Settings, mapping: Mapping, to: str) -> CustomerIds:
    """What becomes of customer ids; ProblemsError at once where every row would be refused."""
    customers = customer_ids_of(settings)
    keyed = customers.mode == "keyed" and any("customer_id" in rule.data for rule in mapping.events)
    if keyed and not customers.keys:
        what = "the file names customers, and there is no key to make pseudonyms of them"
        hint = (
            "set TICKETPULSE_CUSTOMER_KEYS (`ticketpulse customers new-key`); or"
            " TICKETPULSE_CUSTOMER_IDS=dropped, or =clear when they are pseudonyms already"
        )
        raise ProblemsError(Problem(mapping.mapping, what, hint))
    if keyed and len(customers.keys) > 1 and to != KAFKA:
        what = "while a key is being changed, pseudonyms have aliases, which a file of events can't hold"
        hint = "import with --to kafka, or with the newest key only"
        raise ProblemsError(Problem("customer_keys", what, hint))
    return customers


def _instant(text: str | None) -> int | None:
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as error:
        hint = "e.g. 2019-07-01T00:00:00Z"
        raise ProblemsError(Problem("--exported-at", str(error), hint)) from error


def _rejected_path(file: Path, to: str) -> Path:
    """Beside the output; for Kafka in the working directory."""
    if Path(to).is_dir():
        raise ProblemsError(Problem(to, "is a folder", "name a file"))
    if to == KAFKA:
        return Path(file.name.removesuffix(".gz")).with_suffix(".rejected.jsonl")
    return Path(to).with_suffix(".rejected.jsonl")


def _publisher(settings: Settings, topic: str) -> "KafkaPublisher":
    if settings.broker_url == "embedded":
        what = "the embedded broker lives only inside `ticketpulse up`"
        hint = "name it with --broker host:port, as `ticketpulse up` prints it"
        raise ProblemsError(Problem("--to kafka", what, hint))
    from streams.importing.publishing import KafkaPublisher  # slow to load, needed only here

    return KafkaPublisher(settings.broker_url, topic, settings.topic_prefix)


def _write(source: Source, rejects: RejectedFile, path: Path) -> Tally:
    with whole_file(path) as output, TimeSorter() as sorter:
        tally = _converted(source, rejects, sorter)
        for message in sorter:
            output.write(message.value)
            output.write(b"\n")
    return tally


def _publish(source: Source, rejects: RejectedFile, publisher: "KafkaPublisher") -> Tally:
    try:
        with TimeSorter() as sorter:
            tally = _converted(source, rejects, sorter)
            for message in sorter:
                publisher.send(message)
        publisher.close()
    except BaseException:
        publisher.abandon()
        raise
    return tally


def _converted(source: Source, rejects: RejectedFile, sorter: TimeSorter) -> Tally:
    with progress_bar(source.path.name) as progress:
        tally = convert(source, sorter, lambda row: rejects.add(row.document()), progress)
    rejects.finish()
    if not tally.accepted:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in tally.reasons.most_common())
        hint = f"is this the right mapping? The rows are in {rejects.path}"
        raise ProblemsError(Problem(str(source.path), f"every row was rejected: {reasons}", hint))
    return tally


def _tell(mapping: Mapping, tally: Tally, rejects: RejectedFile, to: str) -> None:
    typer.echo(f"{mapping.mapping}: {mapping.labels.get('en', '')}")
    typer.echo(
        f"rows      {tally.rows:>9,}  accepted {tally.accepted:,}, rejected {tally.rejected:,}"
    )
    events = sum(tally.events.values())
    typer.echo(f"events    {events:>9,}  of {tally.entities:,} {mapping.entity}s → {to}")
    for name, count in sorted(tally.events.items()):
        typer.echo(f"          {count:>9,}  {name}")
    if tally.first_ms is not None and tally.last_ms is not None:
        typer.echo(f"known     {rfc3339(tally.first_ms)} … {rfc3339(tally.last_ms)}")
    if tally.export_ms is not None:
        typer.echo(f"exported  {rfc3339(tally.export_ms)} at the earliest")
    if tally.gaps:
        typer.echo(
            f"note: {tally.gaps:,} local times do not exist in their zone (start of summer time)"
        )
    if tally.rejected:
        typer.echo(f"rejected rows → {rejects.path}")
        for reason, count in tally.reasons.most_common():
            typer.echo(f"          {count:>9,}  {reason}: {' · '.join(meaning_of(reason))}")
