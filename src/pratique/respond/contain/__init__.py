"""Steps that keep an incident from going on: printed for people, never done by this program."""
