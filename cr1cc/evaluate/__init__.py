"""Compile and measure candidates in forked, limited worker processes."""
