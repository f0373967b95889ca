"""An independent evaluation of Sigma rules as pySigma reads them: its condition trees over plain fields.

pySigma turns rules into queries of log stores and evaluates none. This walks the tree that it parses, with values as
the specification defines them; it is slow, short, and shares nothing with the program.
"""

from __future__ import annotations

import ipaddress
import operator
import re
from collections.abc import Mapping
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaRule
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SpecialChars,
)

Fields = Mapping[str, Any]
_FLAGS = {
    SigmaRegularExpressionFlag.IGNORECASE: re.IGNORECASE,
    SigmaRegularExpressionFlag.MULTILINE: re.MULTILINE,
    SigmaRegularExpressionFlag.DOTALL: re.DOTALL,
}
_COMPARE = {
    CompareOperators.LT: operator.lt,
    CompareOperators.LTE: operator.le,
    CompareOperators.GT: operator.gt,
    CompareOperators.GTE: operator.ge,
}


def holds(rule: SigmaRule, fields: Fields) -> bool:
    """Whether an event with these fields meets the rule."""
    return any(_tree(condition.parsed, fields) for condition in rule.detection.parsed_condition)


def _tree(node: Any, fields: Fields) -> bool:
    if isinstance(node, ConditionAND):
        return all(_tree(one, fields) for one in node.args)
    if isinstance(node, ConditionOR):
        return any(_tree(one, fields) for one in node.args)
    if isinstance(node, ConditionNOT):
        return not _tree(node.args[0], fields)
    if isinstance(node, ConditionFieldEqualsValueExpression):
        return _value(node.value, fields.get(node.field), fields)
    if isinstance(node, ConditionValueExpression):
        return any(_contains(node.value, value) for value in fields.values() if value is not None)
    raise AssertionError(f"pySigma read a {type(node).__name__}, which this does not walk")


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    inner = value if isinstance(value, tuple) else (value,)
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in inner]


def _pattern(wanted: SigmaString) -> str:
    special = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}
    return "".join(re.escape(one) if isinstance(one, str) else special[one] for one in wanted.s)


def _value(wanted: Any, value: Any, fields: Fields) -> bool:
    if isinstance(wanted, SigmaExpansion):
        return any(_value(one, value, fields) for one in wanted.values)
    if isinstance(wanted, SigmaNull):
        return value is None
    if isinstance(wanted, SigmaExists):
        return (value is not None) is bool(wanted)
    if isinstance(wanted, SigmaString):
        flags = re.DOTALL | (0 if isinstance(wanted, SigmaCasedString) else re.IGNORECASE)
        return any(re.fullmatch(_pattern(wanted), one, flags) for one in _texts(value))
    if isinstance(wanted, SigmaBool):
        return str(bool(wanted)).lower() in [one.lower() for one in _texts(value)]
    if isinstance(wanted, SigmaNumber):
        return any(one == wanted.number for one in _numbers(value))
    if isinstance(wanted, SigmaCompareExpression):
        return any(_COMPARE[wanted.op](one, wanted.number.number) for one in _numbers(value))
    if isinstance(wanted, SigmaRegularExpression):
        flags = sum((_FLAGS[one] for one in wanted.flags), re.RegexFlag(0))
        return any(re.search(str(wanted.regexp), one, flags) for one in _texts(value))
    if isinstance(wanted, SigmaCIDRExpression):
        return any(_within(one, wanted.cidr) for one in _texts(value))
    if isinstance(wanted, SigmaFieldReference):
        return _referred(wanted, value, fields.get(wanted.field))
    raise AssertionError(f"pySigma read a {type(wanted).__name__}, which this does not compare")


def _referred(wanted: SigmaFieldReference, value: Any, other: Any) -> bool:
    for one in _texts(value):
        for two in _texts(other):
            one, two = one.lower(), two.lower()
            if wanted.starts_with and wanted.ends_with:
                found = two in one
            elif wanted.starts_with:
                found = one.startswith(two)
            elif wanted.ends_with:
                found = one.endswith(two)
            else:
                found = one == two
            if found:
                return True
    return False


def _numbers(value: Any) -> list[float]:
    found = []
    for one in _texts(value):
        try:
            found.append(float(one))
        except ValueError:
            continue
    return found


def _within(text: str, network: str) -> bool:
    try:
        found = ipaddress.ip_address(text)
        mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
        return (mapped or found) in ipaddress.ip_network(network)
    except (ValueError, TypeError):
        return False


def _contains(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, SigmaString):
        return any(re.search(_pattern(wanted), one, re.DOTALL | re.IGNORECASE) for one in _texts(value))
    if isinstance(wanted, SigmaNumber):
        return any(str(wanted) in one for one in _texts(value))
    return any(re.search(str(wanted.regexp), one) for one in _texts(value))
