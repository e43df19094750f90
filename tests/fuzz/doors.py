"""The doors, by name: whatever somebody else can put before etflow."""

from __future__ import annotations

from tests.fuzz import folders, importing, journals, tables, typed, vendors, words
from tests.fuzz.door import Door

DOORS = {
    "text": Door("text files, on the fast path of an import and on the careful one", importing.texts, 12),
    "table": Door("tables of which it is known what they say", importing.tables, 14, importing.tables_spoilt),
    "answer": Door("data frames that vendors answer with", vendors.answers, 20, vendors.answers_spoilt),
    "container": Door("JSON, Parquet, workbooks, packed files", importing.containers, 12),
    "inside": Door("workbooks and packed files, spoilt inside", importing.sheets, 14),
    "map": Door("maps of one's own", importing.own_maps, 10),
    "import": Door("files of all kinds, into a store", importing.stores, 4),
    "condition": Door("conditions, as of --where", typed.conditions, 280),
    "cost": Door("costs by name and value", typed.costs, 190),
    "option": Door("command lines", typed.options, 20),
    "completion": Door("words that a shell has so far", words.completions, 40),
    "command": Door("command lines that need what is there before", words.commands, 25),
    "backtest": Door("command lines to the end, on the demo market", typed.backtests, 3),
    "spec": Door("spec files", typed.specs, 25),
    "weights": Door("files of target weights", tables.weights, 60),
    "broker": Door("orders, fills, positions", tables.brokers, 110),
    "format": Door("formats of brokers", tables.formats, 60),
    "statement": Door("statements about funds", tables.statements, 80),
    "notice": Door("notices of closed days", tables.notices, 20),
    "calendar": Door("the user's calendar", tables.calendars, 15),
    "rule": Door("the user's market rules", tables.rules, 15),
    "theme": Door("the user's themes", tables.themes, 40),
    "run": Door("results folders", folders.runs, 8),
    "page": Door("pages made again", folders.pages, 1),
    "study": Door("studies", journals.studies, 5),
    "store": Door("stores", folders.stores, 15),
    "split": Door("splits on file, held against tables", folders.splits, 3),
    "removal": Door("words that say which rows leave a store", folders.removals, 8),
    "damaged": Door("imports into damaged stores, and removals", folders.imports, 3),
    "account": Door("paper accounts", journals.accounts, 10),
    "record": Door("the record", journals.records, 20),
    "cache": Door("answers kept", folders.caches, 15),
    "evening": Door("signal, reconcile, weights, brief --verify", folders.evenings, 1),
}
