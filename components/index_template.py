"""The HTML around the app: language, theme before the first paint, skip link, icons."""

ASSETS_PATH_IGNORE = ["lazy", "boot"]

_TEMPLATE = """<!DOCTYPE html>
<html lang="en" data-bs-theme="light">
    <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="theme-color" content="#ffffff">
        <script src="@assets@/boot/theme-boot.js"></script>
        {%metas%}
        <title>{%title%}</title>
        <link rel="icon" type="image/svg+xml" href="@assets@/favicon.svg">
        {%favicon%}
        <link rel="preload" href="@assets@/fonts/inter-latin-wght-normal.woff2" as="font" type="font/woff2" crossorigin>
        {%css%}
    </head>
    <body>
        <a class="skip-link" href="#main-content">Skip to content</a>
        {%app_entry%}
        <noscript>This dashboard draws its pages with JavaScript, which is switched off in this browser.</noscript>
        <footer>
            {%config%}
            {%scripts%}
            {%renderer%}
        </footer>
    </body>
</html>
"""


def index_string(assets_url: str = "/assets") -> str:
    """Return Dash's `index_string`; `theme-boot.js` comes first and blocks, so that no wrong theme flashes."""
    return _TEMPLATE.replace("@assets@", assets_url.rstrip("/"))
