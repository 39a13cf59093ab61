/* Non-local jumps: setjmp in loops, nested handlers, volatile locals. */
#include <setjmp.h>
#include <stdio.h>

static jmp_buf outer, inner;

static int risky(int n) {
    if (n % 7 == 3) longjmp(inner, n);
    if (n % 11 == 5) longjmp(outer, n);
    return n * 2;
}

static int guarded(int n) {
    volatile int before = n;
    int code = setjmp(inner);
    if (code) return -code - before;
    return risky(n) + 1;
}

int main(void) {
    volatile int i = 0, total = 0, jumps = 0;
    int code = setjmp(outer);
    if (code) {
        jumps++;
        total += code * 100;
        i++;
    }
    for (; i < 40; i++) total += guarded(i);
    printf("%d %d %d\n", i, total, jumps);
    return jumps;
}
