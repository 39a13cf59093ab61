// Statics of functions and of the file, constants, tables of functions, alignment, packing.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct packed { char a; int b; short c; } __attribute__((packed));
struct operations { int (*run)(int); const char *name; };

static int calls;
static int history[8];
static const int primes[] = {2, 3, 5, 7, 11, 13, 17, 19};
static const char *const names[] = {"zero", "one", "two", "three"};
static const char marker[] = "marker";
static struct packed pack = {'x', 1234567, -3};
static const wchar_t wide[] = L"wide \x263a";
static char buffer[64] __attribute__((aligned(64)));
int values[16] __attribute__((aligned(32))) = {1, 2, 3, 4, 5, 6, 7, 8, 9};
const int shifts[4] = {1, 2, 4, 8};
double weights[9] = {0.5, 1.5};
int zeros[100];
long long big = 1LL << 40;
static float ratio = 0.25f;

static int increment(int x) { calls++; return x + 1; }
static int square(int x) { calls++; return x * x; }
static int negate(int x) { calls++; return -x; }

static const struct operations operations[] = {
    {increment, "increment"}, {square, "square"}, {negate, "negate"},
};
int (*current)(int) = square;

int next(void) {
    static int state = 17;
    state = state * 1103515245 + 12345;
    calls++;
    history[calls & 7] = state;
    return (state >> 16) & 0x7fff;
}

int other(void) {
    static int state = 5;
    static int unused_for_long;
    unused_for_long += state++;
    return state + unused_for_long;
}

int apply(unsigned which, int x) { return operations[which % 3].run(x); }
const char *name_of(unsigned which) { return operations[which % 3].name; }
int is_square(void) { return current == square; }
void choose_increment(void) { current = increment; }

const char *spell(unsigned n) { return names[n & 3]; }
const char *mark(void) { return marker; }
int is_marker(const char *p) { return p == marker; }

int total_history(void) {
    int total = 0;
    for (int i = 0; i < 8; i++) total ^= history[i];
    return total;
}

void scale(int n, int by) {
    for (int i = 0; i < n; i++) values[i] = values[i] * by + primes[i & 7];
}

double weigh(int n) {
    double total = 0;
    for (int i = 0; i < n; i++) total += weights[i % 9] * values[i % 16] * ratio;
    return total;
}

int unpack(void) {
    pack.b += pack.c;
    return pack.b + pack.a;
}

int dot(const int *restrict a, const int *restrict b, int n) {
    int total = 0;
    for (int i = 0; i < n; i++) total += a[i] * b[i];
    return total;
}

const char *fill(int n) {
    memset(buffer, 'a' + n % 26, sizeof buffer - 1);
    buffer[63] = 0;
    return buffer;
}

unsigned hash(const char *text) {
    unsigned value = 2166136261u;
    while (*text) value = (value ^ (unsigned char)*text++) * 16777619u;
    return value;
}

uint64_t mix(uint64_t x) {
    x ^= x >> 33;
    x *= 0xff51afd7ed558ccdULL;
    return x ^ (x >> 29) ^ (uint64_t)big;
}

int main(int argc, char **argv) {
    for (int i = 0; i < 5; i++) printf("%d %d\n", next(), other());
    for (unsigned i = 0; i < 4; i++) printf("%d %s %s\n", apply(i, 7), name_of(i), spell(i));
    printf("%d ", is_square());
    choose_increment();
    printf("%d %d\n", is_square(), current(argc));
    printf("%d %d\n", is_marker(mark()), is_marker("marker x"));
    scale(16, 3);
    printf("%d %.4f %d %d\n", total_history(), weigh(20), unpack(), calls);
    printf("%d %d\n", dot(values, values + 4, 8), dot(zeros, values, 16) + shifts[argc & 3]);
    printf("%s %u %llu %d\n", fill(argc), hash("hash"), (unsigned long long)mix(99), (int)wide[5]);
    return 0;
}
