"""Files as an answer to a browser or a program."""

from pathlib import Path

from django.http import FileResponse, HttpResponse

SENT_WHOLE = 16 * 1024 * 1024  # bytes


def sent(path: Path) -> HttpResponse | FileResponse:
    """Send a file under its name: a small one whole, a large one as it is read.

    What is opened stays readable after its folder is gone, and is gone itself once it was sent.
    """
    is_small = path.stat().st_size <= SENT_WHOLE
    response = HttpResponse(path.read_bytes()) if is_small else FileResponse(path.open("rb"))
    response["Content-Type"] = "application/octet-stream"
    response["Content-Disposition"] = f'attachment; filename="{path.name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
