#include "text.h"
#include "lz4.h"
#include "lz4hc.h"
int main(int argc, char **argv) {
    int n = 800000, made = 0, rounds = atoi(argv[2]);
    char *in = (char *)prose(n), *out = malloc(2 * n), *back = malloc(n);
    made = LZ4_compress_default(in, out, n, 2 * n);
    for (int round = 0; round < rounds; round++) {
        if (!strcmp(argv[1], "fast")) made = LZ4_compress_default(in, out, n, 2 * n);
        else if (!strcmp(argv[1], "high")) made = LZ4_compress_HC(in, out, n, 2 * n, 9);
        else LZ4_decompress_safe(out, back, made, n);
    }
    printf("%d %u %u\n", made, digest((void *)out, made), digest((void *)back, argv[1][0] == 'b' ? n : 0));
    return argc != 3;
}
