# Helpers for programs of its own take more than half of llama.cpp's build; we call the library only.
set(LLAMA_BUILD_COMMON OFF)
