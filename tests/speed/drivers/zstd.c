#include "text.h"
#include "zstd.h"
int main(int argc, char **argv) {
    size_t n = 800000, made;
    int rounds = atoi(argv[2]);
    char *in = (char *)prose(n), *out = malloc(2 * n), *back = malloc(n);
    made = ZSTD_compress(out, 2 * n, in, n, 3);
    for (int round = 0; round < rounds; round++) {
        if (!strcmp(argv[1], "fast")) made = ZSTD_compress(out, 2 * n, in, n, 2);
        else if (!strcmp(argv[1], "high")) made = ZSTD_compress(out, 2 * n, in, n, 9);
        else ZSTD_decompress(back, n, out, made);
    }
    printf("%lu %u %u\n", (unsigned long)made, digest((void *)out, made), digest((void *)back, argv[1][0] == 'b' ? n : 0));
    return argc != 3;
}
