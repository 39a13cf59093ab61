/* Volatile accesses: their number and order must stay. */
#include <signal.h>
#include <stdio.h>

static volatile sig_atomic_t hits;
static volatile unsigned port[4];

static void handler(int number) { hits += number == SIGUSR1 ? 1 : 100; }

static unsigned drain(volatile unsigned *p, int n) {
    unsigned seen = 0;
    for (int i = 0; i < n; i++) {
        *p = *p + 1;
        seen = seen * 3 + *p;
        (void)*p;
    }
    return seen;
}

int main(void) {
    signal(SIGUSR1, handler);
    unsigned total = 0;
    for (int i = 0; i < 4; i++) {
        total ^= drain(&port[i], i + 5);
        raise(SIGUSR1);
        while (hits <= i) { }
    }
    printf("%u %d %u %u\n", total, (int)hits, port[0], port[3]);
    return (int)hits;
}
