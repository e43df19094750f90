"""The tables, declared once, and the folder of Parquet files that keeps them."""
