"""One call, from either wire, to the implementation that answers it."""

import sys
import traceback
from collections.abc import Callable
from typing import Any

from grpc import StatusCode

from cloudrun_emulator.core.errors import CloudError
from cloudrun_emulator.server.methods import Method

Answering = Callable[[object, Method, Any], Any]
"""What a server hands each call to: `call` below, or what stands before it."""


def call(implementation: object, method: Method, request: Any) -> Any:  # noqa: ANN401 - any official message
    """The answer to `request`; raises only CloudError.

    UNIMPLEMENTED where the implementation has no such method; INTERNAL, told on stderr too, for
    whatever it did not mean to raise.
    """
    answer = getattr(implementation, method.name, None)
    if answer is None:
        raise CloudError(StatusCode.UNIMPLEMENTED, f"{method.path} is not part of the local cloud.")
    try:
        return answer(request)
    except CloudError:
        raise
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        raise CloudError(StatusCode.INTERNAL, f"{method.path}: {error!r}") from error
