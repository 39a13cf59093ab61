/* Quicksort, heapsort and insertion sort of integers. */
#include <stdio.h>
enum { N = 200000 };
static int a[N];
static void insertion(int *p, int n) {
    for (int i = 1; i < n; i++) {
        int v = p[i], j = i;
        for (; j > 0 && p[j - 1] > v; j--) p[j] = p[j - 1];
        p[j] = v;
    }
}
static void quick(int *p, int n) {
    while (n > 24) {
        int pivot = p[n / 2], i = 0, j = n - 1;
        while (i <= j) {
            while (p[i] < pivot) i++;
            while (p[j] > pivot) j--;
            if (i <= j) { int t = p[i]; p[i++] = p[j]; p[j--] = t; }
        }
        quick(p, j + 1);
        p += i, n -= i;
    }
    insertion(p, n);
}
static void sift(int *p, int i, int n) {
    int v = p[i];
    for (int child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && p[child + 1] > p[child]) child++;
        if (p[child] <= v) break;
        p[i] = p[child];
    }
    p[i] = v;
}
static void heap(int *p, int n) {
    for (int i = n / 2; i-- > 0;) sift(p, i, n);
    for (int i = n; --i > 0;) { int t = p[0]; p[0] = p[i]; p[i] = t; sift(p, 0, i); }
}
int main(void) {
    unsigned seed = 1;
    long sum = 0;
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < N; i++) a[i] = (seed = seed * 1664525u + 1013904223u) >> 4;
        (round & 1 ? quick : heap)(a, N);
        sum += a[N / 3] ^ a[round];
    }
    printf("%ld\n", sum);
}
