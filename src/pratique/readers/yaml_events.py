"""The events of a YAML text, given to a builder of trees: what ends them early is told in words."""

from __future__ import annotations

from collections.abc import Callable


def give_events(text: str, take: Callable[[object], None], bound: type[Exception]) -> str | None:
    """Give every event to `take`. Returns what is wrong with the text, also where `take` raised `bound` with it."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        for event in yaml.parse(text, Loader=loader):
            take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}" if mark is not None else ""
        return f"is not whole YAML: {error.problem or 'cannot be parsed'}{place}"
    except bound as error:
        return str(error)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        return "is not YAML"
    return None
