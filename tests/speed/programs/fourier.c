/* Fast Fourier transforms of complex numbers, forth and back. */
#include <math.h>
#include <stdio.h>
enum { N = 4096 };
static double re[N], im[N], cosine[N / 2], sine[N / 2];
static void transform(int sign) {
    for (int i = 1, j = 0; i < N; i++) {
        int bit = N >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i]; re[i] = re[j]; re[j] = t;
            t = im[i]; im[i] = im[j]; im[j] = t;
        }
    }
    for (int length = 2; length <= N; length <<= 1) {
        int half = length / 2, stride = N / length;
        for (int i = 0; i < N; i += length)
            for (int k = 0; k < half; k++) {
                double wr = cosine[k * stride], wi = sign * sine[k * stride];
                double ur = re[i + k], ui = im[i + k], vr = re[i + k + half], vi = im[i + k + half];
                double tr = vr * wr - vi * wi, ti = vr * wi + vi * wr;
                re[i + k] = ur + tr, im[i + k] = ui + ti;
                re[i + k + half] = ur - tr, im[i + k + half] = ui - ti;
            }
    }
}
int main(void) {
    for (int i = 0; i < N / 2; i++) cosine[i] = cos(2 * M_PI * i / N), sine[i] = sin(2 * M_PI * i / N);
    for (int i = 0; i < N; i++) re[i] = i % 100, im[i] = 0;
    for (int round = 0; round < 1350; round++) {
        transform(1);
        transform(-1);
        for (int i = 0; i < N; i++) re[i] /= N, im[i] /= N;
    }
    printf("%.4f %.4f\n", re[17], re[99]);
}
