/* Levenshtein's distance of words, by rows of a table. */
#include <stdio.h>
#include <string.h>
enum { N = 900 };
static char p[N + 1], q[N + 1];
static int row[N + 1];
static int distance(const char *a, int n, const char *b, int m) {
    for (int j = 0; j <= m; j++) row[j] = j;
    for (int i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int cost = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < cost) cost = row[j] + 1;
            if (row[j - 1] + 1 < cost) cost = row[j - 1] + 1;
            row[j] = cost;
        }
    }
    return row[m];
}
int main(void) {
    unsigned seed = 7;
    long sum = 0;
    for (int round = 0; round < 125; round++) {
        for (int i = 0; i < N; i++) {
            p[i] = 'a' + ((seed = seed * 1103515245u + 12345) >> 16) % 5;
            q[i] = 'a' + ((seed = seed * 1103515245u + 12345) >> 16) % 5;
        }
        sum += distance(p, strlen(p), q, strlen(q));
    }
    printf("%ld\n", sum);
}
