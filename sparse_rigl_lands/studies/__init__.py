"""Many runs together: the table of their solutions, and sweeps."""
