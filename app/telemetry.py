"""The structured log: one JSON object a line on standard error, of an allow-list of fields. No bodies, no persons."""

from __future__ import annotations

import logging
import sys

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def configure(*, human: bool = False, level: int = logging.INFO) -> None:
    """Set logging up for the process; ``human`` prints short coloured lines instead of JSON."""
    renderer = structlog.dev.ConsoleRenderer() if human else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
