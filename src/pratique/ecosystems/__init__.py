"""The grammar of each package world. Pure; imports `model` alone."""
