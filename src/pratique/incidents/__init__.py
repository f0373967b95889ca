"""The library of incidents: definitions as data, their loader and lint."""
