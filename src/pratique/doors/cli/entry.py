"""The entry point: starts isolated, turns errors into messages and exit codes.

A tool for poisoned packages must not itself be steered by the current folder, the user's site folder or `PYTHON*`
variables, so a plain start is replaced by an isolated one (`python -I`).
"""

from __future__ import annotations

import os
import sys

INTERNAL_ERROR = 1
USAGE = 2
INTERRUPTED = 130


def main() -> int:
    """Run the command line; returns the exit code."""
    if not sys.flags.isolated and os.environ.get("PRATIQUE_ISOLATED") != "no":
        _isolate()
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from pratique.version import VERSION

        sys.stdout.write(f"pratique {VERSION}\n")
        return 0
    import click

    from pratique.doors.cli.commands import pratique

    try:
        code = pratique.main(args=arguments, prog_name="pratique", standalone_mode=False)
    except click.exceptions.Exit as exit_request:
        return exit_request.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("pratique: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (must stay open until exit)
        return INTERNAL_ERROR
    except Exception as error:  # noqa: BLE001 (the last line of defence: exit code 1, never a false answer)
        import traceback

        from pratique.api import PratiqueError

        if isinstance(error, PratiqueError):
            sys.stderr.write(f"pratique: {error}\n")
            return USAGE
        if isinstance(error, ModuleNotFoundError) and error.name in ("ctypes", "_ctypes"):
            sys.stderr.write(
                "pratique: this command asks the kernel by ctypes, which this Python lacks. "
                "Install this program with pip in a Python that has it\n"
            )
            return USAGE
        traceback.print_exc()
        sys.stderr.write(f"pratique: internal error, no report was made: {type(error).__name__}: {error}\n")
        return INTERNAL_ERROR
    return code if isinstance(code, int) else 0


def _isolate() -> None:
    """Start this program anew with `-I`, where this copy of it can be found that way."""
    import pratique

    home = os.path.dirname(os.path.dirname(os.path.abspath(pratique.__file__)))
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from pratique.doors.cli.entry import main; sys.exit(main())"
    )
    os.execv(sys.executable, [sys.executable, "-I", "-c", program, home, *sys.argv[1:]])  # noqa: S606 (this program)
