#include "words.h"

static int is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned mix(unsigned sum, char c) {
    sum ^= (unsigned char)c;
    for (int bit = 0; bit < 8; bit++)
        sum = sum & 1 ? (sum >> 1) ^ 0xedb88320u : sum >> 1;
    return sum;
}

void words_count(struct words *result, const char *text) {
    size_t length = 0;
    result->words = result->lines = result->longest = 0;
    result->checksum = 0;
    for (;; text++) {
        if (*text == 0 || is_space(*text)) {
            if (length) {
                result->words++;
                if (length > result->longest)
                    result->longest = length;
            }
            length = 0;
            if (*text == '\n')
                result->lines++;
            if (*text == 0)
                return;
        } else {
            length++;
        }
        result->checksum = mix(result->checksum, *text);
    }
}

int words_join(char *out, size_t size, const char *const *parts, size_t count) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        for (const char *c = parts[i]; *c; c++) {
            if (used + 1 >= size)
                return -1;
            out[used++] = *c;
        }
        if (i + 1 < count) {
            if (used + 1 >= size)
                return -1;
            out[used++] = ' ';
        }
    }
    if (used >= size)
        return -1;
    out[used] = 0;
    return (int)used;
}
