/* Sums of scaled vectors and clipped differences, in floats and small integers. */
#include <stdio.h>
enum { N = 6000 };
static float x[N], y[N];
static short s[N], t[N];
static void scale(float *restrict to, const float *restrict from, float by, int n) {
    for (int i = 0; i < n; i++) to[i] = to[i] * 0.5f + from[i] * by;
}
static int clipped(const short *p, const short *q, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) {
        int d = p[i] - q[i];
        sum += d < 0 ? -d : d > 255 ? 255 : d;
    }
    return sum;
}
int main(void) {
    for (int i = 0; i < N; i++) x[i] = i % 31, y[i] = i % 7, s[i] = i * 37 % 1001, t[i] = i * 91 % 997;
    long sum = 0;
    for (int round = 0; round < 40000; round++) {
        scale(y, x, 1.0f / (1 + round % 5), N);
        sum += clipped(s, t, N);
        s[round % N] ^= 1;
    }
    printf("%.4f %ld\n", (double)y[77], sum);
}
