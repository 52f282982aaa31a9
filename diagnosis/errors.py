"""What numerical work cannot go on from."""


class TrainingDiverged(ArithmeticError):
    """Weights or loss left the finite numbers; a smaller learning rate is the usual way out."""
