"""``penstock run``: the operators of a replay, live on Kafka."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.errors import UserError, report
from cli.options import ConfigFile, Sets
from cli.stopping import obeying

if TYPE_CHECKING:
    from flows.deployment import Deployment
    from sinks.state_folder import StateFolder


def run(
    config: ConfigFile = None,
    sets: Sets = None,
    state: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints are kept.")] = Path("state"),
    processes: Annotated[int, typer.Option(min=1, help="Processes, on this machine.")] = 1,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="The state was lost: make it anew from the journal and the market topics.")
    ] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Go on with a state that was made with other settings or code.")
    ] = False,
    real_money: Annotated[
        bool, typer.Option("--real-money", help="Needed for broker.mode exchange; this version refuses even then.")
    ] = False,
    process: Annotated[
        int | None, typer.Option(min=0, help="For a cluster over several machines: which of its processes this is.")
    ] = None,
    address: Annotated[
        list[str] | None, typer.Option(metavar="HOST:PORT", help="… and where each of them is. Repeatable.")
    ] = None,
) -> None:
    """Read candles from Kafka, decide, and publish orders, fills and all else, each record once. Paper by default.

    It goes on from the last checkpoint in --state, whatever ended it. Stop it with Ctrl-C or SIGTERM.
    """
    with obeying(at_once=process is not None):
        from cli.options import load_checked
        from flows import live_process, supervise
        from flows.clock import watch_clock
        from flows.deployment import check_currency, find, refuse_real_money
        from flows.process import LostError
        from sinks.kafka.errors import GivenUpError
        from sinks.state_folder import StateFolder

        if (process is None) != (not address) or (process or 0) >= max(1, len(address or ())):
            raise UserError("--process and --address go together: one --address for each process, counted from 0")
        loaded = load_checked(config, sets)
        refuse_real_money(loaded.config.broker, switched_on=real_money)
        deployment, folder = find(loaded.config), StateFolder(state)
        check_currency(deployment)
        _open(deployment, folder, (process, len(address or ()) or processes), rebuild, accept_changes)
        _compile()
        again = supervise.command_of([word for word in sys.argv[1:] if word not in ("--rebuild", "--accept-changes")])
        try:
            if process is None:
                _announce(deployment, folder, processes)
                _watch(config, sets, deployment, folder)
            if process is None and processes > 1:
                raise typer.Exit(supervise.supervise(again, processes, folder.lock, say))
            watch_clock(lambda by: _again(f"the clock was set back by {by:.0f} s", None if address else again))
            live_process.run(deployment, folder, address or (), process or 0, say, _end)
        except GivenUpError as given_up:
            _again(str(given_up), again)
        except LostError as lost:
            say(f"penstock: {lost}")
            raise typer.Exit(1) from None


def _open(
    deployment: Deployment, folder: StateFolder, share: tuple[int | None, int], rebuild: bool, accept: bool
) -> None:
    from flows.deployment import check_settings, open_state
    from flows.live_process import PARENT, end_with_parent

    if os.environ.get(PARENT) == "1":
        end_with_parent()  # which has opened the state, and holds its lock
        check_settings(deployment, folder)
    else:
        open_state(deployment, folder, share, rebuild=rebuild, accept=accept)


def _compile() -> None:
    from flows.kernel import announce_compiling, warm

    announce_compiling(lambda: say("compiling the kernels: first use on this machine, cached afterwards"))
    warm()


def _again(why: str, command: list[str] | None) -> NoReturn:
    """Start again from the last checkpoint: in a cluster that is for whoever starts all of its processes."""
    say(f"penstock: {why}: starting again from the last checkpoint")
    if command is None:
        os._exit(1)
    os.execv(command[0], command)


def _end(error: Exception) -> NoReturn:
    """In a cluster: at once, for Bytewax would go on to say that a thread is gone, and nothing of the error."""
    from sinks.kafka.errors import GivenUpError

    code = report(error)
    sys.stderr.flush()
    os._exit(1 if isinstance(error, GivenUpError) else code)  # 2 would say that only the user can put it right


def _watch(config: Path | None, sets: list[str] | None, deployment: Deployment, folder: StateFolder) -> None:
    """What is saved in the configuration file, from now on, where the sender ``config`` may set anything."""
    from dataclasses import replace

    from cli.watch import Watch, watched
    from flows.deployment import made_with
    from flows.portfolio.control.tuning import changeable

    path = watched(config, deployment.config)
    if path is None:
        return
    began = folder.began or changeable(deployment.config)
    Watch(
        path, sets, deployment.config, say, lambda new: folder.write(made_with(replace(deployment, config=new)), began)
    ).start()


def _announce(deployment: Deployment, folder: StateFolder, processes: int) -> None:
    from schemas.topics import TOPICS

    config = deployment.config
    market = config.kafka.topic(config.market.topic)
    strategies = ", ".join(f"{one.label} ({one.mode})" for one in config.strategies)
    say(
        f"{config.broker.mode} trading of portfolio {config.portfolio.name}: {strategies}\n"
        f"{len(deployment.shards)} shards of {market} at {config.kafka.bootstrap_servers}, "
        f"{processes} process{'' if processes == 1 else 'es'}, state in {folder.path}"
    )
    if len(deployment.shards) < TOPICS[config.market.topic].partitions:
        say(f"{market} has fewer partitions than usual: see `penstock topics check`")


def say(text: str) -> None:
    """To a person, on stderr."""
    print(text, file=sys.stderr, flush=True)
