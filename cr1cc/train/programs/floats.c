/* Floating point: conversions, comparisons with NaN, rounding, accumulation. */
#include <float.h>
#include <stdio.h>

static double polynomial(const double *c, int n, double x) {
    double sum = 0;
    for (int i = n - 1; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

static int order(double a, double b) { return a < b ? -1 : a > b ? 1 : a == b ? 0 : 9; }

int main(void) {
    volatile double zero = 0.0;
    const double nan = zero / zero, inf = 1.0 / zero;
    const double c[] = {1.5, -2.25, 0.125, 3.0};
    for (int i = -3; i <= 3; i++) printf("%.17g ", polynomial(c, 4, i * 0.7));
    printf("\n%d %d %d %d %d\n", order(nan, 1), order(1, nan), order(inf, 1), order(-0.0, 0.0),
           order(-inf, -DBL_MAX));
    float f = 0;
    for (int i = 1; i < 1000; i++) f += 1.0f / (float)i;
    printf("%.9g %d %u %lld\n", f, (int)-3.99, (unsigned)4e9, (long long)-1e15);
    double d = 1;
    int steps = 0;
    while (1 + d != 1) d /= 2, steps++;
    printf("%d %a %d\n", steps, d, 1 / -zero < 0);
    return order(nan, nan);
}
