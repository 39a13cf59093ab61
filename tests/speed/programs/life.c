/* Conway's game of life on a torus, a byte for each cell. */
#include <stdio.h>
#include <string.h>
enum { W = 512, H = 384 };
static unsigned char now[H][W], next[H][W];
static void step(void) {
    for (int y = 0; y < H; y++) {
        const unsigned char *up = now[(y + H - 1) % H], *here = now[y], *down = now[(y + 1) % H];
        for (int x = 1; x < W - 1; x++) {
            int n = up[x - 1] + up[x] + up[x + 1] + here[x - 1] + here[x + 1] + down[x - 1] + down[x] + down[x + 1];
            next[y][x] = n == 3 || (n == 2 && here[x]);
        }
        next[y][0] = next[y][W - 2], next[y][W - 1] = next[y][1];
    }
    memcpy(now, next, sizeof now);
}
int main(void) {
    unsigned seed = 1;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) now[y][x] = ((seed = seed * 1664525u + 1013904223u) >> 20) % 3 == 0;
    for (int round = 0; round < 350; round++) step();
    long alive = 0;
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) alive += now[y][x] * (x + y);
    printf("%ld\n", alive);
}
