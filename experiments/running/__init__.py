"""Running of suites: tasks, the pool of workers, and the rule for stopping."""
