#ifndef WORDS_H
#define WORDS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct words {
    size_t words, lines, longest;
    unsigned checksum;
};

void words_count(struct words *result, const char *text);
int words_join(char *out, size_t size, const char *const *parts, size_t count);

#ifdef __cplusplus
}
#endif
#endif
