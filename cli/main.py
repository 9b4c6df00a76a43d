"""``penstock``: the command line."""

from __future__ import annotations

from typing import Annotated, ClassVar, NoReturn

import typer

from cli.errors import Debug, report
from cli.lazy import Lazy, LazyGroup
from flows.leaving import leave


class Commands(LazyGroup):
    """All commands. To add one is to add one file and one line here."""

    lazy: ClassVar[dict[str, Lazy]] = {
        "replay": Lazy("cli.replay:replay", "Replay recorded candles through the operators, into a run folder."),
        "run": Lazy("cli.run:run", "Run live on Kafka: candles in, orders out, each decision once."),
        "command": Lazy("cli.command:command", "Tell a running portfolio what to do, and wait for its answer."),
        "simulate": Lazy("cli.simulate:simulate", "Write candle files of a simulated market."),
        "exchanges": Lazy("cli.exchanges:app", "List exchanges, or describe one: streams, limits, what surprises."),
        "download": Lazy("cli.download:download", "Download candles of the past from an exchange into Parquet files."),
        "topics": Lazy("cli.topics:app", "Create, list or check the topics on the broker."),
        "feed": Lazy("cli.feed:feed", "Publish live market data of an exchange."),
        "record": Lazy("cli.feed:record", "Record live market data of an exchange, without Kafka."),
        "publish": Lazy("cli.publish:publish", "Publish recorded candles to the market topic."),
        "tail": Lazy("cli.tail:tail", "Show the records of a topic."),
        "trace": Lazy("cli.trace:trace", "Follow a candle to its orders, fills and positions, or one of them back."),
        "deadletters": Lazy("cli.deadletters:app", "List, show or requeue inputs that could not be used."),
        "doctor": Lazy("cli.doctor:doctor", "Say what is wrong with broker, topics, clock or folders, and what to do."),
        "config": Lazy("cli.config:app", "Show or check the configuration."),
        "strategies": Lazy("cli.strategies:app", "List, describe or start strategies."),
        "schemas": Lazy("cli.schemas:app", "Export the JSON Schemas and the AsyncAPI document."),
    }


app = typer.Typer(
    name="penstock",
    cls=Commands,
    help="A dataflow stream processor for trading bots: market streams in, risk-checked orders out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"penstock {version('penstock')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; or PENSTOCK_DEBUG=1.")
    ] = False,
    version: Annotated[  # noqa: ARG001 (its callback does the work)
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of all commands."""
    Debug.on = Debug.on or debug


def run() -> int:
    """Run the command line. Returns 0 done, 2 something the user can put right, 1 a defect, 130 interrupted."""
    try:
        app()
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0
    except Exception as error:
        return report(error)
    return 0


def main() -> NoReturn:
    """Run the command line, and end the process with its code."""
    leave(run())


if __name__ == "__main__":
    main()
