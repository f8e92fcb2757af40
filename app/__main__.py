"""`python -m app` serves on $PORT until SIGTERM."""

import logging
import os
import signal
import sys

import uvicorn

from app import logs
from app.settings import Settings
from app.web import application


def main() -> None:
    # Process 1 is deaf to SIGTERM otherwise; uvicorn raises it again once all is drained.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        logs.configure(os.environ.get("LOG_LEVEL", "INFO"))
        settings = Settings.read(os.environ)
    except ValueError as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400 - one line, no traceback
        sys.exit(1)
    serve(settings)


def serve(settings: Settings) -> None:
    if "silent" in settings.faults.at_start:
        logging.disable()
    settings.faults.start(settings.api_token)
    uvicorn.run(
        application(settings),
        host="0.0.0.0",  # noqa: S104 - the platform reaches the container from outside
        port=settings.port,
        log_config=None,
        access_log=False,
        ws="websockets-sansio",
        timeout_graceful_shutdown=8,  # of the 10 s that the platform gives
    )


if __name__ == "__main__":
    main()
