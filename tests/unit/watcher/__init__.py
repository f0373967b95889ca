"""Tests of what a watch collects."""
