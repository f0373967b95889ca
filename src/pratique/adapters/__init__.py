"""The hands: processes, clocks, files of ours."""
