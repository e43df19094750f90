"""Importing files that a user already has into a store."""

from data.importing.importer import ImportReport, import_files
from data.importing.map_files import find_map, ready_maps
from data.importing.one_file import Imported

__all__ = ["ImportReport", "Imported", "find_map", "import_files", "ready_maps"]
