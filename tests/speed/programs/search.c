/* Words looked for in text, by comparing, by skipping and by counting letters. */
#include <stdio.h>
#include <string.h>
enum { N = 1 << 16 };
static char text[N + 1];
static int naive(const char *t, int n, const char *w, int m) {
    int count = 0;
    for (int i = 0; i + m <= n; i++) {
        int j = 0;
        while (j < m && t[i + j] == w[j]) j++;
        count += j == m;
    }
    return count;
}
static int skipping(const char *t, int n, const char *w, int m) {
    int skip[256], count = 0;
    for (int c = 0; c < 256; c++) skip[c] = m;
    for (int j = 0; j < m - 1; j++) skip[(unsigned char)w[j]] = m - 1 - j;
    for (int i = 0; i + m <= n; i += skip[(unsigned char)t[i + m - 1]]) count += !memcmp(t + i, w, m);
    return count;
}
static int letters(const char *t, char c) {
    int count = 0;
    for (; *t; t++) count += *t == c || *t == c - 32;
    return count;
}
int main(void) {
    unsigned seed = 3;
    long sum = 0;
    for (int i = 0; i < N; i++) text[i] = "etaoin shrdlu,ETAOIN"[(seed = seed * 1664525u + 1013904223u) >> 24 & 15];
    for (int round = 0; round < 750; round++) {
        char word[] = {text[round], text[round + 1], text[round + 2], text[round + 3], 0};
        sum += naive(text, N, word, 4) * 3 + skipping(text, N, word, 4) + letters(text, 'a' + round % 26);
    }
    printf("%ld\n", sum);
}
