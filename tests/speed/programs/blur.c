/* A picture blurred, sharpened and turned to grey. */
#include <stdio.h>
enum { W = 640, H = 400 };
static unsigned char rgb[H][W][3], grey[H][W], out[H][W];
static void to_grey(void) {
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            grey[y][x] = (77 * rgb[y][x][0] + 150 * rgb[y][x][1] + 29 * rgb[y][x][2]) >> 8;
}
static void convolve(const int kernel[3][3], int divisor) {
    for (int y = 1; y < H - 1; y++)
        for (int x = 1; x < W - 1; x++) {
            int sum = 0;
            for (int i = 0; i < 3; i++)
                for (int j = 0; j < 3; j++) sum += kernel[i][j] * grey[y + i - 1][x + j - 1];
            sum /= divisor;
            out[y][x] = sum < 0 ? 0 : sum > 255 ? 255 : sum;
        }
}
int main(void) {
    static const int soft[3][3] = {{1, 2, 1}, {2, 4, 2}, {1, 2, 1}};
    static const int sharp[3][3] = {{0, -1, 0}, {-1, 9, -1}, {0, -1, 0}};
    long sum = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < 3; c++) rgb[y][x][c] = x * (c + 1) + y * (3 - c);
    for (int round = 0; round < 120; round++) {
        to_grey();
        convolve(round & 1 ? sharp : soft, round & 1 ? 5 : 16);
        sum += out[round + 5][round + 7] + out[H / 2][round];
        rgb[round][round][0] ^= sum;
    }
    printf("%ld\n", sum);
}
