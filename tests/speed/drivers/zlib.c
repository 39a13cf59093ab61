#include "text.h"
#include "zlib.h"
int main(int argc, char **argv) {
    size_t n = 400000;
    unsigned char *in = prose(n), *out = malloc(2 * n), *back = malloc(n);
    uLongf made = 2 * n, length = n;
    int rounds = atoi(argv[2]);
    compress2(out, &made, in, n, 6);
    for (int round = 0; round < rounds; round++) {
        if (!strcmp(argv[1], "deflate")) made = 2 * n, compress2(out, &made, in, n, 1 + round % 9);
        else length = n, uncompress(back, &length, out, made);
    }
    printf("%lu %u %u\n", (unsigned long)made, digest(out, made), digest(back, argv[1][0] == 'i' ? length : 0));
    return argc != 3;
}
