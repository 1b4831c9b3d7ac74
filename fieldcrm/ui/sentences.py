"""The English sentence for each error code; the French ones are in ``resources/i18n/fr/errors.po``."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "key_wrong": "This key does not open the data on this device. Nothing was changed.",
    "database_newer": "These data were made by a newer version of FieldCRM. Update the program to open them.",
    "database_damaged": "The data file {path} is damaged. Nothing was changed: keep it, and call your help desk.",
    "disk_full": "The disk is full. Free some space, then try again; what was saved before is safe.",
    "disk_denied": "This computer does not allow writing to {path}.",
    "profile_exists": "There is already a workspace in {path}.",
    "profile_missing": "There is no workspace in {path}.",
    "passphrase_wrong": "This passphrase does not open the data. Nothing was lost: try again.",
    "passphrase_short": "Choose at least {minimum} characters.",
    "key_file_damaged": "The key file {path} is damaged. Put back a copy of it, or sign in again in a new folder.",
    "keyring_locked": "The keyring of this computer is locked. Unlock it, then try again.",
    "photo_missing": "This photo is not on this device.",
    "photo_damaged": "This photo is damaged on this device.",
}
