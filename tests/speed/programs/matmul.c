/* Products of matrices of doubles, in the plain order of loops. */
#include <stdio.h>
enum { N = 220 };
static double a[N][N], b[N][N], c[N][N];
static void multiply(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) {
            double sum = 0;
            for (int k = 0; k < N; k++) sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}
int main(void) {
    for (int i = 0; i < N; i++)
        for (int j = 0; j < N; j++) a[i][j] = (i * j) % 17, b[i][j] = (i + 2 * j) % 13;
    double trace = 0;
    for (int round = 0; round < 30; round++) {
        multiply();
        for (int i = 0; i < N; i++) trace += c[i][i], a[i][round % N] += c[i][(i + round) % N] / 1e6;
    }
    printf("%.6f\n", trace);
}
