"""How a permission is called where people read it."""

import re

_ABBREVIATIONS = re.compile(r"\b(?:api|hpo|xai)\b")


def permission_words(value: str) -> str:
    """`view_xai_explanations` as “view XAI explanations”."""
    return _ABBREVIATIONS.sub(lambda found: found[0].upper(), value.replace("_", " "))


def permission_label(value: str) -> str:
    """The same with a capital letter in front, for a list or a table."""
    words = permission_words(value)
    return words[:1].upper() + words[1:]
