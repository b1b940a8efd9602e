"""How a point becomes a solution: objective, schedules, methods, the one loop."""
