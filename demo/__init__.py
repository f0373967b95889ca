"""A harbour of workspaces to try pratique on."""
