"""What each family of package managers is asked to do, and which of the files it leaves are kept."""
