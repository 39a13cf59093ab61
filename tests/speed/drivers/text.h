/* Text that is like prose: words that come back, and numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static unsigned char *prose(size_t n) {
    static const char *words[] = {"the", "compiler", "reads", "a", "source", "and", "writes", "an",
                                  "object", "for", "every", "function", "that", "it", "finds", "there"};
    unsigned char *text = malloc(n + 32);
    unsigned seed = 1;
    size_t at = 0;
    while (at < n) {
        seed = seed * 1664525u + 1013904223u;
        at += sprintf((char *)text + at, seed >> 28 ? "%s " : "%s, %u. ", words[seed >> 20 & 15], seed >> 8);
    }
    return text;
}
static unsigned digest(const unsigned char *p, size_t n) {
    unsigned h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 16777619u;
    return h;
}
