"""Altered markets: what audits hold a strategy against."""
