/* How long points of the plane stay bounded. */
#include <stdio.h>
static int iterations(double re, double im, int limit) {
    double x = 0, y = 0;
    int n = 0;
    while (n < limit && x * x + y * y <= 4) {
        double t = x * x - y * y + re;
        y = 2 * x * y + im;
        x = t;
        n++;
    }
    return n;
}
int main(void) {
    unsigned long sum = 0;
    for (int row = 0; row < 150; row++)
        for (int column = 0; column < 400; column++)
            sum = sum * 3 + iterations(column / 160.0 - 2, row / 150.0 - 1, 2500);
    printf("%lu\n", sum);
}
