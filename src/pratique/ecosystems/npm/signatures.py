"""What tells a package in the output of bundlers, and its version: a table, measured on real builds.

A row belongs here only if its marks were seen to survive webpack, rollup, esbuild, vite and parcel, minified and not.
An incident may bring its own (`bundle` of a component), which wins.
"""

from __future__ import annotations

from pratique.model.signature import Signature

VERSION = r"(\d+\.\d+\.\d+(?:[-+][\w.+-]{1,60})?)"
"""A version, as group 1 of a pattern."""
_QUOTE = r"\\?[\"'`]"
_SPACE = r"(?:\\n|\s){0,40}"
"""White space; in text that is evaluated, line ends are escaped."""
_EXPRESSION = rf"{_SPACE}\+{_SPACE}\(?(?:0,\s?)?([\w$.]{{1,200}})"

SIGNATURES: dict[str, Signature] = {
    "axios": Signature(
        marks=("ERR_BAD_OPTION_VALUE", "ERR_FR_TOO_MANY_REDIRECTS", "isAxiosError", "[Axios v", "XSRF-TOKEN"),
        least=3,
        direct=(
            rf"\[Axios v{VERSION}\]",
            rf"\[Axios v{_QUOTE}{_SPACE}\+{_SPACE}\(?(?:/\*[^*]{{0,60}}\*/)?{_QUOTE}{VERSION}{_QUOTE}",
            rf"axios/{VERSION}{_QUOTE}",
            rf"axios/lib/env/data\.js[^\0]{{0,700}}?\b(?:VERSION|version)\s?[=:]\s?{_QUOTE}{VERSION}{_QUOTE}",
        ),
        named=(
            rf"\[Axios v{_QUOTE}{_EXPRESSION}",
            r"\[Axios v\$\{([\w$.]{1,200})\}",
            rf"axios/{_QUOTE}{_EXPRESSION}",
        ),
        constants=(rf"\{{{_SPACE}(?:{_QUOTE})?\w{{1,30}}(?:{_QUOTE})?\s?:\s?{_QUOTE}{VERSION}{_QUOTE},?{_SPACE}\}}",),
    ),
    "ua-parser-js": Signature(
        marks=("UAParser", "Dragon Touch", "Firefox Reality", "Xperia Tablet"),
        least=3,
        direct=(
            rf"UAParser\.js v{VERSION}",
            rf"\bLIBVERSION\s*=\s*{_QUOTE}{VERSION}{_QUOTE}",
            rf"\.VERSION\s*=\s*{_QUOTE}{VERSION}{_QUOTE}[,;]\s*[\w$]{{1,30}}\.BROWSER",
        ),
        named=(r"\.VERSION\s*=\s*([\w$.]{1,200})[,;]\s*[\w$]{1,30}\.BROWSER",),
    ),
}
