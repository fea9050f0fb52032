"""The tables: functions, primitives, facts, and what users call."""
