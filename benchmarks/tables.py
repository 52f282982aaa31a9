"""Tables of figures, in Markdown."""

Row = tuple[str, str, str, str, str]


def show(title: str, rows: list[Row]) -> None:
    """Print a table."""
    print(f"\n### {title}\n\n| work | measured | floor | ratio | reach |\n| --- | --- | --- | --- | --- |")
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)
