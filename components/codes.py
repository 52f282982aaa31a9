"""Codes that are shown once, to be copied, printed or kept as a file."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.attributes import attributes
from components.icons import IconName, icon


def codes_to_keep(codes: Sequence[str], *, title: str, file_name: str) -> Component:
    """The codes on a sheet, with the ways to keep them; assets/codes.js prints and saves what the sheet shows."""
    return html.Div(
        [
            html.Div(
                [
                    html.Div(title, className="codes-title"),
                    html.Ol([html.Li(html.Code(code)) for code in codes], className="codes-list"),
                ],
                className="codes-sheet",
            ),
            html.Div(
                [
                    _button("Copy", "clipboard", "data-copy", "\n".join(codes)),
                    _button("Print", "file-earmark", "data-print-codes", ""),
                    _button("Download", "download", "data-download-codes", file_name),
                ],
                className="row-buttons",
            ),
        ],
        className="codes",
    )


def _button(label: str, name: IconName, attribute: str, value: str) -> Component:
    return html.Button(
        [icon(name), label],
        type="button",
        className="btn btn-sm btn-outline-secondary",
        **attributes({attribute: value}),
    )
