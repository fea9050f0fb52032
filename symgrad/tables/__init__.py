"""Tables, scaling, splitting, encoding and metrics: what stands between a CSV file and a fit."""

from symgrad.tables.encode import Encoded, decide, encode
from symgrad.tables.metrics import accuracy, log_loss, mae, mse, r2
from symgrad.tables.read import read_table
from symgrad.tables.split import split
from symgrad.tables.standardize import Standardizer
from symgrad.tables.table import Column, Table

__all__ = [
    "Column",
    "Encoded",
    "Standardizer",
    "Table",
    "accuracy",
    "decide",
    "encode",
    "log_loss",
    "mae",
    "mse",
    "r2",
    "read_table",
    "split",
]
