/* Queens that do not attack each other, counted by backtracking over bits. */
#include <stdio.h>
static long place(unsigned all, unsigned columns, unsigned left, unsigned right) {
    if (columns == all) return 1;
    long count = 0;
    for (unsigned free = all & ~(columns | left | right); free;) {
        unsigned bit = free & -free;
        free ^= bit;
        count += place(all, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}
int main(void) {
    for (int n = 4; n <= 14; n++) printf("%ld ", place((1u << n) - 1, 0, 0, 0));
    printf("\n");
}
