"""The resident process: workers that start from a loaded libLLVM. An accelerator only.

A compile that cannot reach it, or loses it, does the same work by itself.
"""
