"""The planner: verdicts to an ordered plan. It prints and never acts; it never sees the value of a secret."""
