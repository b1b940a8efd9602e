"""Many runs and paths together: sweeps, studies and their claims; and looks at finished solutions and at all images."""
