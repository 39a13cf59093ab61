/* Sorting: heap sort, insertion sort, qsort with a callback, binary search. */
#include <stdio.h>
#include <stdlib.h>

static unsigned state = 12345;
static unsigned next(void) { return state = state * 1664525u + 1013904223u; }

static void sift(int *a, int root, int end) {
    for (int child; (child = 2 * root + 1) < end; root = child) {
        if (child + 1 < end && a[child] < a[child + 1]) child++;
        if (a[root] >= a[child]) return;
        int t = a[root];
        a[root] = a[child];
        a[child] = t;
    }
}

static void heap_sort(int *a, int n) {
    for (int i = n / 2 - 1; i >= 0; i--) sift(a, i, n);
    for (int end = n - 1; end > 0; end--) {
        int t = a[0];
        a[0] = a[end];
        a[end] = t;
        sift(a, 0, end);
    }
}

static void insertion_sort(int *a, int n) {
    for (int i = 1; i < n; i++) {
        int v = a[i], j = i;
        for (; j > 0 && a[j - 1] > v; j--) a[j] = a[j - 1];
        a[j] = v;
    }
}

static int descending(const void *x, const void *y) {
    int a = *(const int *)x, b = *(const int *)y;
    return (a < b) - (a > b);
}

int main(void) {
    int a[200], b[200], c[200];
    for (int i = 0; i < 200; i++) a[i] = b[i] = c[i] = (int)(next() >> 8) % 1000 - 500;
    heap_sort(a, 200);
    insertion_sort(b, 200);
    qsort(c, 200, sizeof *c, descending);
    int bad = 0;
    unsigned hash = 0;
    for (int i = 0; i < 200; i++) bad += a[i] != b[i] || a[i] != c[199 - i], hash = hash * 31 + (unsigned)a[i];
    int low = 0, high = 200;
    while (low < high) {
        int middle = (low + high) / 2;
        if (a[middle] < 0) low = middle + 1; else high = middle;
    }
    printf("%d %u %d %d %d\n", bad, hash, low, a[0], a[199]);
    return bad;
}
