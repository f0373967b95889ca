"""The one place that changes what a shown plan names: edits of project files, moves into quarantine, and their undo.

Nothing is removed: bytes from before lie in the quarantine first. A file is written beside its place, flushed, and
renamed over it, with mode, owner, times and extended attributes kept; a move is a rename, or across file systems a
copy that is flushed and compared before the first byte is taken away. Killed at any moment, a step is either not done,
done, or can be finished: `steps.state` says which. No link is followed at any component of a path.
"""
