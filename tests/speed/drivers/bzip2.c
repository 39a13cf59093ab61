#include "text.h"
#include "bzlib.h"
void bz_internal_error(int code) { exit(code); }
int main(int argc, char **argv) {
    unsigned n = 500000, made = 2 * n, length = n;
    char *in = (char *)prose(n), *out = malloc(2 * n), *back = malloc(n);
    int rounds = atoi(argv[2]);
    BZ2_bzBuffToBuffCompress(out, &made, in, n, 5, 0, 0);
    for (int round = 0; round < rounds; round++) {
        if (!strcmp(argv[1], "compress")) made = 2 * n, BZ2_bzBuffToBuffCompress(out, &made, in, n, 5, 0, 0);
        else length = n, BZ2_bzBuffToBuffDecompress(back, &length, out, made, 0, 0);
    }
    printf("%u %u\n", digest((void *)out, made), digest((void *)back, argv[1][0] == 'd' ? length : 0));
    return argc != 3;
}
