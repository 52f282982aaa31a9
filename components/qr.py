"""A QR code, drawn by the server as crisp SVG."""

from dash import html


def qr_code(text: str, *, alt: str) -> html.Img:
    """Black on white with its quiet margin in both themes, since cameras read nothing else well."""
    import segno  # only now: one page needs it, once in the life of an account

    drawn = segno.make(text, error="m", micro=False).svg_data_uri(scale=5, border=4, dark="#000", light="#fff")
    return html.Img(src=drawn, alt=alt, className="qr-code", width=220, height=220)
