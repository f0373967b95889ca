from biotools.reads import read
