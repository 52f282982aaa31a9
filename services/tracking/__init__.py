"""What tracking clients of MLflow log and ask, on our tables."""
