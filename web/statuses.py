"""The right status for a page that does not exist or may not be opened, although Dash answers both with its index."""

import dash
from flask import Flask, Response, g, request
from flask_login import current_user

from models.permissions import PermissionDenied, has_permission


def register(server: Flask) -> None:
    """Set 404 or 403 on the index page where its page is not there or not allowed."""

    @server.after_request
    def _status(answer: Response) -> Response:
        if request.endpoint not in {"/", "/<path:path>"} or answer.status_code != 200:
            return answer
        page, variables = dash._pages._path_to_page(request.path.strip("/"))  # type: ignore[no-untyped-call]
        if not page:
            answer.status_code = 404
        elif not has_permission(current_user, page["permission"]):
            answer.status_code = 403
            g.refused_by = PermissionDenied(page["permission"].value)
        elif "exists" in page and not page["exists"](**(variables or {})):
            answer.status_code = 404
        return answer
