/* Arrays and loops: matrices, VLAs, overlapping moves, stencils, two similar regions. */
#include <stdio.h>
#include <string.h>

#define N 12
static int grid[N][N], other[N][N];

static void step(int from[N][N], int to[N][N]) {
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            int n = 0;
            for (int dy = -1; dy <= 1; dy++)
                for (int dx = -1; dx <= 1; dx++)
                    if (dx || dy) n += from[(y + dy + N) % N][(x + dx + N) % N];
            to[y][x] = n == 3 || (n == 2 && from[y][x]);
        }
}

static long trace(int n) {
    long m[n][n], product[n][n], t = 0;
    for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) m[i][j] = (i * 3 + j * 5) % 7 - 3;
    for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {
        product[i][j] = 0;
        for (int k = 0; k < n; k++) product[i][j] += m[i][k] * m[k][j];
    }
    for (int i = 0; i < n; i++) t += product[i][i] * (i + 1);
    return t;
}

static unsigned hash_rows(int g[N][N]) {
    unsigned h = 1;
    for (int i = 0; i < N * N; i++) h = h * 31 + (unsigned)g[i / N][i % N];
    return h;
}

int main(void) {
    grid[1][2] = grid[2][3] = grid[3][1] = grid[3][2] = grid[3][3] = 1;
    for (int i = 0; i < 20; i++) { step(grid, other); memcpy(grid, other, sizeof grid); }
    char text[] = "abcdefghijklmnop";
    memmove(text + 3, text, 8);
    memset(text + 12, '*', 2);
    printf("%u %ld %ld %s %u\n", hash_rows(grid), trace(9), trace(1), text, hash_rows(other));
    return (int)(trace(4) & 63);
}
