from typing_extensions import TypedDict


class Tally(TypedDict):
    words: int
