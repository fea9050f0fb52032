"""Tables, scaling, splitting, encoding and metrics: what stands between a CSV file and a fit."""

from symgrad.data.encode import Encoded, decide, encode
from symgrad.data.metrics import accuracy, log_loss, mae, mse, r2
from symgrad.data.read import read_table
from symgrad.data.split import split
from symgrad.data.standardize import Standardizer
from symgrad.data.table import Column, Table

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
