"""The pages as one Starlette application."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from migd.console.console_pages import ConsolePages
from migd.console.port import PagesGateway
from migd.console.reference.pages import ReferencePages
from migd.console.refusals import Refusals
from migd.console.security import SecurityHeaders

_STATIC = Path(__file__).parent / "static"


def build_application(gateway: PagesGateway, *, auth_mode: str, warning: str) -> ASGIApp:
    """Loads and compiles everything; takes a fraction of a second."""
    templates = Environment(
        loader=PackageLoader("migd.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    refusals = Refusals(gateway, templates)
    console = ConsolePages(gateway, templates, auth_mode=auth_mode, warning=warning)
    reference = ReferencePages(templates, auth_mode=auth_mode)
    return Starlette(
        routes=[
            Route("/ui", console.page),
            Route("/ui/capabilities/{capability}/input", console.capability_input),
            Mount("/ui/static", StaticFiles(directory=_STATIC)),
            *reference.routes(),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(refusals.guard)],
        exception_handlers={HTTPException: refusals.http_exception},
    )
