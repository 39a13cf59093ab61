/* Recursion: Ackermann, mutual, tail calls, queens, big frames. */
#include <stdio.h>

static int ackermann(int m, int n) { return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)); }
static int odd(unsigned n);
static int even(unsigned n) { return n == 0 ? 1 : odd(n - 1); }
static int odd(unsigned n) { return n == 0 ? 0 : even(n - 1); }
static unsigned gcd(unsigned a, unsigned b) { return b ? gcd(b, a % b) : a; }

static int queens(int n, unsigned columns, unsigned left, unsigned right) {
    unsigned all = (1u << n) - 1, free = all & ~(columns | left | right);
    if (columns == all) return 1;
    int count = 0;
    while (free) {
        unsigned bit = free & -free;
        free ^= bit;
        count += queens(n, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

static int deep(int n) {
    int frame[16];
    for (int i = 0; i < 16; i++) frame[i] = n * i;
    return n ? deep(n - 1) + frame[n & 15] : frame[3];
}

int main(void) {
    printf("%d %d %d %u %d %d\n", ackermann(2, 9), even(1000), odd(77), gcd(1071, 462), queens(7, 0, 0, 0), deep(100));
    return queens(6, 0, 0, 0);
}
