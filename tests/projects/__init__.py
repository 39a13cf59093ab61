"""Real third-party projects, built by their own build systems with our compilers.

`table` says how each is built and tested, `fetch` brings the sources, `build` runs
a build and measures its objects, `demo` and `bench` are commands for people.
These projects judge the tool: recipes are never mined from them.
"""
