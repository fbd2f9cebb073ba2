"""How to brew tea."""


class Pot:
    """Holds water, leaves and patience."""


def steep(pot: Pot, minutes: float = 3) -> str:
    """Wait for the tea."""
    return f"{minutes} minutes later"
