"""What is trained on: datasets behind one small interface."""
