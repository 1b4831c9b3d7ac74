"""XLSForm workbooks to XForm XML, by pyxform."""

from __future__ import annotations

import io
import zipfile

from fieldcrm.domain.errors import DomainError

MAX_WORKBOOK_BYTES = 8 * 1024 * 1024
MAX_UNPACKED_BYTES = 64 * 1024 * 1024


def compile_xlsform(workbook: bytes) -> bytes:
    """XForm XML of an .xlsx. DomainError ``form_not_workbook``, ``form_too_large`` or ``form_sheet`` (detail)."""
    if len(workbook) > MAX_WORKBOOK_BYTES:
        raise DomainError("form_too_large", megabytes=MAX_WORKBOOK_BYTES // 1024 // 1024)
    try:
        with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise DomainError("form_not_workbook") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise DomainError("form_too_large", megabytes=MAX_UNPACKED_BYTES // 1024 // 1024)
    # Imported here: only those who publish forms pay for it.
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    try:
        result = convert(xlsform=io.BytesIO(workbook), file_type=".xlsx", warnings=[])
    except (PyXFormError, KeyError, ValueError, TypeError) as error:
        raise DomainError("form_sheet", detail=str(error)[:500]) from error
    text: str = result.xform
    return text.encode()
