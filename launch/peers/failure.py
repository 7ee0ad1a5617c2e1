"""How a comparison ends early."""


class Failure(Exception):
    """What ends the comparison: one sentence for the person who started it."""
