"""libLLVM through its C API, with ctypes: one module per concept.

Nothing here may be *called* outside a worker process: libLLVM ends the process
on a fatal error. Loading the library is safe anywhere.
"""
