"""What a person says of how a file is written, where what was found out is not right."""

from dataclasses import asdict, dataclass

SEPARATORS = ",\t;|，"


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; what is left out here is found out.

    `header_row` is counted from 1, as a person sees it; 0 says that there are no column names, and that the
    first row is a question already. What a kind of file does not have (the separator of a workbook, the
    sheet of a text) is not looked at.
    """

    encoding: str = ""
    delimiter: str = ""
    header_row: int | None = None
    sheet: str = ""

    def given(self) -> dict[str, str | int]:
        """Return only what is said, as it is stored; `Reading(**given)` has it back."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


AS_FOUND = Reading()
