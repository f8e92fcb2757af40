"""Application Default Credentials: who this machine is to Google."""

import warnings

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError

from greenrun.model.errors import CallFailed

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
LOG_IN = "gcloud auth application-default login"
"""What to do without credentials, or with ones that are no good any more."""


def application_default(what: str) -> Credentials:
    """The credentials; `what` completes `could not ...`. Raises CallFailed where there are none."""
    with warnings.catch_warnings():  # that a person's credentials have no quota project
        warnings.simplefilter("ignore", UserWarning)
        try:
            credentials, _ = google.auth.default(scopes=SCOPES)
        except DefaultCredentialsError as error:
            raise CallFailed(
                f"could not {what}: got no Google credentials on this machine", hint=LOG_IN
            ) from error
    return credentials
