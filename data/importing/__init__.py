"""Importing files that a user already has into a store, and taking rows out of it again."""

from data.importing.importer import ImportReport, import_files
from data.importing.map_files import find_map, ready_maps
from data.importing.one_file import Imported
from data.importing.remover import RemovalReport, remove_rows

__all__ = [
    "ImportReport",
    "Imported",
    "RemovalReport",
    "find_map",
    "import_files",
    "ready_maps",
    "remove_rows",
]
