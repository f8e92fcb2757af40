"""Jobs: executions, their tasks, and the containers that run them."""
