"""Tables and figures, made from what the other rooms return."""
