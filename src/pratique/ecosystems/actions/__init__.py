"""The grammar of GitHub Actions: references to actions and reusable workflows."""
