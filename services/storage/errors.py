"""Why a file could not be kept, read or removed."""

from services.errors import AppError, Invalid, NotFound


class Missing(NotFound):
    """There is no file or folder of this name."""

    def __init__(self) -> None:
        super().__init__("artifact")


class InTheWay(Invalid):
    """A file where a folder is wanted, or the reverse: the caller's mistake."""

    def __init__(self) -> None:
        super().__init__("There is a file where this path has a folder, or a folder where it has a file.")


class Full(AppError):
    """Nothing can be kept until somebody makes room."""

    status_code = 507
    code = "full"


class Away(AppError):
    """The store does not answer, or is too slow; the same request may be sent again."""

    status_code = 503
    code = "store_away"

    def __init__(self, sentence: str = "The store of the files does not answer at the moment.") -> None:
        super().__init__(sentence)


class Refused(Away):
    """The store answers, but not to us: keys, rights, or the name of the bucket are wrong."""

    def __init__(self) -> None:
        super().__init__("The store of the files refuses this server; whoever runs it finds the reason in its log.")
