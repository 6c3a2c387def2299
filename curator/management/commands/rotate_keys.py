"""`manage.py rotate_keys`."""

from typing import Any

from common.commands import StageCommand
from curator.services import endpoints


class Command(StageCommand):
    """Encrypt all kept keys of endpoints with the first of QIANTI_ENCRYPTION_KEYS."""

    help = (
        "Encrypt every kept key of an endpoint anew with the first of QIANTI_ENCRYPTION_KEYS, "
        "so that the other ones can be taken out of it."
    )

    def carry_out(self, **_options: Any) -> dict[str, Any]:
        done = endpoints.rotate_keys()
        for whose in done.unreadable:
            self.stderr.write(f"The key of {whose} cannot be decrypted any more; enter it again.")
        return {"kept": done.kept, "rotated": done.rotated, "unreadable": list(done.unreadable)}
