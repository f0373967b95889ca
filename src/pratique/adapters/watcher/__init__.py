"""What a watch collects on Linux: processes as they begin and end, connections, places of what starts by itself."""
